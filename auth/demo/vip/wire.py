"""What both dialects of the VIP simulator have in common on the wire: SOAP 1.1, and elements of a given shape."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from xml.etree.ElementTree import Element, ParseError, fromstring
from xml.sax.saxutils import escape

from auth.demo.vip.registry import Named
from schema.secret import Secret

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
CODE = re.compile(r"[a-zA-Z0-9]{6,10}")
BOOLEAN = re.compile(r"true|false|1|0")
NUMBER = re.compile(r"[0-9]{5,20}(x[0-9,#.*]{1,20})?")
TRUE = frozenset({"true", "1"})

MESSAGES = MappingProxyType(
    {
        "0000": "Success",
        "4879": "The service is temporarily unavailable",
        "4923": "The code is outside the look-ahead window",
        "4990": "Bad token state",
        "4993": "Operation not allowed on a disabled token",
        "4994": "Operation not allowed on a locked token",
        "49B5": "Failed with an invalid OTP",
        "4E02": "Malformed request",
        "4E03": "Authorization failed",
        "4e04": "Unsupported service protocol version",
        "6003": "User does not exist",
        "6004": "Credential ID is invalid",
        "6005": "Internal error",
        "6008": "No enabled credential",
        "6009": "Authentication failed",
        "600B": "Schema validation failed",
        "601B": "Operation not allowed in the user's status",
    }
)


@dataclass(frozen=True, slots=True)
class Part:
    """A child that a message may have, in its place in the order.

    Attributes:
        name: its name.
        form: the form of its text, or its own children.
        fewest: how often at least.
        most: how often at most.
        types: what the attribute `type` may say; empty when there is no such attribute.
    """

    name: str
    form: "re.Pattern[str] | tuple[Part, ...]"
    fewest: int = 1
    most: int = 1
    types: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Value:
    """A child that is there: its text and type, or its own children."""

    text: str = ""
    type: str = ""
    inside: Mapping[str, "list[Value]"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """A request that has the form that the service asks for.

    Attributes:
        operation: its name.
        version: the protocol version, sent back as it came; empty in User Services.
        request_id: the id to send back; None when there was none.
        credentials: the credentials asked about.
        codes: the codes, in order.
        user: the VIP user asked about.
        named: whether the answer shall name the credential that matched.
        activate: whether the credential shall be taken into use.
        telephone: the number and type that a code shall be sent to.
    """

    operation: str
    version: str
    request_id: str | None
    credentials: tuple[Named, ...] = ()
    codes: tuple[Secret, ...] = ()
    user: str = ""
    named: bool = False
    activate: bool = False
    telephone: Named = ("", "")


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """A request that is refused: the reason code, and what the answer must say of the request."""

    code: str
    request_id: str | None
    operation: str = ""


@dataclass(frozen=True, slots=True)
class FaultAnswer:
    """A request that is no request: answered with a SOAP Fault and HTTP status 500."""

    code: str
    text: str


def opened(octets: bytes) -> Element | FaultAnswer:
    """The one element in the body of an envelope."""
    try:
        text = octets.decode()
        if "<!DOCTYPE" in text:
            return FaultAnswer("Client", "a document type is not allowed")
        # no document type, so no entity: what makes foreign XML dangerous is gone
        envelope = fromstring(text)  # noqa: S314 - a simulator
    except (UnicodeDecodeError, ParseError):
        return FaultAnswer("Client", "the request is no well-formed XML in UTF-8")
    if envelope.tag != f"{{{SOAP}}}Envelope":
        return FaultAnswer("VersionMismatch", "the request is no SOAP 1.1 envelope")
    parts = [part for part in envelope if part.tag != f"{{{SOAP}}}Header"]
    if len(parts) != 1 or parts[0].tag != f"{{{SOAP}}}Body" or len(parts[0]) != 1:
        return FaultAnswer("Client", "the envelope holds no single request")
    return parts[0][0]


def values(parent: Element, namespace: str, shape: tuple[Part, ...]) -> dict[str, list[Value]] | None:
    """The children by name, when they are those of the shape and in its order; else None."""
    rest = list(parent)
    if (parent.text or "").strip() or any((child.tail or "").strip() for child in rest):
        return None
    found: dict[str, list[Value]] = {}
    for part in shape:
        count = 0
        while count < part.most and rest and rest[0].tag == f"{{{namespace}}}{part.name}":
            value = _value(rest.pop(0), namespace, part)
            if value is None:
                return None
            found.setdefault(part.name, []).append(value)
            count += 1
        if count < part.fewest:
            return None
    return None if rest else found


def _value(child: Element, namespace: str, part: Part) -> Value | None:
    type_ = child.get("type", "")
    if set(child.attrib) - ({"type"} if part.types else set()) or (type_ and type_ not in part.types):
        return None
    if isinstance(part.form, tuple):
        inside = values(child, namespace, part.form)
        return None if inside is None else Value(inside=inside)
    text = (child.text or "").strip()
    return Value(text, type_) if not len(child) and part.form.fullmatch(text) else None


def texts(found: Mapping[str, list[Value]], *names: str) -> list[str]:
    """The texts of the children of these names."""
    return [value.text for name in names for value in found.get(name, [])]


def write_fault(fault: FaultAnswer) -> bytes:
    """A SOAP 1.1 Fault (section 4.4); its children stand in no namespace, so that there is no default one."""
    inside = f"<faultcode>s:{fault.code}</faultcode><faultstring>{escape(fault.text)}</faultstring>"
    body = f"<s:Body><s:Fault>{inside}</s:Fault></s:Body>"
    return f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="{SOAP}">{body}</s:Envelope>'.encode()


def envelope(content: str) -> bytes:
    """An envelope around one element."""
    declaration = '<?xml version="1.0" encoding="UTF-8"?>'
    return f'{declaration}<Envelope xmlns="{SOAP}"><Body>{content}</Body></Envelope>'.encode()
