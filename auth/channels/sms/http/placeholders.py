"""Places in an administrator's text that a value is put into, escaped for the language that surrounds them."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape as escape_markup

Escape = Callable[[str], str]

PLACEHOLDERS = (
    "phone", "phone_digits", "text", "coding", "sender", "account", "username", "password", "receipt_url",
)  # fmt: skip

_PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_NOT_IN_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0 section 2.2
# An attribute's white space becomes blanks and a carriage return a line feed, unless written as references.
_IN_XML = {'"': "&quot;", "'": "&apos;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}


def placeholders(texts: Iterable[str]) -> list[str]:
    """The names of all places in the texts, in order; a brace that does not enclose a name is just a brace."""
    return [name for text in texts for name in _PLACE.findall(text)]


def fill(template: str, values: Mapping[str, str], escape: Escape) -> str:
    """The template with every place filled; what a value brings along is never taken for a place.

    Args:
        template: text in which only known places stand.
        values: a value for each of `PLACEHOLDERS`.
        escape: makes a value safe for the surroundings.
    """
    return _PLACE.sub(lambda place: escape(values[place[1]]), template)


def as_it_is(value: str) -> str:
    """For plain text."""
    return value


def in_path(value: str) -> str:
    """For a URL's path: RFC 3986, and dots as well, lest a value become a step upwards (its section 5.2.4)."""
    return quote(value, safe="").replace(".", "%2E")


def in_query(value: str) -> str:
    """For a URL's query: everything but RFC 3986's unreserved characters is percent-encoded."""
    return quote(value, safe="")


def in_form(value: str) -> str:
    """For application/x-www-form-urlencoded."""
    return quote_plus(value)


def in_json(value: str) -> str:
    """For the inside of a JSON string, RFC 8259 section 7."""
    return json.dumps(value)[1:-1]


def in_xml(value: str) -> str:
    """For XML's text and quoted attributes; what XML cannot hold at all becomes U+FFFD."""
    return escape_markup(_NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", value), _IN_XML)


def is_header_value(value: str) -> bool:
    """Whether a header can have this value: RFC 9110 section 5.5, and nothing that may be read in two ways."""
    return value.isascii() and value.isprintable() and value == value.strip()


def escape_for(media_type: str) -> Escape | None:
    """The escape for a body of a media type; None for one that we don't know how to write.

    Args:
        media_type: as in Content-Type, parameters included.
    """
    essence = media_type.partition(";")[0].strip().lower()
    if essence.endswith(("/xml", "+xml")):
        return in_xml
    if essence.endswith(("/json", "+json")):
        return in_json
    if essence.startswith("application/x-amz-json-"):
        return in_json
    return {"text/plain": as_it_is, "application/x-www-form-urlencoded": in_form}.get(essence)
