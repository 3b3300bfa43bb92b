"""Bulk splits: many splits at once, from a table, a file or a pasted text."""
