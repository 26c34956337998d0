"""The export to a syslog receiver, as [audit] describes it."""

import os
import socket
import ssl
from functools import partial

from auth.audit.export.cef import cef
from auth.audit.export.connection import Connection
from auth.audit.export.outbox import Outbox
from auth.audit.export.rfc5424 import Sender, plain_message, structured_message
from auth.audit.export.target import Transport, read_target
from auth.audit.export.told import told
from auth.audit.settings import AuditSettings, SyslogFormat
from auth.tls import tls_context


def message(form: SyslogFormat, sender: Sender, line: bytes) -> bytes:
    """The syslog message for an outcome or a checkpoint, as it stands in the audit."""
    each = told(line)
    if form is SyslogFormat.CEF:
        return plain_message(each, sender, cef(each))
    return structured_message(each, sender)


def receiver_tls(settings: AuditSettings) -> ssl.SSLContext | None:
    """How the receiver is trusted; None without TLS. Raises Fault when the authorities' file cannot be used."""
    is_tls = (settings.syslog or "").startswith(f"{Transport.TLS}://")
    return tls_context(settings.syslog_ca_file) if is_tls else None


def syslog_outbox(settings: AuditSettings, receiver: str) -> Outbox:
    """Sends lines to a receiver from now on, whether it is there yet or not.

    Raises:
        Fault: the file of the authorities to trust cannot be used.
    """
    sender = Sender(socket.gethostname(), str(os.getpid()), settings.syslog_facility)
    encode = partial(message, settings.syslog_format, sender)
    return Outbox(
        partial(Connection, read_target(receiver), receiver_tls(settings)), encode, receiver, settings.syslog_queue
    )
