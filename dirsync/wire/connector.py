"""Where connections come from: which server, how it is encrypted, and who is let in."""

import logging
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from threading import Event
from typing import Final
from urllib.parse import urlsplit

from dirsync.errors import DirectoryAway, DirectoryRefused, DirectoryUnavailable
from dirsync.settings import DirectoryKind, DirectorySettings, SignIn
from dirsync.wire.complaints import Interrupted, Unreached, Untrusted
from dirsync.wire.connection import Connection
from dirsync.wire.discovery import Discovery, domain_of
from dirsync.wire.handle import handle
from dirsync.wire.knock import knock
from dirsync.wire.lookups import Lookups, Question, is_address
from dirsync.wire.reach import obstacle
from dirsync.wire.servers import Servers
from dirsync.wire.sign_in import sign_in
from dirsync.wire.surroundings import Surroundings
from schema.errors import Fault

_log = logging.getLogger("dirfactor.sync")
_LOCAL: Final = "ldapi"
_RESOLVERS: Final = "check the name in url of [directory], and the resolvers of this machine"
# How long a server that has failed is given to open: its second SYN goes out after one second (RFC 6298 section 2).
_KNOCK_SECONDS: Final = 2.0


class Connector:
    """Opens connections to the first server that answers, and stays with it until it fails.

    Any number of threads may use it; each connection belongs to one of them.

    Args:
        settings: of the directory.
        surroundings: time, for the pauses of servers that have failed, and chance, to spread load over those that
            DNS names.

    Raises:
        Fault: passwords would travel in clear text, or something that is needed is missing.
    """

    def __init__(self, settings: DirectorySettings, surroundings: Surroundings) -> None:
        for url in settings.url:
            _check_url(url, settings)
        self._discovery = None if settings.url else _discovery(settings, surroundings)
        for key in ("ca_file", "client_certificate", "client_key"):
            file = getattr(settings, key)
            if file and not file.is_file():
                raise Fault(f"the file {file} is not there", remedy=f"set {key} in [directory]")
        self._settings = settings
        self._surroundings = surroundings
        self._servers = Servers()
        self._lookups = Lookups(surroundings.monotonic)
        self._interrupted = Event()

    @contextmanager
    def interrupting(self) -> Iterator[None]:
        """While this lasts, whatever is done over a connection ends within a moment with DirectoryUnavailable.

        Only the start of a connection may take its `timeout_seconds`, for it is libldap's business.
        """
        self._interrupted.set()
        try:
            yield
        finally:
            self._interrupted.clear()

    def open(self) -> Connection:
        """A connection over which a server has answered, and nobody has bound yet.

        Raises:
            DirectoryAway: no server answers that can be trusted; why is not looked into.
            DirectoryUnavailable: none can encrypt, or this was interrupted.
        """
        faults: dict[str, Fault] = {}
        connection = self._first(faults)
        if connection is None:
            raise _nobody(faults)
        return connection

    def sign_in(self) -> Connection:
        """A connection with the rights of the service account.

        Raises:
            DirectoryAway: no server answers, with what stands in the way of each.
            DirectoryUnavailable: none can be trusted, or one that answered does so no more, or this was interrupted.
            DirectoryRefused: the account is refused. No other server is tried: that would lock it sooner.
        """
        faults: dict[str, Fault] = {}
        connection = self._first(faults)
        if connection is None:
            raise _nobody({server: self._explained(server, fault) for server, fault in faults.items()})
        try:
            sign_in(connection, self._settings)
        except DirectoryUnavailable:
            self.leave(connection)
            raise
        except DirectoryRefused:
            connection.close()
            raise
        return connection

    def leave(self, connection: Connection) -> None:
        """Close a connection that has failed; the next one goes to another server, if there is one that answers."""
        connection.close()
        self._failed(connection.server)

    def _first(self, faults: dict[str, Fault]) -> Connection | None:
        """A connection to the first server that answers; what was wrong with those before it goes into `faults`."""
        known = self._discovery.servers() if self._discovery else self._settings.url
        before = self._servers.present
        order = self._servers.order(known, self._surroundings.monotonic())
        for server in chain(order.ready, self._opening(order.paused, faults)):
            if self._interrupted.is_set():
                raise Interrupted
            try:
                connection = self._greeted(server)
            except Interrupted:
                raise
            except (DirectoryUnavailable, DirectoryRefused) as fault:
                faults[server] = fault
                self._failed(server)
            else:
                if server != before:
                    _log.info("connected to %s%s", server, "".join(f"; {fault.problem}" for fault in faults.values()))
                self._servers = self._servers.answered(server)
                return connection
        return None

    def _opening(self, paused: Sequence[str], faults: dict[str, Fault]) -> Iterator[str]:
        """Of those that have failed lately the ones where somebody opens; why not at the others goes into `faults`.

        All are tried, since any may be back, and at once, since each of them may hang.
        """
        patience = min(_KNOCK_SECONDS, self._settings.timeout_seconds)
        closed = knock(paused, patience, self._lookups, self._interrupted) if paused else {}
        if self._interrupted.is_set():
            raise Interrupted
        for server in paused:
            if server not in closed:
                yield server
        for server, why in closed.items():
            faults[server] = DirectoryUnavailable(f"{server}: {why}", remedy="check that it runs and can be reached")
            self._failed(server)

    def _failed(self, server: str) -> None:
        self._servers = self._servers.failed(server, self._surroundings.monotonic())
        if self._discovery:
            self._discovery.doubt()

    def _explained(self, server: str, fault: Fault) -> Fault:
        """python-ldap says of everything that it cannot contact the server; so what is it?"""
        return (obstacle(server, self._settings) if isinstance(fault, Unreached) else None) or fault

    def _look_up(self, server: str) -> None:
        """See that the name is known: libldap looks it up itself, and would wait for a resolver without any limit."""
        parts, seconds = urlsplit(server), self._settings.timeout_seconds
        host = parts.hostname or ""
        if parts.scheme == _LOCAL or is_address(host):
            return
        try:
            self._lookups.wait(Question(host, None, type=socket.SOCK_STREAM), seconds, self._interrupted)
        except TimeoutError:
            if self._interrupted.is_set():
                raise Interrupted from None
            raise DirectoryUnavailable(
                f"{server}: nobody says within {seconds:g} s what the address of {host} is", remedy=_RESOLVERS
            ) from None
        except (OSError, UnicodeError) as error:
            raise DirectoryUnavailable(
                f"{server}: the name {host} is not known to DNS ({getattr(error, 'strerror', None) or error})",
                remedy=_RESOLVERS,
            ) from error

    def _greeted(self, server: str) -> Connection:
        self._look_up(server)
        connection = Connection(handle(server, self._settings), server, self._settings, self._interrupted)
        try:
            connection.greet()
        except Fault:
            connection.close()
            raise
        return connection


