"""An administrator's connection to a directory, by ldap3: always over TLS that is verified, every refusal a Fault."""

import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import ldap3
from ldap3.core.exceptions import LDAPExceptionError, LDAPOperationResult

from dirsync.errors import DirectoryRefused, DirectoryUnavailable
from dirsync.found import Found
from schema.secret import Secret

_PAGE = 500  # AD's MaxPageSize is 1000
_INVALID_CREDENTIALS = 49
_NO_SUCH_OBJECT = 32


@dataclass(frozen=True, slots=True)
class AdminAccess:
    """Where and as whom an administrator works.

    Attributes:
        urls: servers in the order of preference, ldaps:// or ldap:// with start_tls; the first that answers is used.
        bind_name: a DN, or what else the server takes as name of a simple bind, such as a user principal name.
        password: its password.
        ca_file: PEM file of the certificate authorities that may vouch for the servers; the system's when absent.
        start_tls: upgrade ldap:// to TLS before anything else.
        timeout_seconds: how long one operation may take.
    """

    urls: tuple[str, ...]
    bind_name: str
    password: Secret
    ca_file: Path | None = None
    start_tls: bool = False
    timeout_seconds: int = 30


class Scope(StrEnum):
    """How deep a search goes (RFC 4511 section 4.5.1.2)."""

    BASE = ldap3.BASE
    LEVEL = ldap3.LEVEL
    SUBTREE = ldap3.SUBTREE


class Operation(StrEnum):
    """What becomes of an attribute's values (RFC 4511 section 4.6)."""

    ADD = ldap3.MODIFY_ADD
    REPLACE = ldap3.MODIFY_REPLACE
    DELETE = ldap3.MODIFY_DELETE


class OperationRefused(DirectoryRefused):
    """The server answered an operation with an error.

    Args:
        problem: what was refused.
        remedy: what to do about it.
        code: the LDAP result code (RFC 4511 appendix A).
        diagnostic: the server's own words.
    """

    def __init__(self, problem: str, *, remedy: str, code: int = 80, diagnostic: str = "") -> None:
        super().__init__(problem, remedy=remedy)
        self.code = code
        self.diagnostic = diagnostic


class AdminConnection:
    """An open, bound connection; made by `connect`. Every method blocks.

    Attributes:
        who: the bind name.
    """

    def __init__(self, connection: ldap3.Connection, who: str) -> None:
        self._connection = connection
        self.who = who

    def search(
        self,
        base: str,
        where: str = "(objectClass=*)",
        *,
        scope: Scope = Scope.BASE,
        attributes: Iterable[str] = ("*",),
    ) -> list[Found]:
        """The entries that match, read page by page; none when there is no entry `base`.

        Args:
            base: where the search begins.
            where: an RFC 4515 filter; values from outside must have been escaped.
            scope: how deep it goes.
            attributes: what to read of each entry.

        Raises:
            OperationRefused: the server refused.
            DirectoryUnavailable: the server did not answer.
        """
        # the rootDSE is no entry that could come in pages
        paged = {"paged_size": _PAGE} if base else {}
        found: list[Found] = []
        while True:
            with _faults(f"reading {base or 'the rootDSE'}"):
                try:
                    self._connection.search(base, where, scope.value, attributes=list(attributes), **paged)
                except LDAPOperationResult as refusal:
                    if refusal.result == _NO_SUCH_OBJECT:
                        return []
                    raise
            response = self._connection.response or []
            found += [_found(item) for item in response if item["type"] == "searchResEntry"]
            cookie = _cookie(self._connection.result)
            if not cookie:
                return found
            paged["paged_cookie"] = cookie

    def add(self, dn: str, attributes: Iterable[tuple[str, Iterable[str | bytes]]]) -> None:
        """Add one entry.

        Raises:
            OperationRefused: the server refused.
            DirectoryUnavailable: the server did not answer.
        """
        with _faults(f"adding {dn}"):
            self._connection.add(dn, attributes={name: _octets(values) for name, values in attributes})

    def modify(self, dn: str, operation: Operation, attribute: str, values: Iterable[str | bytes]) -> None:
        """Change one attribute of an entry.

        Raises:
            OperationRefused: the server refused.
            DirectoryUnavailable: the server did not answer.
        """
        with _faults(f"changing {attribute} of {dn or 'the rootDSE'}"):
            self._connection.modify(dn, {attribute: [(operation.value, _octets(values))]})


