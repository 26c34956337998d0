"""Finds logins in the audit: whose, and which."""

import uuid
from collections.abc import Iterator
from itertools import takewhile

from auth.audit.files import AuditFiles
from auth.audit.reader import outcomes_backwards
from auth.audit.told.story import Story, stories
from auth.audit.told.wanted import Wanted
from auth.login_name import names_meant
from dirsync.replica import Replica
from schema.errors import Fault
from schema.parse import fold
from schema.words import UserIdAttribute

Whom = tuple[frozenset[str], frozenset[str]]
"""Folded names of a person, and ids as 32 hexadecimal digits."""


def logins(files: AuditFiles, wanted: Wanted) -> Iterator[Story]:
    """The logins that are asked for, the newest first. Raises OSError."""
    found = outcomes_backwards(files, wanted.worthwhile())
    return filter(wanted.takes, stories(takewhile(lambda each: not wanted.is_past(each.at), found)))


def whom(user: str, replica: Replica | None) -> Whom:
    """A person by login name, DN or objectGUID: as typed, and as the replica knows them, if there is one to be read.

    Args:
        user: as typed; empty for everybody.
        replica: the directory.
    """
    if not user:
        return frozenset(), frozenset()
    try:
        return frozenset(), frozenset({uuid.UUID(user.strip()).hex})
    except ValueError:
        pass
    found: set[bytes] = set()
    if replica is not None:
        try:
            meant = names_meant(user, UserIdAttribute.ANY, replica.domains())
            found = set(replica.find(meant.names, meant.directory)) if meant.names else set()
            found |= {entry for entry in (replica.lookup(user),) if entry}
        except Fault:
            found = set()
    return frozenset({fold(user)}), frozenset(entry.hex() for entry in found)


def login_of(files: AuditFiles, event: str) -> str:
    """The login that an outcome with this correlation id belongs to; empty for none asked for. Raises OSError."""
    if not event:
        return ""
    of_event = Wanted(login=event)
    for each in outcomes_backwards(files, of_event.worthwhile()):
        if each.correlation == event:
            return each.login or event
    return event
