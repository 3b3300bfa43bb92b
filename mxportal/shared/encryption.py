"""Encryption at rest with KEY_ENCRYPTION_KEY."""

from cryptography.fernet import Fernet, MultiFernet


def encryption(keys: str) -> MultiFernet:
    """Return a cipher that encrypts with the first key and opens what any key encrypted; commas separate the keys."""
    return MultiFernet([Fernet(key) for key in keys.split(",")])
