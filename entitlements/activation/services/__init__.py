"""Services of activation: devices, activation, licenses, returns and rehosting."""
