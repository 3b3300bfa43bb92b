"""Orders: what MOBOTIX does with products, entitlements, states, quantities, accounts' sellers and Activation IDs."""
