"""Lines in the Common Event Format (ArcSight CEF 0). Pure."""

import ipaddress
from collections.abc import Iterator

from auth.audit.export.rfc5424 import severity
from auth.audit.export.told import Signed
from auth.audit.printable import printable
from auth.audit.reader import Written
from auth.audit.told.words import known_reason
from auth.version import __version__

_SEVERITIES = {4: 6, 5: 3, 6: 2}  # syslog's -> 0 to 10
_CUSTOM = (
    ("cs1", "node"),
    ("cs2", "policy"),
    ("cs3", "login"),
    ("cs4", "userDN"),
    ("cs5", "gateway"),
    ("cs6", "messageId"),
)


def cef(each: Written | Signed) -> str:
    """The event as one line of text, without a syslog header."""
    event, name = _event(each)
    header = ("CEF:0", "dirfactor", "dirfactor", __version__, event, name, str(_SEVERITIES[severity(each)]))
    extension = " ".join(f"{key}={_value(value)}" for key, value in _pairs(each) if value)
    return "|".join((header[0], *map(_header, header[1:]), extension))


def _event(each: Written | Signed) -> tuple[str, str]:
    if isinstance(each, Signed):
        return "checkpoint", "the audit is signed up to here"
    reason = known_reason(each.reason)
    return each.reason, reason.meaning if reason else each.reason


def _pairs(each: Written | Signed) -> Iterator[tuple[str, str]]:
    if isinstance(each, Signed):
        yield from (("cn1", str(each.seq)), ("cn1Label", "number"), ("cs1", each.prev), ("cs1Label", "sha256Before"))
        yield from (("cs2", each.signature), ("cs2Label", "signature"), ("cs3", each.key), ("cs3Label", "key"))
        return
    yield "rt", str(int(each.at.timestamp() * 1000))
    yield "externalId", each.correlation
    yield "outcome", each.outcome
    yield "reason", each.reason
    yield "app", each.door
    yield "suser", each.name
    yield "suid", each.user_id
    yield from _address(each.address)
    yield "act", each.method
    yield "msg", each.detail
    texts = (each.node, each.policy, each.login, each.user, each.gateway, each.message_id)
    for (key, label), text in zip(_CUSTOM, texts, strict=True):
        if text:
            yield from ((key, text), (f"{key}Label", label))
    if each.destination:
        yield from (("flexString1", each.destination), ("flexString1Label", "destination"))
    yield from (("cn1", str(each.seq)), ("cn1Label", "number"))


def _address(text: str) -> Iterator[tuple[str, str]]:
    """`src` is for IPv4 only."""
    try:
        version = ipaddress.ip_address(text).version
    except ValueError:
        yield "shost", text
        return
    if version == 4:  # noqa: PLR2004 - IPv4
        yield "src", text
    else:
        yield from (("c6a2", text), ("c6a2Label", "Source IPv6 Address"))


def _header(text: str) -> str:
    return printable(text).replace("\\", "\\\\").replace("|", "\\|")


def _value(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("=", "\\=")
    return printable(escaped.replace("\n", "\\n").replace("\r", "\\r"))
