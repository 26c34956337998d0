"""Which of our languages somebody gets, by the preferredLanguage of their entry."""

from collections.abc import Iterator
from enum import StrEnum

_MOST_RANGES = 20


class Language(StrEnum):
    """A language that we have words in, by its tag (RFC 5646)."""

    ENGLISH = "en"
    GERMAN = "de"


def preferred(wanted: str | None, otherwise: Language) -> Language:
    """The language that somebody prefers among ours.

    Args:
        wanted: a preferredLanguage, which has the syntax of Accept-Language, such as `de-AT, en;q=0.5` (RFC 2798
            section 2.7, RFC 9110 section 12.5.4); what cannot be read in it does not count.
        otherwise: for whoever prefers none of ours, or says nothing.
    """
    ranges = sorted(_ranges(wanted or ""), key=lambda ranged: -ranged[1])
    return next((found for tag, _ in ranges if (found := _lookup(tag, otherwise))), otherwise)


def _ranges(wanted: str) -> Iterator[tuple[str, float]]:
    """Each range and its weight; a weight of 0 means never."""
    for item in wanted.split(",")[:_MOST_RANGES]:
        tag, _, parameter = item.partition(";")
        name, _, number = parameter.partition("=")
        try:
            weight = float(number) if name.strip().lower() == "q" else 1.0
        except ValueError:
            continue
        if tag.strip() and 0 < weight <= 1:
            yield tag.strip().lower().replace("_", "-"), weight


def _lookup(tag: str, otherwise: Language) -> Language | None:
    """The language of a range: subtags are taken off at its end until it is one of ours (RFC 4647 section 3.4)."""
    primary = tag.partition("-")[0]
    if primary == "*":
        return otherwise
    return Language(primary) if primary in _OURS else None


_OURS = frozenset(Language)
