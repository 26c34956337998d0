"""The [audit] section of config.ini as values."""

from enum import StrEnum
from pathlib import Path

import msgspec


class SyncPolicy(StrEnum):
    """When what is written is on the disk itself, so that a power failure does not take it."""

    SYSTEM = "system"  # when the operating system finds the time, half a minute at most on Linux
    SECOND = "second"  # within a second or two
    LINE = "line"  # before the outcome is told, which costs every logon a turn of the disk


class SyslogFormat(StrEnum):
    """How a line is put for a syslog receiver."""

    RFC5424 = "rfc5424"
    CEF = "cef"


class AuditSettings(msgspec.Struct, frozen=True):
    """The [audit] section.

    Attributes:
        days: for how many days lines are kept; 0 keeps all.
        sync: when what is written is on the disk itself: system, second or line.
        syslog: where lines are sent as well: udp://HOST:PORT, tcp://HOST:PORT or tls://HOST:PORT; nowhere when absent.
        syslog_format: rfc5424 (structured data) or cef.
        syslog_facility: the facility's number (RFC 5424 section 6.2.1); 10 is authpriv.
        syslog_ca_file: PEM file of the authorities to trust for tls; the system's when absent.
        syslog_queue: how many lines wait while the receiver is away; what comes on top is counted and not sent.
    """

    days: int = 0
    sync: SyncPolicy = SyncPolicy.SECOND
    syslog: str | None = None
    syslog_format: SyslogFormat = SyslogFormat.RFC5424
    syslog_facility: int = 10
    syslog_ca_file: Path | None = None
    syslog_queue: int = 10_000
