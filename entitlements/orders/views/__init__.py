"""Pages on which MOBOTIX manages orders."""
