"""Services that split a line item and undo a split, and the reasons why a split cannot be undone."""
