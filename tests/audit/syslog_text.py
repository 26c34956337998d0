"""A strict reader of syslog messages by the grammar of RFC 5424 section 6, and of CEF, written for the tests alone."""

import re
from dataclasses import dataclass
from datetime import datetime

_HEADER = re.compile(
    r"<(0|[1-9]\d{0,2})>1 "
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)) "
    r"([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) "
)
_SD_NAME = r'[^\x00-\x20=\]"\x7f-\U0010ffff]{1,32}'
_ELEMENT = re.compile(rf"\[({_SD_NAME})")
_PARAMETER = re.compile(rf' ({_SD_NAME})="((?:[^"\\\]]|\\.)*)"', re.DOTALL)
_LARGEST_PRIORITY = 191


@dataclass(frozen=True)
class Message:
    priority: int
    at: datetime
    host: str
    app: str
    process: str
    kind: str
    data: dict
    text: str


def parse(octets):
    """The message; ValueError for what is none."""
    text = octets.decode("utf-8", errors="strict")
    header = _HEADER.match(text)
    if header is None or int(header[1]) > _LARGEST_PRIORITY:
        raise ValueError(text)
    at = datetime.fromisoformat(header[2])
    data, place = _data(text, header.end())
    if place < len(text) and text[place] != " ":
        raise ValueError(text[place:])
    message = text[place + 1 :]
    if not message.isascii() and not message.startswith("\ufeff"):
        raise ValueError("UTF-8 without its mark")
    return Message(int(header[1]), at, *header.groups()[2:], data, message)


def _data(text, place):
    if text[place] == "-":
        return {}, place + 1
    elements = {}
    while place < len(text) and text[place] == "[":
        element = _ELEMENT.match(text, place)
        if element is None or element[1] in elements:
            raise ValueError(text[place:])
        place, values = element.end(), {}
        while parameter := _PARAMETER.match(text, place):
            values[parameter[1]] = re.sub(r'\\(["\\\]])', r"\1", parameter[2])
            place = parameter.end()
        if text[place : place + 1] != "]":
            raise ValueError(text[place:])
        elements[element[1]] = values
        place += 1
    if not elements:
        raise ValueError(text[place:])
    return elements, place


def parse_cef(text):
    """The seven fields of the header, and the extension; ValueError for what is none."""
    if not text.startswith("CEF:0|") or len(text.splitlines()) != 1:
        raise ValueError(text)
    *header, extension = re.split(r"(?<!\\)(?:\\\\)*\|", text, maxsplit=7)
    pairs = re.split(r"(?:^| )([A-Za-z0-9]+)=", extension)
    if pairs[0]:
        raise ValueError(extension)
    values = pairs[2::2]
    if any(re.search(r"(?<!\\)(?:\\\\)*=", value) for value in values):
        raise ValueError(extension)
    plain = [
        value.replace("\\\\", "\0").replace("\\=", "=").replace("\\n", "\n").replace("\\r", "\r").replace("\0", "\\")
        for value in values
    ]
    return header, dict(zip(pairs[1::2], plain, strict=True))
