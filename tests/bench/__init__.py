"""The figures of `make bench`: ratios to what the parts beneath the portal cost on the same machine."""
