"""The one normaliser of login names: what a client may write, and which names of the directory it stands for."""

from collections.abc import Mapping
from dataclasses import dataclass

from schema.parse import fold
from schema.words import UserIdAttribute

_KINDS = {
    UserIdAttribute.ANY: ("sam", "upn", "mail", "loginName"),
    UserIdAttribute.SAM: ("sam",),
    UserIdAttribute.UPN: ("upn",),
    UserIdAttribute.MAIL: ("mail",),
    UserIdAttribute.LOGIN_NAME: ("loginName",),
}
_LONGEST = 253  # a RADIUS User-Name holds no more, RFC 2865 section 5.1


@dataclass(frozen=True, slots=True)
class Meant:
    """Whom a login name may stand for.

    Attributes:
        names: (kind, folded name) pairs; none for a name that nobody can have.
        directory: the one directory that the name speaks of; None when it may be any.
    """

    names: tuple[tuple[str, str], ...]
    directory: str | None = None


def names_meant(text: str, attribute: UserIdAttribute, domains: Mapping[str, str]) -> Meant:
    r"""What a typed login name may stand for.

    `alice` is a sAMAccountName or login name; `LAB\alice` is a sAMAccountName, if LAB is a domain's short name;
    `alice@example.org` is a user principal name, mail address or login name. Case, surrounding space and the ways in
    which Unicode writes the same letters do not count.

    Args:
        text: as typed.
        attribute: what the access node allows the name to be.
        domains: folded short name of each domain -> name of its directory; any other makes `DOMAIN\user` nobody.
    """
    if not text.strip() or len(text) > _LONGEST or any(ord(character) < 32 for character in text):  # noqa: PLR2004 - C0
        return Meant(())
    name = fold(text)  # first, because a full-width backslash or @ is one
    domain, backslash, account = name.partition("\\")
    if backslash:
        directory = domains.get(fold(domain))
        if directory is None or not account.strip():
            return Meant(())
        return Meant(tuple((kind, fold(account)) for kind in _KINDS[attribute] if kind == "sam"), directory)
    kinds = ("upn", "mail", "loginName") if "@" in name else ("sam", "loginName")
    return Meant(tuple((kind, name) for kind in _KINDS[attribute] if kind in kinds))
