"""Where connections come from: which server, how it is encrypted, and who is let in."""

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import Final
from urllib.parse import urlsplit

from dirsync.errors import DirectoryRefused, DirectoryUnavailable
from dirsync.settings import DirectoryKind, DirectorySettings, SignIn
from dirsync.wire.complaints import Interrupted, Unreached
from dirsync.wire.connection import Connection
from dirsync.wire.discovery import Discovery, domain_of
from dirsync.wire.handle import handle
from dirsync.wire.lookups import Lookups, Question, is_address
from dirsync.wire.reach import obstacle
from dirsync.wire.servers import Servers
from dirsync.wire.sign_in import sign_in
from dirsync.wire.surroundings import Surroundings
from schema.errors import Fault

_log = logging.getLogger("dirfactor.sync")
_LOCAL: Final = "ldapi"
_RESOLVERS: Final = "check the name in url of [directory], and the resolvers of this machine"


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
            DirectoryUnavailable: no server answers.
        """
        faults: dict[str, Fault] = {}
        connection = self._first(faults)
        if connection is None:
            raise _nobody(faults)
        return connection

    def sign_in(self) -> Connection:
        """A connection with the rights of the service account.

        Raises:
            DirectoryUnavailable: no server answers, with what stands in the way of each.
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
        for server in self._servers.order(known, self._surroundings.monotonic()):
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
    remedies = dict.fromkeys(fault.remedy for fault in faults.values())
    return DirectoryUnavailable("; ".join(fault.problem for fault in faults.values()), remedy="; ".join(remedies))


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
