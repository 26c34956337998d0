"""The container of a domain's deleted entries: who may own it, and whether an account sees what is in it."""

from typing import Final

from dirsync.ad.controls import SHOW_DELETED
from dirsync.admin.connection import AdminAccess, connect
from dirsync.admin.operations import AdminConnection
from dirsync.errors import DirectoryRefused
from schema.delegation import deleted_objects
from schema.errors import Fault
from schema.sid import Sid, read_sid

_DOMAIN_ADMINS: Final = 512
_ADMINISTRATORS: Final = Sid(5, (32, 544))


def deletions_hidden(access: AdminAccess, base: str) -> Fault | None:
    """Whether deletions stay hidden from the account that asks: None when it may read the deleted entries' container.

    Without that right a sync hears of a deletion only when it compares everything.

    Args:
        access: a domain controller, and the account that the sync uses.
        base: DN of the domain.

    Returns:
        The problem, whose remedy is the command that mends it.

    Raises:
        DirectoryRefused: the name or password is wrong, or the server refused.
        DirectoryUnavailable: the server cannot be reached or trusted.
        Fault: the base is no DN in a domain.
    """
    container = deleted_objects(base)
    with connect(access) as connection:
        found = connection.search(container, attributes=["isDeleted"], controls=[SHOW_DELETED])
        # an entry that may not be read is shown without its attributes, or not at all
        if any(entry.text("isDeleted") for entry in found):
            return None
        return hidden_deletions(connection.who, base, access.urls[0])


def hidden_deletions(who: str, base: str, url: str) -> Fault:
    """The fault of an account that may not list deleted entries; the command that gives it what the sync needs.

    Args:
        who: the account.
        base: DN of the domain, or of an entry in it.
        url: of a domain controller.

    Raises:
        Fault: the base is no DN in a domain.
    """
    return Fault(
        f"{who} may not read {deleted_objects(base)}, so deletions are not heard of before the nightly reconcile",
        remedy=delegate_sync(who, base, url),
    )


def delegate_sync(who: str, base: str, url: str) -> str:
    """The command that gives an account what the sync needs; as for `hidden_deletions`."""
    return (
        f'as a member of Domain Admins: dirfactor delegate apply sync --to "{who}" --base "{base}" --url {url} '
        "--bind ADMINISTRATOR"
    )


def administrators(connection: AdminConnection, domain: str) -> Sid:
    """The group of administrators that the caller is in, to be made an owner: Domain Admins, or Administrators.

    Raises:
        DirectoryRefused: the caller is in neither.
        DirectoryUnavailable: the server did not answer.
    """
    head = connection.search(domain, attributes=["objectSid"])
    root = connection.search("", attributes=["tokenGroups"])
    groups = {read_sid(value) for entry in root for value in entry.attributes.get("tokengroups", ())}
    own = [read_sid(value) for entry in head for value in entry.attributes.get("objectsid", ())]
    wanted = [*(sid.account(_DOMAIN_ADMINS) for sid in own), _ADMINISTRATORS]
    for group in wanted:
        if group in groups:
            return group
    raise DirectoryRefused(f"{connection.who} is no administrator of {domain}", remedy="use a member of Domain Admins")
