"""Services for products, entitlements, states, corrections, transfers of accounts and replaced IDs."""
