"""Pages that enter a bulk split, show it and act on it."""
