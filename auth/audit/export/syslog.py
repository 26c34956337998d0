"""The export to a syslog receiver, as [audit] describes it."""

import os
import socket
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


def syslog_outbox(settings: AuditSettings, receiver: str) -> Outbox:
    """Sends lines to a receiver from now on, whether it is there yet or not.

    Raises:
        Fault: the file of the authorities to trust cannot be used.
    """
    target = read_target(receiver)
    tls = tls_context(settings.syslog_ca_file) if target.transport is Transport.TLS else None
    sender = Sender(socket.gethostname(), str(os.getpid()), settings.syslog_facility)
    encode = partial(message, settings.syslog_format, sender)
    return Outbox(partial(Connection, target, tls), encode, receiver, settings.syslog_queue)
