"""The API for MOBOTIX's ERP, for partners and for the camera software, with one noun in each file (P1–P5)."""
