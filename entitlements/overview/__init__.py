"""Overview: Home, List Entitlements, the pages of entitlements and line items, history and lineage."""
