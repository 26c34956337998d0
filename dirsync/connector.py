"""Where connections come from: which server, how it is encrypted, and who is let in."""

from typing import Any, Final
from urllib.parse import urlsplit

import ldap

from dirsync.connection import Connection
from dirsync.errors import DirectoryRefused, DirectoryUnavailable
from dirsync.settings import DirectorySettings
from schema.errors import Fault

# Firewalls forget idle connections after some minutes, and tell nobody.
_KEEPALIVE: Final = {
    ldap.OPT_X_KEEPALIVE_IDLE: 60,
    ldap.OPT_X_KEEPALIVE_PROBES: 3,
    ldap.OPT_X_KEEPALIVE_INTERVAL: 10,
}
# libldap before 2.5.14 and 2.6.4 heeds the timeout of a TLS handshake in this mode only, and otherwise spins for ever
# on a server that accepts and then says nothing; later ones heed it always, and mean something else by it (ITS#8047).
_SPINNING: Final = (range(20514), range(20600, 20604))
_LIBLDAP: Final[int] = ldap.get_option(ldap.OPT_API_INFO)["vendor_version"]
_CONNECT_ASYNC: Final = int(any(_LIBLDAP in versions for versions in _SPINNING))


class Connector:
    """Opens connections to the first server that answers, and stays with it until it fails.

    Args:
        settings: of the directory.

    Raises:
        Fault: passwords would travel in clear text, or something that is needed is missing.
    """

    def __init__(self, settings: DirectorySettings) -> None:
        for url in settings.url:
            _check_url(url, settings)
        if not settings.url:
            raise Fault("no server of the directory is named", remedy="set url in [directory]")
        if settings.ca_file and not settings.ca_file.is_file():
            raise Fault(f"the file {settings.ca_file} is not there", remedy="set ca_file in [directory]")
        self._settings = settings
        self._servers = settings.url

    def open(self) -> Connection:
        """A connection over which a server has answered, and nobody has bound yet.

        Raises:
            DirectoryUnavailable: no server answers.
        """
        faults: list[Fault] = []
        for server in self._servers:
            try:
                connection = self._greeted(server)
            except (DirectoryUnavailable, DirectoryRefused) as fault:
                faults.append(fault)
            else:
                self._servers = (server, *(other for other in self._servers if other != server))
                return connection
        raise DirectoryUnavailable("; ".join(fault.problem for fault in faults), remedy=faults[0].remedy)

    def sign_in(self) -> Connection:
        """A connection with the rights of the service account.

        Raises:
            DirectoryUnavailable: no server answers.
            DirectoryRefused: the account is refused. No other server is tried: that would lock it sooner.
        """
        name = self._settings.bind_dn
        connection = self.open()
        try:
            connection.bind(name, self._settings.bind_password.text if self._settings.bind_password else "")
        except DirectoryUnavailable:
            self.leave(connection)
            raise
        except DirectoryRefused as refusal:
            connection.close()
            raise DirectoryRefused(
                f"{connection.server} does not let the account {name!r} in: {refusal.problem}",
                remedy="set bind_dn and bind_password in [directory] to an account that may log on",
            ) from refusal
        return connection

    def leave(self, connection: Connection) -> None:
        """Close a connection that has failed; the next one goes to another server, if there is one that answers."""
        connection.close()
        self._servers = (*(other for other in self._servers if other != connection.server), connection.server)

    def _greeted(self, server: str) -> Connection:
        connection = Connection(_handle(server, self._settings), server, self._settings)
        try:
            connection.greet()
        except Fault:
            connection.close()
            raise
        return connection


def _check_url(url: str, settings: DirectorySettings) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"ldaps", "ldap"} or not parts.hostname:
        raise Fault(f"{url!r} is no server of a directory", remedy="write ldaps://HOST in [directory]")
    if parts.scheme == "ldap" and not settings.start_tls:
        raise Fault(
            f"passwords would go to {url} in clear text",
            remedy="write ldaps:// instead of ldap://, or set start_tls = yes, in [directory]",
        )


def _handle(url: str, settings: DirectorySettings) -> Any:
    """What python-ldap knows a connection by; nothing is sent yet.

    Raises:
        DirectoryUnavailable: the certificate authorities cannot be read.
    """
    handle = ldap.initialize(url)
    options = {
        ldap.OPT_REFERRALS: 0,
        ldap.OPT_NETWORK_TIMEOUT: settings.timeout_seconds,
        ldap.OPT_TIMEOUT: settings.timeout_seconds,
        ldap.OPT_CONNECT_ASYNC: _CONNECT_ASYNC,
        **_KEEPALIVE,
        ldap.OPT_X_TLS_REQUIRE_CERT: ldap.OPT_X_TLS_DEMAND,
        ldap.OPT_X_TLS_PROTOCOL_MIN: ldap.OPT_X_TLS_PROTOCOL_TLS1_2,
    }
    if settings.ca_file:
        options[ldap.OPT_X_TLS_CACERTFILE] = str(settings.ca_file)
        options[ldap.OPT_X_TLS_CACERTDIR] = ""  # nobody else may vouch, whatever ldap.conf says
    for option, value in options.items():
        handle.set_option(option, value)
    # the options above take effect with a new context, so this one is the last
    try:
        handle.set_option(ldap.OPT_X_TLS_NEWCTX, 0)
    except (ldap.LDAPError, ValueError) as error:
        raise DirectoryUnavailable(
            f"{settings.ca_file or 'the system'} gives no certificate authorities",
            remedy="let ca_file in [directory] name a PEM file of certificates that the service may read",
        ) from error
    return handle
