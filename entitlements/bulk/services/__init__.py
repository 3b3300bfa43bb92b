"""Services that check, carry out, mail and undo bulk splits, at once or by a worker."""
