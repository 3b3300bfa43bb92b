"""Services of certificates: rendering, signed data, and verification."""
