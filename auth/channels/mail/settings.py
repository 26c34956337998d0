"""The [email:NAME] sections of config.ini, one structure for each driver."""

from enum import StrEnum
from pathlib import Path

import msgspec

from auth.channels.base import OnUnknown
from schema.secret import Secret


class MailDriver(StrEnum):
    """Who takes the mails."""

    SMTP = "smtp"
    GRAPH = "graph"


class Security(StrEnum):
    """How the connection to the mail server is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class SmtpSettings(msgspec.Struct, frozen=True):
    """An [email:NAME] section with driver = smtp, which is the default.

    Attributes:
        driver: smtp.
        host: the mail server.
        sender: address that mails come from.
        sender_name: name that is shown with it.
        reply_to: address that answers go to; the sender when absent.
        port: TCP port; 587 for starttls, 465 for tls and 25 for none when absent.
        security: starttls, tls, or none, which is only for a server on this host.
        ca_file: PEM file of the authorities to trust; the system's when absent.
        client_certificate: PEM file of the certificate that we show in TLS, with its chain.
        client_key: PEM file of its private key; when absent, the certificate's file has it as well.
        username: for AUTH, which is left out without it.
        password: reference to its password; with token_url there is none.
        token_url: where access tokens for AUTH XOAUTH2 are had; with it username is the mailbox that sends.
        client_id: what the token endpoint knows us by.
        client_secret: reference to the secret that proves it.
        assertion_certificate: PEM file of a certificate that proves it instead.
        assertion_key: PEM file of its private key; when absent, the certificate's file has it as well.
        refresh_token: reference to a refresh token; without it we ask by client credentials.
        scope: what tokens shall be good for, such as https://outlook.office365.com/.default.
        helo_name: what we call ourselves to the server; the sender's domain when absent.
        connections: how many connections to the server there may be at once.
        timeout_seconds: how long the server may take for one mail.
        on_unknown: stop or failover, when the server gave no answer and may have taken the mail.
    """

    host: str
    sender: str
    driver: MailDriver = MailDriver.SMTP
    sender_name: str = ""
    reply_to: str = ""
    port: int | None = None
    security: Security = Security.STARTTLS
    ca_file: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None
    username: str = ""
    password: Secret | None = None
    token_url: str = ""
    client_id: str = ""
    client_secret: Secret | None = None
    assertion_certificate: Path | None = None
    assertion_key: Path | None = None
    refresh_token: Secret | None = None
    scope: str = ""
    helo_name: str = ""
    connections: int = 3
    timeout_seconds: float = 3.0
    on_unknown: OnUnknown = OnUnknown.STOP


class GraphSettings(msgspec.Struct, frozen=True):
    """An [email:NAME] section with driver = graph: Microsoft Graph, as an application with the permission Mail.Send.

    Attributes:
        driver: graph.
        tenant: the tenant's id or one of its domains.
        client_id: the application's id.
        sender: address of the mailbox that sends.
        client_secret: reference to the application's secret.
        assertion_certificate: PEM file of the application's certificate, instead of a secret.
        assertion_key: PEM file of its private key; when absent, the certificate's file has it as well.
        reply_to: address that answers go to; the sender when absent.
        login_url: where tokens are had; another one in a national cloud.
        graph_url: where Graph is; another one in a national cloud.
        ca_file: PEM file of the authorities to trust; the system's when absent.
        timeout_seconds: how long Graph may take for one mail, a new token included.
        on_unknown: stop or failover, when Graph gave no answer and may have taken the mail.
    """

    tenant: str
    client_id: str
    sender: str
    driver: MailDriver = MailDriver.GRAPH
    client_secret: Secret | None = None
    assertion_certificate: Path | None = None
    assertion_key: Path | None = None
    reply_to: str = ""
    login_url: str = "https://login.microsoftonline.com"
    graph_url: str = "https://graph.microsoft.com"
    ca_file: Path | None = None
    timeout_seconds: float = 3.0
    on_unknown: OnUnknown = OnUnknown.STOP


MailSettings = SmtpSettings | GraphSettings


def own_certificates(settings: MailSettings) -> tuple[Path, ...]:
    """The PEM files of the certificates that we show with these settings."""
    shown = settings.client_certificate if isinstance(settings, SmtpSettings) else None
    return tuple(file for file in (shown, settings.assertion_certificate) if file is not None)


def own_keys(settings: MailSettings) -> tuple[Path, ...]:
    """The PEM files of their private keys."""
    shown = settings.client_key or settings.client_certificate if isinstance(settings, SmtpSettings) else None
    return tuple(file for file in (shown, settings.assertion_key or settings.assertion_certificate) if file is not None)
