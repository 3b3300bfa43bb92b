"""What the portal manages: products, entitlements, line items, their ledger, splits, activations and certificates."""
