"""What assigning and removing a token changes in a user's entry. Pure."""

from collections.abc import Iterable, Mapping

from dirsync.admin.edit import Replacement, Values, replaced
from dirsync.admin.found import Found
from schema.words import TokenKind

TOKEN = "dirfactorToken"  # noqa: S105 - the name of an attribute
CREDENTIAL = "dirfactorVipCredential"
PHONE = "dirfactorPhone"
MAIL = "dirfactorMail"
SEED = "dirfactorSecret"


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


def enrolling(found: Found, seeds: Mapping[str, TokenKind]) -> tuple[Values, ...]:
    """Sealed seeds, each with its kind, beside those that are there; what is there need not be readable."""
    added = Values(SEED, (), tuple(seed.encode() for seed in seeds))
    return (*_added(found, TOKEN, seeds.values()), added) if seeds else ()


def removing_software(
    found: Found, kind: TokenKind, seeds: Iterable[str], *, last: bool
) -> tuple[Values | Replacement, ...]:
    """Seeds go, and the token when it was the last one of its kind.

    Args:
        found: the user's entry.
        kind: the token.
        seeds: the values of dirfactorSecret that go. Without any, and with no other kind that has seeds, all of them
            do, so that an account that may not read them can take them away as well.
        last: whether the user has no other token of the kind.
    """
    gone = tuple(seed.encode() for seed in seeds)
    token = _removed(found, TOKEN, [kind]) if last else ()
    if gone:
        return (*token, Values(SEED, gone))
    others = {_folded(value) for value in _values(found, TOKEN)} & ({"totp", "hotp"} - {kind})
    return token if others or not token else (*token, Replacement(SEED))


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
