"""Activation IDs, host IDs and countries: how people type them and the form in which the portal keeps them."""
