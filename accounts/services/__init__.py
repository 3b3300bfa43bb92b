"""Services for accounts, users, relations, logins, API tokens and kept answers."""
