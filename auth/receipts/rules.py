"""Where the id and the fate of a text stand in what a provider posts. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qs

import msgspec

from schema.errors import Fault

_LONGEST = 200
_FORMS = "give field:NAME, json:PATH or regex:EXPRESSION"


class Unreadable(Exception):
    """What was posted does not hold what the section says."""


class _Kind(StrEnum):
    FIELD = "field"
    JSON = "json"
    REGEX = "regex"


@dataclass(frozen=True, slots=True)
class Posted:
    """What a provider sent.

    Attributes:
        query: the URL's parameters.
        body: the body; of a form or of JSON, whichever the rules look for.
    """

    query: str
    body: str

    def fields(self) -> Mapping[str, Sequence[str]]:
        """Parameters of the URL and of a form."""
        return parse_qs(self.query, keep_blank_values=True) | parse_qs(self.body, keep_blank_values=True)


class Rule:
    """Finds values in what was posted.

    Args:
        text: as in config.ini.

    Raises:
        Fault: it is no rule.
    """

    def __init__(self, text: str) -> None:
        kind, _, self._where = text.partition(":")
        try:
            self._kind = _Kind(kind.strip())
        except ValueError:
            raise Fault(f"{text!r} is no rule", remedy=_FORMS) from None
        self._where = self._where.strip()
        if not self._where:
            raise Fault(f"{text!r} says not where", remedy=_FORMS)
        self._expression = _expression(self._where) if self._kind is _Kind.REGEX else None

    def find(self, posted: Posted) -> tuple[str, ...]:
        """The values, in order: several where a provider posts several receipts at once.

        Raises:
            Unreadable: there is none, or one that is too long.
        """
        if self._expression is not None:
            found = tuple(match[1] or "" for match in self._expression.finditer(posted.body or posted.query))
        elif self._kind is _Kind.FIELD:
            found = tuple(posted.fields().get(self._where, ()))
        else:
            found = tuple(_at(_read(posted.body), self._where.split(".")))
        if not found or any(len(value) > _LONGEST for value in found):
            raise Unreadable
        return found


def receipts(posted: Posted, message_id: Rule, status: Rule) -> tuple[tuple[str, str], ...]:
    """Id and status of each receipt. Raises Unreadable: a part is missing."""
    ids, statuses = message_id.find(posted), status.find(posted)
    if len(ids) != len(statuses):
        raise Unreadable
    return tuple(zip(ids, statuses, strict=True))


def _expression(text: str) -> re.Pattern[str]:
    try:
        expression = re.compile(text)
    except re.error as error:
        raise Fault(f"it is no regular expression: {error}", remedy="mend it; write \\ before . ( [ { $") from None
    if expression.groups < 1:
        raise Fault("the expression has no group", remedy="put the part to be taken into parentheses")
    return expression


def _read(body: str) -> Any:
    try:
        return msgspec.json.decode(body.encode())
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        raise Unreadable from None


def _at(value: Any, path: Sequence[str]) -> list[str]:
    """The texts and numbers at a path."""
    if not path:
        return [str(value)] if isinstance(value, str | int) and not isinstance(value, bool) else []
    step, *rest = path
    if step == "*":
        return [found for item in value for found in _at(item, rest)] if isinstance(value, list) else []
    if isinstance(value, list):
        return _at(value[int(step)], rest) if step.isdecimal() and int(step) < len(value) else []
    return _at(value[step], rest) if isinstance(value, dict) and step in value else []
