"""Pages for accounts, users, logins and API tokens."""