def _nobody(faults: dict[str, Fault]) -> DirectoryUnavailable:
    """An outage, unless each server is there and it is its certificate or its encryption that keeps us out."""
    told = [faults[server] for server in sorted(faults)]  # in whichever order they were asked
    is_away = not all(isinstance(fault, DirectoryRefused | Untrusted) for fault in told)
    return (DirectoryAway if is_away else DirectoryUnavailable)(
        "; ".join(fault.problem for fault in told), remedy="; ".join(dict.fromkeys(fault.remedy for fault in told))
    )


def _discovery(settings: DirectorySettings, surroundings: Surroundings) -> Discovery:
    if settings.kind is not DirectoryKind.AD or not domain_of(settings):
        raise Fault("no server of the directory is named", remedy="set url in [directory]")
    return Discovery(settings, surroundings)


def _check_url(url: str, settings: DirectorySettings) -> None:
    parts = urlsplit(url)
    if parts.scheme == _LOCAL and settings.sign_in is SignIn.EXTERNAL:
        return
    if parts.scheme not in {"ldaps", "ldap"} or not parts.hostname:
        raise Fault(f"{url!r} is no server of a directory", remedy="write ldaps://HOST in [directory]")
    if parts.scheme == "ldap" and not settings.start_tls and settings.sign_in is not SignIn.GSSAPI:
        raise Fault(
            f"passwords would go to {url} in clear text",
            remedy="write ldaps:// instead of ldap://, or set start_tls = yes, in [directory]",
        )
