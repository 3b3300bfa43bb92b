"""Formats of English as readers in many countries understand it."""
