"""What makes the ledger provable: hash trees, commitments and the statements that are signed. Knows no database."""
