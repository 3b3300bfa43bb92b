"""The ledger of quantities: movements, triggers that keep the balances, verification, sealing (E4, E11)."""
