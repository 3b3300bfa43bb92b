"""The sealed ledger: a hash tree over movements and records, its signed heads, proofs and verification (E11, L7)."""
