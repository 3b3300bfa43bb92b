"""The ledger of quantities: movements, the triggers that keep balances, their verification and the sealed hash tree
(E4, E11).
"""
