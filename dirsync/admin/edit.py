"""A change that an administrator's command makes: shown as LDIF, tried out on what was found, or sent. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from dirsync.admin.found import Found
from schema.active_directory import Add
from schema.ldif_text import line


@dataclass(frozen=True, slots=True)
class Values:
    """Which values of an attribute go and which come.

    The values that go are named, so that the directory refuses the change when somebody else was faster.

    Attributes:
        attribute: the attribute.
        removed: values as the directory has them.
        added: values that it does not have.
    """

    attribute: str
    removed: tuple[bytes, ...] = ()
    added: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Replacement:
    """Puts values in the place of all that the entry has, which need not be known: secrets are written unread.

    Attributes:
        attribute: the attribute.
        values: what it has afterwards; nothing takes it away.
    """

    attribute: str
    values: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Edit:
    """Changes one entry, as one modify operation: all of it or nothing (RFC 4511 section 4.6).

    Attributes:
        dn: its DN.
        changes: attribute by attribute; without any there is nothing to do.
    """

    dn: str
    changes: tuple[Values | Replacement, ...]


def replaced(found: Found, attribute: str, *values: bytes) -> tuple[Values, ...]:
    """Puts these values in the place of all that the entry has; nothing when they are the ones it has."""
    before = found.attributes.get(attribute.lower(), ())
    return () if set(before) == set(values) else (Values(attribute, before, values),)


def applied(found: Found, edit: Edit) -> Found:
    """The entry as it is after the edit."""
    attributes = dict(found.attributes)
    for change in edit.changes:
        name = change.attribute.lower()
        if isinstance(change, Replacement):
            attributes[name] = change.values
            continue
        kept = tuple(value for value in attributes.get(name, ()) if value not in change.removed)
        attributes[name] = kept + change.added
    return Found(found.dn, {name: values for name, values in attributes.items() if values})


def as_ldif(edit: Edit | Add) -> str:
    """The change as an LDIF change record (RFC 2849), with a newline at its end; empty when there is nothing to do."""
    if isinstance(edit, Add):
        lines = [line("dn", edit.dn), "changetype: add"]
        lines += [line(name, value) for name, values in edit.attributes for value in values]
    elif edit.changes:
        lines = [line("dn", edit.dn), "changetype: modify", *_modifications(edit.changes)]
    else:
        return ""
    return "\n".join(lines) + "\n"


def instant(now: datetime) -> bytes:
    """GeneralizedTime as AD wants it (MS-ADTS 3.1.1.2.2.2), rounded up: what happened up to `now` is not after it."""
    whole = now if now.microsecond == 0 else now.replace(microsecond=0) + timedelta(seconds=1)
    return f"{whole:%Y%m%d%H%M%S}.0Z".encode()


def _modifications(changes: Iterable[Values | Replacement]) -> Iterator[str]:
    for change in changes:
        if isinstance(change, Replacement):
            yield f"replace: {change.attribute}"
            yield from (line(change.attribute, _text(value)) for value in change.values)
            yield "-"
            continue
        for verb, values in (("delete", change.removed), ("add", change.added)):
            if values:
                yield f"{verb}: {change.attribute}"
                yield from (line(change.attribute, _text(value)) for value in values)
                yield "-"


def _text(value: bytes) -> str | bytes:
    """Text where it is some, so that a person can read the record."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value
