"""The [sms:NAME] section of config.ini with `driver = command`: a program that sends one text."""

from pathlib import Path

import msgspec

from auth.channels.base import OnUnknown
from auth.channels.sms.driver import Driver
from auth.lines import Lines
from schema.secret import Secret


class CommandSettings(msgspec.Struct, frozen=True):
    """A [sms:NAME] section with `driver = command`: started for each text, which it reads from standard input.

    The program's environment is PATH and LANG, with PHONE, PHONE_DIGITS, SENDER and, when it is set, PASSWORD.

    Attributes:
        program: absolute path of the program; no shell is between us and it.
        driver: command.
        arguments: one a line; {phone}, {phone_digits} and {sender} are filled in, never the text.
        sender: fills {sender}: who the text comes from.
        password: reference to what the program finds in its environment as PASSWORD.
        timeout_seconds: how long the program may take; then it is killed, with all that it has started.
        on_unknown: stop or failover, when the program did not end in time or was killed.
    """

    program: Path
    driver: Driver = Driver.COMMAND
    arguments: Lines = Lines(())
    sender: str = ""
    password: Secret | None = None
    timeout_seconds: float = 3.0
    on_unknown: OnUnknown = OnUnknown.STOP
