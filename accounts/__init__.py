"""Accounts, users, roles, visibility, the audit trail, and the keys of requests."""
