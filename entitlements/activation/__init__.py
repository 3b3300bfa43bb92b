"""What is known of devices and license files without the database: their forms, and what is inside (L1, L5)."""
