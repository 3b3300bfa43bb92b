"""Forms of activation: devices, activation, returns."""
