"""Offline activation: request files, what they ask for, and the pages around them (L3)."""
