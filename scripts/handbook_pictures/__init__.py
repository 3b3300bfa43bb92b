"""Takes the pictures of the handbook from the running portal: `make handbook`."""
