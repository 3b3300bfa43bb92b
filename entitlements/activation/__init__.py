"""Activation: devices, license files, returns, rehosting and offline activation (L1–L6)."""
