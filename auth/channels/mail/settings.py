"""The [email:NAME] section of config.ini."""

from enum import StrEnum
from pathlib import Path

import msgspec

from auth.channels.base import OnUnknown
from schema.secret import Secret


class Security(StrEnum):
    """How the connection to the mail server is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class MailServerSettings(msgspec.Struct, frozen=True):
    """An [email:NAME] section.

    Attributes:
        host: the mail server.
        sender: address that mails come from.
        sender_name: name that is shown with it.
        port: TCP port; 587 for starttls, 465 for tls and 25 for none when absent.
        security: starttls, tls, or none, which is only for a server on this host.
        ca_file: PEM file of the authorities to trust; the system's when absent.
        username: for AUTH, which is left out without it.
        password: reference to its password.
        helo_name: what we call ourselves to the server; the sender's domain when absent.
        timeout_seconds: how long the server may take for one mail.
        on_unknown: stop or failover, when the server gave no answer and may have taken the mail.
    """

    host: str
    sender: str
    sender_name: str = ""
    port: int | None = None
    security: Security = Security.STARTTLS
    ca_file: Path | None = None
    username: str = ""
    password: Secret | None = None
    helo_name: str = ""
    timeout_seconds: float = 3.0
    on_unknown: OnUnknown = OnUnknown.STOP
