"""Opens an administrator's connection to a directory, by ldap3: over verified TLS, or over a local socket."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import ldap3
from ldap3.core.exceptions import LDAPExceptionError, LDAPOperationResult

from dirsync.admin.operations import AdminConnection, refused
from dirsync.errors import DirectoryRefused, DirectoryUnavailable
from schema.secret import Secret

_INVALID_CREDENTIALS = 49
# Where libldap looks for a server when ldapi:/// names none, as Debian builds it.
_LOCAL_SOCKET = "ldapi://%2Fvar%2Frun%2Fslapd%2Fldapi"


@dataclass(frozen=True, slots=True, eq=False)
class AdminAccess:
    """Where and as whom an administrator works.

    Attributes:
        urls: servers in the order of preference; the first that answers is used. ldaps://, ldap:// with start_tls, or
            ldapi://, where the server knows its caller by the process's user (SASL EXTERNAL) and needs no password.
        bind_name: a DN, or what else the server takes as name of a simple bind, such as a user principal name.
        password: its password.
        ca_file: PEM file of the certificate authorities that may vouch for the servers; the system's when absent.
        start_tls: upgrade ldap:// to TLS before anything else.
        timeout_seconds: how long one operation may take.
    """

    urls: tuple[str, ...]
    bind_name: str = ""
    password: Secret | None = None
    ca_file: Path | None = None
    start_tls: bool = False
    timeout_seconds: int = 30


@contextmanager
def connect(access: AdminAccess) -> Iterator[AdminConnection]:
    """Connect to the first server that answers, bind, and unbind in the end.

    A server that is down makes way for the next; one that cannot be trusted, or refuses the password, does not.

    Raises:
        DirectoryRefused: a URL is not fit for a password, or the name or password is wrong.
        DirectoryUnavailable: no server answers, or TLS could not be verified.
    """
    _check(access)
    tls = _VerifiedTls(_trust(access.ca_file))
    problems: list[str] = []
    for url in access.urls:
        connection = _connection(url, access, tls)
        try:
            try:
                _open(connection)
            except LDAPExceptionError as error:
                if tls.refused is not None:
                    raise _distrust(url, tls.refused) from error
                problems.append(f"{url}: {error}")
                continue
            _bind(connection, url, access.bind_name)
            yield AdminConnection(connection, access.bind_name or "this process's user")
        finally:
            _close(connection)
        return
    raise DirectoryUnavailable(
        "no server answers: " + "; ".join(problems), remedy="check the URL, that the server runs and the firewall"
    )


class _VerifiedTls(ldap3.Tls):
    """ldap3's own class verifies nothing unless told so, and host names by code of its own; this is Python's."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._context = context
        self.refused: ssl.SSLError | None = None

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - ldap3's signature
        try:
            connection.socket = self._context.wrap_socket(connection.socket, server_hostname=connection.server.host)
        except ssl.SSLError as error:
            # kept, because ldap3 raises a class of its own that no longer says what was wrong
            self.refused = error
            raise


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    try:
        # demands a certificate that it can verify and that carries the host's name
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # ssl.SSLError among them
        raise DirectoryRefused(
            f"{ca_file} has no certificates that can be read: {error}", remedy="give a PEM file of the issuing CA"
        ) from error


def _check(access: AdminAccess) -> None:
    if not access.urls:
        raise DirectoryRefused("no server is named", remedy="give its URL, such as ldaps://dc1.example.com")
    for url in access.urls:
        parts = urlsplit(url)
        if parts.scheme == "ldapi":
            if access.bind_name:
                raise DirectoryRefused(
                    f"{url} lets in this process's user, and takes no name such as {access.bind_name}",
                    remedy="leave the name out, or use ldaps://",
                )
            continue
        if not parts.hostname or parts.scheme not in {"ldaps", "ldap"}:
            raise DirectoryRefused(f"{url} is no LDAP URL", remedy="write it like ldaps://dc1.example.com")
        if parts.scheme == "ldap" and not access.start_tls:
            raise DirectoryRefused(
                f"{url} would carry the password in clear text", remedy="use ldaps://, or start_tls with ldap://"
            )
        if not access.password or not access.bind_name:
            # RFC 4513 section 5.1: without either it would be an anonymous bind, which succeeds
            raise DirectoryRefused(f"a name and a password are needed for {url}", remedy="give the administrator's")


def _connection(url: str, access: AdminAccess, tls: _VerifiedTls) -> Any:
    place = _LOCAL_SOCKET if url in {"ldapi://", "ldapi:///"} else url
    server = ldap3.Server(place, tls=tls, get_info=ldap3.NONE, connect_timeout=access.timeout_seconds)
    identity: dict[str, Any] = {
        "user": access.bind_name,
        "password": access.password.text if access.password else "",
        "authentication": ldap3.SIMPLE,
    }
    if server.ipc:
        identity = {"authentication": ldap3.SASL, "sasl_mechanism": ldap3.EXTERNAL, "sasl_credentials": ""}
    return ldap3.Connection(
        server,
        **identity,
        auto_referrals=False,
        check_names=False,
        raise_exceptions=True,
        receive_timeout=access.timeout_seconds,
    )


def _open(connection: Any) -> None:
    connection.open(read_server_info=False)
    if not connection.server.ssl and not connection.server.ipc:
        connection.start_tls(read_server_info=False)


def _bind(connection: Any, url: str, who: str) -> None:
    try:
        connection.bind(read_server_info=False)
    except LDAPOperationResult as refusal:
        if refusal.result == _INVALID_CREDENTIALS:
            raise DirectoryRefused(
                f"{url} does not accept the name {who} with this password",
                remedy="check both, and whether the account is locked",
            ) from refusal
        raise refused(f"binding to {url}", refusal) from refusal
    except LDAPExceptionError as error:
        raise DirectoryUnavailable(f"{url}: {error}", remedy="try again when the server answers") from error


def _close(connection: Any) -> None:
    # an unbind is a courtesy (RFC 4511 section 4.3); ldap3 forgets a socket that could not be made secure
    opened = connection.socket
    with suppress(LDAPExceptionError):
        connection.unbind()
    if opened is not None:
        opened.close()


def _distrust(url: str, error: ssl.SSLError) -> DirectoryUnavailable:
    if isinstance(error, ssl.SSLCertVerificationError):
        return DirectoryUnavailable(
            f"{url}: its certificate is not trusted: {error.verify_message}",
            remedy="give the CA that issued it, and the server's name as it stands in the certificate",
        )
    return DirectoryUnavailable(f"{url}: no TLS: {error.reason}", remedy="check that the port speaks TLS 1.2 or newer")
