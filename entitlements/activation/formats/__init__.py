"""File formats of licenses, which need no database (L5)."""
