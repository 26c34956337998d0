"""Finds an account of the domain by whatever an administrator calls it."""

import re
from typing import Final

from dirsync.admin import filters
from dirsync.admin.operations import AdminConnection
from dirsync.errors import DirectoryRefused
from schema.dn import fold
from schema.sid import Sid, parse_sid, read_sid

_QUALIFIED: Final = re.compile(r"[^\\]+\\([^\\]+)")


def find_sid(connection: AdminConnection, domain: str, account: str) -> Sid:
    r"""The SID of a user or group.

    Args:
        connection: to a domain controller.
        domain: DN of its domain.
        account: `S-1-5-21-...`, which may be an account of another domain; or an account of this one: a DN, a
            user principal name, `DOMAIN\name` or the name alone.

    Raises:
        DirectoryRefused: there is none, or more than one.
        DirectoryUnavailable: the server did not answer.
    """
    try:
        if (sid := parse_sid(account)) is not None:
            return sid
        found = _find(connection, domain, account)
        sids = {read_sid(value) for entry in found for value in entry}
    except ValueError as error:
        raise DirectoryRefused(f"{account!r} is no account: {error}", remedy="give its name or SID") from error
    if len(sids) != 1:
        raise DirectoryRefused(
            f"{domain} has {len(sids) or 'no'} accounts {account!r} that can be seen",
            remedy=r"give the name of a user or group as EXAMPLE\name, its DN, or its SID when it is of another domain",
        )
    return sids.pop()


def _find(connection: AdminConnection, domain: str, account: str) -> list[tuple[bytes, ...]]:
    if "=" in account and fold(account):
        found = connection.search(account, attributes=["objectSid"])
    else:
        qualified = _QUALIFIED.fullmatch(account)
        name = qualified[1] if qualified else account
        attribute = "userPrincipalName" if "@" in name else "sAMAccountName"
        found = connection.search(domain, filters.equal(attribute, name), scope="SUBTREE", attributes=["objectSid"])
    return [tuple(entry.attributes.get("objectsid", ())) for entry in found]
