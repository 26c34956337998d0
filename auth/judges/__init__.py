"""Judges: each can tell whether one kind of code is right. None counts attempts, none decides about a login."""
