"""Whether a server tells what has changed, tried out: the way that the sync would go, in one small step."""

from typing import Final

from dirsync.ad.controls import OBJECT_SECURITY, dirsync
from dirsync.ad.watch import Watch
from dirsync.errors import DirectoryRefused
from dirsync.settings import ChangeFeed, DirectorySettings
from dirsync.syncrepl.controls import SYNC_STATE, sync_request
from dirsync.syncrepl.dialogue import NO_SYNC
from dirsync.wire.connection import Connection
from dirsync.wire.connector import Connector
from dirsync.wire.search import Scope, Search
from dirsync.wire.stream import Ended, Found
from schema.dn import fold

# A watch connects in its first step, and is told in its second whether the server notifies.
_STEPS: Final = 2
_STEP_SECONDS: Final = 0.5


def active_directory_tells(
    connection: Connection, connector: Connector, context: str, settings: DirectorySettings
) -> str:
    """How the changes of a domain come, for people: `DirSync, woken by change notification`.

    Args:
        connection: with the rights of the service account.
        connector: opens another one, for the watch.
        context: DN of the domain.
        settings: of the directory.

    Raises:
        DirectoryRefused: DirSync is refused, though it is set, or is what would be tried first.
        DirectoryUnavailable: the server does not answer.
    """
    by_usn = settings.changes is ChangeFeed.USN or (
        settings.changes is ChangeFeed.AUTO and fold(settings.base) != fold(context)
    )
    if not by_usn:
        _try_dirsync(connection, context, settings)
    watch = Watch(connector.sign_in)
    try:
        watch.prepare(context, 0.0)
        for _ in range(_STEPS):
            watch.wait(_STEP_SECONDS)
        return f"{'polling by uSNChanged' if by_usn else 'DirSync'}, {watch.method}"
    finally:
        watch.close()


def syncrepl_tells(connection: Connection, settings: DirectorySettings) -> str:
    """That the server answers a Sync request (RFC 4533) for the base, for people.

    Raises:
        DirectoryRefused: it does not.
        DirectoryUnavailable: it does not answer at all.
    """
    try:
        stream = connection.stream(Search(settings.base, ("1.1",), controls=(sync_request(None),)))
        message = stream.next(settings.timeout_seconds)
        while message is not None and not isinstance(message, Ended | Found):
            message = stream.next(settings.timeout_seconds)
        stream.abandon()
    except DirectoryRefused as fault:
        raise DirectoryRefused(f"the server does not tell what changes: {fault.problem}", remedy=NO_SYNC) from fault
    if not isinstance(message, Found) or SYNC_STATE not in message.controls:
        raise DirectoryRefused("the server does not answer a Sync request (RFC 4533) as such", remedy=NO_SYNC)
    return "the server tells changes as they happen (RFC 4533)"


def _try_dirsync(connection: Connection, context: str, settings: DirectorySettings) -> None:
    one = Search(context, ("objectGUID",), Scope.SUBTREE, "(objectClass=domainDNS)", (dirsync(OBJECT_SECURITY, b""),))
    try:
        list(connection.search(one).entries)
    except DirectoryRefused as fault:
        instead = "; uSNChanged is polled instead" if settings.changes is ChangeFeed.AUTO else ""
        raise DirectoryRefused(
            f"DirSync is refused: {fault.problem}{instead}",
            remedy="let url name writable domain controllers; or set changes = usn, which needs no DirSync",
        ) from fault
