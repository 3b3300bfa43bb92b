"""Splits: split copies off a line item for a buyer, and undo a split."""
