"""Formats of dates, where Django's own format of a language does not suit the channel."""
