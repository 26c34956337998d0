"""Reads what the state store remembers for whoever is not the service: commands, and what watches it."""

from auth.embedded_state import StateFile
from auth.settings import Settings
from auth.state import StateReader


def state_reader(settings: Settings) -> StateReader:
    """Reads the store that config.ini names; nothing is opened before the first question."""
    return StateFile(settings.service.state_file)