@contextmanager
def connect(access: AdminAccess) -> Iterator[AdminConnection]:
    """Connect to the first server that answers, bind, and unbind in the end.

    A server that is down makes way for the next; one that cannot be trusted, or refuses the password, does not.

    Raises:
        DirectoryRefused: a URL is not fit for a password, or the name or password is wrong.
        DirectoryUnavailable: no server answers, or TLS could not be verified.
    """
    if not access.password:
        # RFC 4513 section 5.1.2: it would be an anonymous bind that succeeds
        raise DirectoryRefused("the password is empty", remedy="give the administrator's password")
    _check_urls(access)
    tls = _VerifiedTls(access.ca_file)
    problems: list[str] = []
    for url in access.urls:
        try:
            connection = _opened(url, access, tls)
        except LDAPExceptionError as error:
            if tls.refused is not None:
                raise _distrust(url, tls.refused) from error
            problems.append(f"{url}: {error}")
            continue
        try:
            _bind(connection, url, access.bind_name)
            yield AdminConnection(connection, access.bind_name)
        finally:
            connection.unbind()
        return
    raise DirectoryUnavailable(
        "no server answers: " + "; ".join(problems), remedy="check the URL, that the server runs and the firewall"
    )


class _VerifiedTls(ldap3.Tls):
    """ldap3's own class verifies nothing unless told so, and host names by code of its own; this is Python's."""

    def __init__(self, ca_file: Path | None) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        # CERT_REQUIRED and check_hostname are what it is made with
        self._context = ssl.create_default_context(cafile=ca_file)
        self.refused: ssl.SSLError | None = None

    def wrap_socket(self, connection: ldap3.Connection, do_handshake: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - ldap3's signature
        try:
            connection.socket = self._context.wrap_socket(connection.socket, server_hostname=connection.server.host)
        except ssl.SSLError as error:
            # kept, because ldap3 raises a class of its own that no longer says what was wrong
            self.refused = error
            raise


def _check_urls(access: AdminAccess) -> None:
    if not access.urls:
        raise DirectoryRefused("no server is named", remedy="give its URL, such as ldaps://dc1.example.com")
    for url in access.urls:
        parts = urlsplit(url)
        if not parts.hostname or parts.scheme not in {"ldaps", "ldap"}:
            raise DirectoryRefused(f"{url} is no LDAP URL", remedy="write it like ldaps://dc1.example.com")
        if parts.scheme == "ldap" and not access.start_tls:
            raise DirectoryRefused(
                f"{url} would carry the password in clear text", remedy="use ldaps://, or start_tls with ldap://"
            )


def _opened(url: str, access: AdminAccess, tls: _VerifiedTls) -> ldap3.Connection:
    server = ldap3.Server(url, tls=tls, get_info=ldap3.NONE, connect_timeout=access.timeout_seconds)
    connection = ldap3.Connection(
        server,
        access.bind_name,
        access.password.text,
        authentication=ldap3.SIMPLE,
        auto_referrals=False,
        check_names=False,
        raise_exceptions=True,
        receive_timeout=access.timeout_seconds,
    )
    connection.open(read_server_info=False)
    if not server.ssl:
        connection.start_tls(read_server_info=False)
    return connection


def _bind(connection: ldap3.Connection, url: str, who: str) -> None:
    try:
        connection.bind(read_server_info=False)
    except LDAPOperationResult as refusal:
        if refusal.result == _INVALID_CREDENTIALS:
            raise DirectoryRefused(
                f"{url} does not accept the name {who} with this password",
                remedy="check both, and that it is not locked",
            ) from refusal
        raise _refused(f"binding as {who}", refusal) from refusal
    except LDAPExceptionError as error:
        raise DirectoryUnavailable(f"{url}: {error}", remedy="try again when the server answers") from error


def _distrust(url: str, error: ssl.SSLError) -> DirectoryUnavailable:
    if isinstance(error, ssl.SSLCertVerificationError):
        return DirectoryUnavailable(
            f"{url}: its certificate is not trusted: {error.verify_message}",
            remedy="give the CA that issued it, and the server's name as it stands in the certificate",
        )
    return DirectoryUnavailable(f"{url}: no TLS: {error.reason}", remedy="check that the port speaks TLS 1.2 or newer")


@contextmanager
def _faults(what: str) -> Iterator[None]:
    try:
        yield
    except LDAPOperationResult as refusal:
        raise _refused(what, refusal) from refusal
    except LDAPExceptionError as error:
        raise DirectoryUnavailable(f"{what}: {error}", remedy="try again when the server answers") from error


def _refused(what: str, refusal: Any) -> OperationRefused:
    diagnostic = str(refusal.message or "").rstrip("\0")
    return OperationRefused(
        f"{what} was refused: {refusal.description}" + (f", {diagnostic}" if diagnostic else ""),
        remedy="check what the account may do and what the server says",
        code=refusal.result,
        diagnostic=diagnostic,
    )


def _found(item: Any) -> Found:
    return Found(item["dn"], {name.lower(): tuple(values) for name, values in item["raw_attributes"].items() if values})


def _cookie(result: Any) -> bytes:
    control = result.get("controls", {}).get("1.2.840.113556.1.4.319", {})  # RFC 2696
    cookie: bytes = control.get("value", {}).get("cookie") or b""
    return cookie


def _octets(values: Iterable[str | bytes]) -> list[bytes]:
    return [value.encode() if isinstance(value, str) else value for value in values]
