"""Forms of the pages on which MOBOTIX manages orders."""
