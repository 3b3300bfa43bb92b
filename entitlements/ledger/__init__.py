"""E4, E11: what the database itself holds about quantities."""
