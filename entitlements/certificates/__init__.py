"""Certificates: their PDF with signed data, and verification of certificates, codes and license files (E10, L7)."""
