"""Pages of activation: devices, activation, licenses and returns."""
