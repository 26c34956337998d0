"""The protocols that a [sms:NAME] section can speak."""

from enum import StrEnum


class Driver(StrEnum):
    """Who carries the texts of a section."""

    HTTP = "http"  # one request for one text
    SMPP = "smpp"  # SMPP 3.4, as operators and aggregators speak it
    COMMAND = "command"  # a program of the administrator's
