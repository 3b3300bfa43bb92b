"""What pages show of activations, devices and returns, masked for their reader."""
