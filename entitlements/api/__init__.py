"""P1–P4: the API for MOBOTIX's ERP, for partners and for the camera software. One noun a file."""
