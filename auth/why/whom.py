"""Whom a question is about: a login name as a client sends it, a DN, or an objectGUID."""

import uuid

from auth.facts_reader import FactsReader
from dirsync.view import Person
from schema.dn import parent
from schema.errors import Fault


class NobodyMeant(Fault):
    """The text names nobody whom the replica knows."""


def people_meant(known: FactsReader, node: str, text: str) -> tuple[Person, ...]:
    """The users meant; for a login name those whom it would find at a logon, which may be none or several.

    Args:
        known: reads the replica.
        node: the access node that the login name is typed at.
        text: login name, DN, or objectGUID (entryUUID) as text or as 32 hexadecimal digits.

    Raises:
        NobodyMeant: a DN or objectGUID of no user.
        Fault: the replica cannot be read.
    """
    directory = known.directory
    if (entry := _entry_id(text)) is not None:
        person = directory.person(entry)
        if person is not None:
            return (person,)
        raise NobodyMeant(
            f"no user has the objectGUID {text}",
            remedy="check it; a user who has just been made comes with the next sync",
        )
    if not _is_dn(text):
        return known.people(node, text)
    found = directory.lookup(text)
    person = directory.person(found) if found else None
    if person is not None:
        return (person,)
    what = f"{text} is not a user" if found else f"no entry has the DN {text}"
    raise NobodyMeant(what, remedy="give the DN of a user, as Get-ADUser prints it, or the login name")


def _entry_id(text: str) -> bytes | None:
    """Of an objectGUID as tools print it, or as the audit has it."""
    bare = text.strip().removeprefix("{").removesuffix("}")
    if len(bare) not in {32, 36}:
        return None
    try:
        return uuid.UUID(bare).bytes
    except ValueError:
        return None


def _is_dn(text: str) -> bool:
    """Whether it is a DN with more than one part: `a=b` may be a login name."""
    try:
        return bool(parent(text))
    except ValueError:
        return False
