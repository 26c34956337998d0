"""SOAP 1.1 with one element in its body: what both dialects are written in. Octets from outside are believed late."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, ParseError, SubElement, tostring

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from auth.vip.faults import VipAnswerRefused
from auth.vip.verdict import Response

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"

Child = tuple[str, "str | Sequence[Child]"] | tuple[str, str, Mapping[str, str]]
"""An element: its name, its text or its own children, and perhaps attributes."""

_REASON_CODE = re.compile(r"(?:[0-9A-Fa-f]{2}){1,8}")
_REQUEST_ID = re.compile(r"[0-9A-Za-z_]{4,40}")
_SOAP_FAULTS = frozenset({"Client", "Server", "VersionMismatch", "MustUnderstand"})
_LONGEST_TEXT = 200
_XML_SPACE = " \t\r\n"


def envelope(namespace: str, name: str, attributes: Mapping[str, str], children: Sequence[Child]) -> bytes:
    """One element as the octets of an envelope; its children stand in the same namespace.

    Args:
        namespace: of the element.
        name: of the element.
        attributes: of the element.
        children: in the order of the service's schema, which the service insists on.
    """
    # literal prefixes, because ElementTree would otherwise keep them in a registry of the whole process
    root = Element("soapenv:Envelope", {"xmlns:soapenv": SOAP, "xmlns:vip": namespace})
    body = SubElement(root, "soapenv:Body")
    _fill(SubElement(body, f"vip:{name}", dict(attributes)), children)
    octets: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return octets


def _fill(parent: Element, children: Sequence[Child]) -> None:
    for name, content, *attributes in children:
        # the service reads attributes in no namespace only
        child = SubElement(parent, f"vip:{name}", *map(dict, attributes))
        if isinstance(content, str):
            child.text = content
        else:
            _fill(child, content)


def checked_id(request_id: str) -> str:
    """The request id, when it has the form that both dialects allow.

    Raises:
        ValueError: it has another form.
    """
    if not _REQUEST_ID.fullmatch(request_id):
        msg = "the request id has another form"
        raise ValueError(msg)
    return request_id


def content(body: bytes) -> Element:
    """The one element in the body of an envelope.

    Raises:
        VipAnswerRefused: there is no envelope, or none with one element.
    """
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise refused("it is no well-formed XML without a document type") from None
    if root.tag != f"{{{SOAP}}}Envelope":
        raise refused("it is no SOAP 1.1 envelope")
    inside = one(root, f"{{{SOAP}}}Body")
    if len(inside) != 1:
        raise refused("its body does not hold exactly one element")
    return inside[0]


def fault(answer: Element) -> Response | None:
    """A SOAP Fault as a reason, by its code, a qualified name refined by dots (SOAP 1.1 section 4.4.1).

    None when the element is no Fault.
    """
    if answer.tag != f"{{{SOAP}}}Fault":
        return None
    code = text(one(answer, "faultcode")).rpartition(":")[2].partition(".")[0]
    words = at_most_one(answer, "faultstring")
    return Response(f"soap:{code if code in _SOAP_FAULTS else 'Other'}", "" if words is None else line(text(words)))


def one(parent: Element, tag: str) -> Element:
    """The one child of this name. Raises VipAnswerRefused."""
    child = at_most_one(parent, tag)
    if child is None:
        raise refused(f"{tag.rpartition('}')[2]} is missing")
    return child


def at_most_one(parent: Element, tag: str) -> Element | None:
    """The child of this name, if there is one. Raises VipAnswerRefused."""
    children = parent.findall(tag)
    if len(children) > 1:
        raise refused(f"{tag.rpartition('}')[2]} stands there twice")
    return children[0] if children else None


def text(element: Element) -> str:
    """The text of an element without children. Raises VipAnswerRefused."""
    if len(element):
        raise refused("there are elements where text is expected")
    return (element.text or "").strip(_XML_SPACE)


def optional_text(parent: Element, tag: str) -> str:
    """The text of the child of this name, empty when there is none. Raises VipAnswerRefused."""
    child = at_most_one(parent, tag)
    return "" if child is None else text(child)


def reason_code(element: Element) -> str:
    """A hexBinary reason code, in upper case. Raises VipAnswerRefused."""
    code = text(element)
    if not _REASON_CODE.fullmatch(code):
        raise refused("its reason code is no hexBinary")
    return code.upper()


def instant(written: str) -> datetime:
    """A dateTime in UTC; one without a zone is read as UTC, XML Schema part 2 section 3.2.7.3.

    Raises:
        VipAnswerRefused: it is none.
    """
    try:
        found = datetime.fromisoformat(written)
        return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        raise refused("it has a date that is none") from None


def line(words: str) -> str:
    """Words from outside, fit for a log line."""
    short = " ".join(words.split())[:_LONGEST_TEXT]
    return "".join(character if character.isprintable() else "?" for character in short)


def refused(why: str) -> VipAnswerRefused:
    """The fault of an answer that is none."""
    return VipAnswerRefused(
        f"the VIP service's answer is not usable: {why}",
        remedy="check that the URL belongs to the VIP service of the dialect that is set, and what stands between",
    )
