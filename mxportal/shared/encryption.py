"""Encryption at rest with KEY_ENCRYPTION_KEY."""

from cryptography.fernet import Fernet, MultiFernet


def encryption(keys: str) -> MultiFernet:
    """Encrypts with the first of the keys (commas between them), and opens what any of them encrypted."""
    return MultiFernet([Fernet(key) for key in keys.split(",")])
