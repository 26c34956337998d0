"""One connection to a directory server. The errors of python-ldap end here and become ours."""

import select
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final
from urllib.parse import urlsplit

import ldap
from ldap.controls import RequestControl

from dirsync.errors import DirectoryRefused, DirectoryUnavailable
from dirsync.search import Page, RawEntry, Scope, Search
from dirsync.settings import DirectorySettings
from schema.errors import Fault

# A domain controller looks through the whole domain before it sends the first entry: 2 s for 20,000 users.
_WALK_SECONDS: Final = 300.0
_SCOPES: Final = {Scope.BASE: ldap.SCOPE_BASE, Scope.SUBTREE: ldap.SCOPE_SUBTREE}
_TRANSIENT: Final = (
    ldap.SERVER_DOWN,
    ldap.CONNECT_ERROR,
    ldap.TIMEOUT,
    ldap.BUSY,
    ldap.UNAVAILABLE,
    ldap.TIMELIMIT_EXCEEDED,
    ldap.ADMINLIMIT_EXCEEDED,
    ldap.LOCAL_ERROR,
)


class CredentialsRefused(DirectoryRefused):
    """The server answered a bind with invalidCredentials (RFC 4511 result code 49).

    Args:
        problem: as for every fault.
        remedy: as for every fault.
        diagnostic: what the server said about it; AD gives the reason in there.
    """

    def __init__(self, problem: str, *, remedy: str, diagnostic: str = "") -> None:
        super().__init__(problem, remedy=remedy)
        self.diagnostic = diagnostic


class Connection:
    """An encrypted connection to one server, whose name is proven. One thread at a time may use it.

    Args:
        handle: python-ldap's object for it.
        server: the server's URL.
        settings: with which it was opened.
    """

    def __init__(self, handle: Any, server: str, settings: DirectorySettings) -> None:
        self.server = server
        self._handle = handle
        self._settings = settings
        self._open = True

    def greet(self) -> None:
        """Connect, encrypt, and hear the server answer.

        Raises:
            DirectoryUnavailable: it does not, or is not who it should be.
            DirectoryRefused: it cannot encrypt.
        """
        with self._translated():
            if urlsplit(self.server).scheme != "ldaps":
                self._handle.start_tls_s()
        with suppress(DirectoryRefused):  # a refusal is an answer, too
            list(self.search(Search("", ("1.1",))).entries)

    def bind(self, name: str, password: str) -> None:
        """Prove a password with a simple bind (RFC 4513 section 5.1.3), once.

        Args:
            name: DN, or what else the server takes; not empty: that would be an anonymous bind, and succeed.
            password: not empty: that would be an unauthenticated bind, and succeed (RFC 4513 section 5.1.2).

        Raises:
            CredentialsRefused: the server says that the password is wrong or the account unusable.
            DirectoryUnavailable: no answer; whether the password has arrived is not known.
            DirectoryRefused: any other refusal.
        """
        if not name.strip() or not password:
            raise DirectoryRefused("a bind without a name or password proves nothing", remedy="give both")
        with self._translated():
            message = self._handle.simple_bind(name, password)
            kind = self._handle.result3(message, timeout=self._settings.timeout_seconds)[0]
        if kind != ldap.RES_BIND:
            raise DirectoryUnavailable(f"{self.server} did not answer a bind with its result", remedy="report this")

    def search(self, search: Search) -> Page:
        """Begin a search; it is sent, and its errors come up, when the entries are taken.

        Raises:
            DirectoryUnavailable: the server does not answer.
            DirectoryRefused: it answers with an error.
        """
        controls: dict[str, bytes] = {}
        return Page(self._entries(search, controls), controls)

    def is_quiet(self) -> bool:
        """Whether nothing has come since the last answer: a server that says something unasked says goodbye."""
        poll = select.poll()
        with suppress(ldap.LDAPError, OSError, ValueError):
            poll.register(self._handle.fileno(), select.POLLIN)
            return not poll.poll(0)
        return False

    def close(self) -> None:
        """Say goodbye. The connection cannot be used any more."""
        if self._open:
            self._open = False
            with suppress(ldap.LDAPError):
                self._handle.unbind_ext_s()

    def _entries(self, search: Search, controls: dict[str, bytes]) -> Iterator[RawEntry]:
        timeout = _WALK_SECONDS if search.scope is Scope.SUBTREE else self._settings.timeout_seconds
        known = {control.oid: _AnswerControl for control in search.controls} or None
        wanted = [RequestControl(control.oid, True, control.value) for control in search.controls]
        with self._translated():
            message = self._handle.search_ext(
                search.base, _SCOPES[search.scope], search.where, search.attributes, serverctrls=wanted
            )
            kind = None
            try:
                while kind != ldap.RES_SEARCH_RESULT:
                    # one entry at a time, so that memory does not grow with the directory
                    kind, found, _, answered = self._handle.result3(
                        message, all=0, timeout=timeout, resp_ctrl_classes=known
                    )
                    if kind == ldap.RES_SEARCH_ENTRY:
                        yield from found
            finally:
                if kind != ldap.RES_SEARCH_RESULT:
                    self._abandon(message)
            controls.update({control.controlType: control.value for control in answered})

    def _abandon(self, message: int) -> None:
        """Want no more of an answer; without this, libldap would keep all of it."""
        if self._open:
            with suppress(ldap.LDAPError):
                self._handle.abandon_ext(message)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """The border: an LDAPError that wants to pass becomes one of ours."""
        try:
            yield
        except ldap.LDAPError as error:
            raise _fault(error, self.server, self._settings) from error


class _AnswerControl:
    """Takes a response control as it is; python-ldap fills in type and criticality."""

    controlType = ""  # noqa: N815 - python-ldap's name
    criticality = False
    value = b""

    def decodeControlValue(self, value: bytes | None) -> None:  # noqa: N802 - python-ldap's name
        self.value = value or b""


def _fault(error: Any, server: str, settings: DirectorySettings) -> Fault:
    """What an LDAPError means to an operator."""
    said = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    diagnostic = str(said.get("info", "")).strip()
    problem = f"{server}: {said.get('desc', type(error).__name__)}" + (f", {diagnostic}" if diagnostic else "")
    match error:
        case ldap.INVALID_CREDENTIALS():
            return CredentialsRefused(problem, remedy="check the password", diagnostic=diagnostic)
        case ldap.SERVER_DOWN() | ldap.CONNECT_ERROR():
            authority = f"the file {settings.ca_file}" if settings.ca_file else "the system's list (or set ca_file)"
            return DirectoryUnavailable(
                problem,
                remedy=f"check that it runs and can be reached; if it does, its certificate was not accepted: it must "
                f"name {urlsplit(server).hostname} and come from an authority in {authority}",
            )
        case error if isinstance(error, _TRANSIENT):
            return DirectoryUnavailable(problem, remedy="wait, or raise timeout_seconds in [directory] if it persists")
        case ldap.NO_SUCH_OBJECT():
            return DirectoryRefused(problem, remedy="check base in [directory]")
        case ldap.INSUFFICIENT_ACCESS() | ldap.STRONG_AUTH_REQUIRED():
            return DirectoryRefused(problem, remedy="give the account bind_dn of [directory] the right to read")
        case _:
            return DirectoryRefused(problem, remedy="check that url in [directory] names servers of the right kind")
