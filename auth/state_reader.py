"""Reads what the state store remembers for whoever is not the service: commands, and what watches it."""

from auth.embedded_state import StateFile
from auth.settings import Settings
from auth.state import StateReader


def state_reader(settings: Settings) -> StateReader:
    """Reads the store that config.ini names; nothing is opened before the first question.

    Raises:
        Fault: [state] names one that cannot be read for want of its client.
    """
    if settings.state is None:
        return StateFile(settings.service.state_file)
    from auth.shared.reader import SharedReader  # noqa: PLC0415 - whoever shares nothing need not have its client

    return SharedReader(settings.state)
