"""What assigning and removing a token changes in a user's entry. Pure."""

from collections.abc import Iterable

from dirsync.admin.edit import Values, replaced
from dirsync.admin.found import Found
from schema.words import TokenKind

TOKEN = "dirfactorToken"  # noqa: S105 - the name of an attribute
CREDENTIAL = "dirfactorVipCredential"
PHONE = "dirfactorPhone"
MAIL = "dirfactorMail"


def assigning(
    found: Found, kind: TokenKind, credentials: Iterable[str] = (), phone: str = "", mail: str = ""
) -> tuple[Values, ...]:
    """The token, and what it is reached by; what the entry has already is left as it is.

    Args:
        found: the user's entry.
        kind: the token.
        credentials: ids of VIP credentials that are added.
        phone: goes into dirfactorPhone, in the place of what is there.
        mail: goes into dirfactorMail, in the place of what is there.
    """
    changes = [*_added(found, TOKEN, [kind]), *_added(found, CREDENTIAL, credentials)]
    changes += replaced(found, PHONE, phone.encode()) if phone else ()
    changes += replaced(found, MAIL, mail.encode()) if mail else ()
    return tuple(changes)


def removing(found: Found, kind: TokenKind, credentials: Iterable[str] = ()) -> tuple[Values, ...]:
    """The token goes; for VIP with all its credentials, or with those named only, and itself when none is left."""
    given = tuple(credentials)
    if kind is not TokenKind.VIP:
        return _removed(found, TOKEN, [kind])
    ids = _values(found, CREDENTIAL)
    gone = _removed(found, CREDENTIAL, given) if given else (Values(CREDENTIAL, ids),) if ids else ()
    left = len(ids) - sum(len(change.removed) for change in gone)
    return gone if given and left else (*_removed(found, TOKEN, [kind]), *gone)


def _added(found: Found, attribute: str, texts: Iterable[str]) -> tuple[Values, ...]:
    have = {_folded(value) for value in _values(found, attribute)}
    new = tuple(text.encode() for text in dict.fromkeys(texts) if _folded(text.encode()) not in have)
    return (Values(attribute, (), new),) if new else ()


def _removed(found: Found, attribute: str, texts: Iterable[str]) -> tuple[Values, ...]:
    wanted = {_folded(text.encode()) for text in texts}
    gone = tuple(value for value in _values(found, attribute) if _folded(value) in wanted)
    return (Values(attribute, gone),) if gone else ()


def _values(found: Found, attribute: str) -> tuple[bytes, ...]:
    return found.attributes.get(attribute.lower(), ())


def _folded(value: bytes) -> str:
    """As the directory compares them: without case and surrounding space."""
    return value.decode(errors="backslashreplace").strip().casefold()
