"""The one normaliser of login names: what a client may write, and which names of the directory it stands for."""

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


def names_meant(
    text: str, attribute: UserIdAttribute = UserIdAttribute.ANY, netbios_name: str | None = None
) -> tuple[tuple[str, str], ...]:
    r"""The (kind, folded name) pairs that a typed login name may stand for; none for one that nobody can have.

    `alice` is a sAMAccountName or login name; `LAB\alice` is a sAMAccountName, if LAB is the domain's short name;
    `alice@example.org` is a user principal name, mail address or login name. Case, surrounding space and the ways in
    which Unicode writes the same letters do not count.

    Args:
        text: as typed.
        attribute: what the access node allows the name to be.
        netbios_name: the domain's short name; None makes `DOMAIN\user` nobody.
    """
    if not text.strip() or len(text) > _LONGEST or any(ord(character) < 32 for character in text):  # noqa: PLR2004 - C0
        return ()
    name = fold(text)  # first, because a full-width backslash or @ is one
    domain, backslash, account = name.partition("\\")
    if backslash:
        if netbios_name is None or fold(domain) != fold(netbios_name) or not account.strip():
            return ()
        return tuple((kind, fold(account)) for kind in _KINDS[attribute] if kind == "sam")
    kinds = ("upn", "mail", "loginName") if "@" in name else ("sam", "loginName")
    return tuple((kind, name) for kind in _KINDS[attribute] if kind in kinds)
