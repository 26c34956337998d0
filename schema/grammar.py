"""How the text of a value is read: one grammar for each kind of value that the attribute table names."""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec

from schema import reply
from schema.hours import read_logon_hours

_TRUE = {"true", "yes", "on", "1"}
_FALSE = {"false", "no", "off", "0"}
_GENERALIZED_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(?:(\d\d)(?:(\d\d))?)?(?:[.,]\d+)?(Z|[+-]\d{2}(?:\d{2})?)")
_ATTRIBUTE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,59}")
_NUMBER = re.compile(r"-?[0-9]{1,10}")
_PORT = re.compile(r"[0-9]{1,5}")
_LAST_PORT = 65535
_IPV6 = 6
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f]")  # C0 without tab and newline
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Grammar:
    """How one value is read.

    Attributes:
        expected: what is accepted, as a phrase that follows "expected".
        read: text without surrounding space -> typed value; raises ValueError for anything else.
    """

    expected: str
    read: Callable[[str], Any]


class ReplyRule(msgspec.Struct, frozen=True, gc=False):
    """A RADIUS attribute that a policy, group, user or node adds to an accept: `Filter-Id=vpn-staff`."""

    name: str
    value: str


def word(words: type[StrEnum]) -> Grammar:
    """One of an enumeration's words, in any case."""
    by_text = {item.value.lower(): item for item in words}
    return Grammar("one of " + ", ".join(words), lambda text: _look_up(by_text, text))


def words_in_order(words: type[StrEnum]) -> Grammar:
    """Several of an enumeration's words, comma-separated, each at most once, as an ordered tuple."""
    by_text = {item.value.lower(): item for item in words}

    def read(text: str) -> tuple[StrEnum, ...]:
        items = tuple(_look_up(by_text, part.strip()) for part in text.split(","))
        if len(set(items)) != len(items):
            msg = "named twice"
            raise ValueError(msg)
        return items

    return Grammar("a comma-separated list of " + ", ".join(words), read)


def _look_up(by_text: dict[str, StrEnum], text: str) -> StrEnum:
    try:
        return by_text[text.lower()]
    except KeyError as error:
        msg = "not one of the words"
        raise ValueError(msg) from error


def integer(low: int, high: int) -> Grammar:
    """A whole number within [low, high]."""

    def read(text: str) -> int:
        if not _NUMBER.fullmatch(text):
            msg = "not a number"
            raise ValueError(msg)
        number = int(text)
        if not low <= number <= high:
            msg = "out of range"
            raise ValueError(msg)
        return number

    return Grammar(f"a whole number from {low} to {high}", read)


def text(high: int) -> Grammar:
    """Any text of 1 to `high` characters without control characters but newlines and tabs."""

    def read(value: str) -> str:
        if not 1 <= len(value) <= high:
            msg = "too long or empty"
            raise ValueError(msg)
        if _CONTROL.search(value):
            msg = "control character"
            raise ValueError(msg)
        return value

    return Grammar(f"text of 1 to {high} characters", read)


def names(high: int) -> Grammar:
    """Names of things in config.ini, comma-separated, in order, at most `high`."""

    def read(value: str) -> tuple[str, ...]:
        items = tuple(part.strip() for part in value.split(","))
        if len(items) > high or len(set(items)) != len(items) or not all(map(_NAME.fullmatch, items)):
            msg = "not names"
            raise ValueError(msg)
        return items

    return Grammar(f"a comma-separated list of at most {high} names", read)


def _boolean(value: str) -> bool:
    if value.lower() in _TRUE:
        return True
    if value.lower() in _FALSE:
        return False
    msg = "not a truth value"
    raise ValueError(msg)


def read_generalized_time(value: str) -> datetime:
    """An instant in RFC 4517 section 3.3.13's GeneralizedTime, as aware UTC.

    Raises:
        ValueError: the text is not a GeneralizedTime.
    """
    match = _GENERALIZED_TIME.fullmatch(value)
    if match is None:
        msg = "not a GeneralizedTime"
        raise ValueError(msg)
    year, month, day, hour = (int(match[group]) for group in (1, 2, 3, 4))
    instant = datetime(year, month, day, hour, int(match[5] or 0), int(match[6] or 0), tzinfo=UTC)
    zone = match[7]
    if zone == "Z":
        return instant
    offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5] or 0))
    try:
        return instant - offset if zone[0] == "+" else instant + offset
    except OverflowError as error:
        msg = "outside the calendar"
        raise ValueError(msg) from error


def _attribute_name(value: str) -> str:
    if not _ATTRIBUTE_NAME.fullmatch(value):
        msg = "not an attribute name"
        raise ValueError(msg)
    return value


def _reply_rule(value: str) -> ReplyRule:
    name, separator, content = (part.strip() for part in value.partition("="))
    if not (name and separator and content):
        msg = "not name=value"
        raise ValueError(msg)
    reply.encode(name, content)
    return ReplyRule(name, content)


def _network(value: str) -> str:
    return str(ipaddress.ip_network(value, strict=False))


def split_target(value: str) -> tuple[str, int]:
    """Address and port of `192.0.2.9:1812` or `[2001:db8::9]:1812`; raises ValueError for anything else."""
    host, _, port = value.rpartition(":")
    address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    bracketed = host.startswith("[") and host.endswith("]")
    if bracketed != (address.version == _IPV6) or not _PORT.fullmatch(port) or not 1 <= int(port) <= _LAST_PORT:
        msg = "not address:port"
        raise ValueError(msg)
    return str(address), int(port)


def _target(value: str) -> str:
    split_target(value)
    return value


BOOLEAN = Grammar("TRUE or FALSE", _boolean)
TIME = Grammar("a time such as 20261124120000.0Z", read_generalized_time)
ATTRIBUTE_NAME = Grammar("the name of an attribute, such as mobile", _attribute_name)
LOGON_HOURS = Grammar("hours such as Mon-Fri 07:00-19:00; Sat 09:00-12:00; Europe/Vienna", read_logon_hours)
REPLY_RULE = Grammar(reply.EXPECTED, _reply_rule)
NETWORK = Grammar("an address or network such as 192.0.2.7 or 192.0.2.0/24", _network)
TARGET = Grammar("an address and port such as 192.0.2.9:1812 or [2001:db8::9]:1812", _target)
DN = Grammar("the DN of an object", str)
