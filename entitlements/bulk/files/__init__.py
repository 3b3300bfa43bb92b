"""Files with the lines and the results of bulk splits."""
