"""Certificates: their PDF with signed data, and the verification of certificates, their codes and license files (E10,
L7).
"""
