"""One connection to a directory server. The errors of python-ldap end here and become ours."""

import select
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from math import ceil
from threading import Event
from typing import Any, Final

import ldap
from ldap.controls import RequestControl

from dirsync.errors import DirectoryRefused, DirectoryUnavailable
from dirsync.settings import DirectorySettings
from dirsync.wire.complaints import Interrupted, complaint, garbled
from dirsync.wire.dialling import SLICE_SECONDS, bound_reads
from dirsync.wire.handle import asks_for_tls
from dirsync.wire.search import Page, RawEntry, Scope, Search
from dirsync.wire.stream import AS_THEY_ARE, Stream
from schema.errors import Fault

# A domain controller looks through the whole domain before it sends the first entry: 2 s for 20,000 users.
_WALK_SECONDS: Final = 300.0
_SCOPES: Final = {Scope.BASE: ldap.SCOPE_BASE, Scope.SUBTREE: ldap.SCOPE_SUBTREE}
# Once it sends, it may still have to pass over many entries that are not ours.
_FLOW_SECONDS: Final = 60.0


class Connection:
    """An encrypted connection to one server, whose name is proven. One thread at a time may use it.

    Args:
        handle: python-ldap's object for it.
        server: the server's URL.
        settings: with which it was opened.
        interrupted: once it is set, by any thread, what is done over the connection ends within a moment.
    """

    def __init__(self, handle: Any, server: str, settings: DirectorySettings, interrupted: Event) -> None:
        self.server = server
        self._handle = handle
        self._settings = settings
        self._interrupted = interrupted
        self._open = True
        self._bounded = False

    def greet(self) -> None:
        """Connect, encrypt, and hear the server answer.

        Raises:
            DirectoryUnavailable: it does not, or is not who it should be.
            DirectoryRefused: it cannot encrypt.
        """
        with self._translated():
            if asks_for_tls(self.server, self._settings):
                self._handle.start_tls_s()
        with suppress(DirectoryRefused):  # a refusal is an answer, too
            list(self.search(Search("", ("1.1",))).entries)

    def bind(self, name: str, password: str, asking: Iterable[str] = ()) -> Mapping[str, bytes]:
        """Prove a password with a simple bind (RFC 4513 section 5.1.3), once.

        Args:
            name: DN, or what else the server takes; not empty: that would be an anonymous bind, and succeed.
            password: not empty: that would be an unauthenticated bind, and succeed (RFC 4513 section 5.1.2).
            asking: OIDs of controls without a value that go with it; a server that does not know them ignores them.

        Returns:
            The values of the controls that came with the success, by OID.

        Raises:
            CredentialsRefused: the server says that the password is wrong or the account unusable.
            DirectoryUnavailable: no answer; whether the password has arrived is not known.
            DirectoryRefused: any other refusal.
        """
        if not name.strip() or not password:
            raise DirectoryRefused("a bind without a name or password proves nothing", remedy="give both")
        with self._translated():
            wanted = [RequestControl(oid, False) for oid in asking]
            message = self._handle.simple_bind(name, password, serverctrls=wanted)
            kind, _, _, answered = self._answer(
                message, self._settings.timeout_seconds, all=1, resp_ctrl_classes=AS_THEY_ARE
            )
        if kind != ldap.RES_BIND:
            raise DirectoryUnavailable(f"{self.server} did not answer a bind with its result", remedy="report this")
        return {control.controlType: control.value for control in answered}

    def bind_sasl(self, mechanism: str) -> int:
        """Prove who we are by Kerberos (GSSAPI, RFC 4752) or by what the connection shows of us (EXTERNAL).

        Args:
            mechanism: either; the keys are found as `dirsync.wire.kerberos` says, the certificate is part of TLS.

        Returns:
            The security strength factor of the layer that protects the connection from now on; 0 for none.

        Raises:
            CredentialsRefused: the server does not know the account.
            DirectoryUnavailable: no answer.
            DirectoryRefused: any other refusal, also by Kerberos.
        """
        with self._translated():
            self._handle.sasl_non_interactive_bind_s(mechanism)
        with suppress(ValueError, ldap.LDAPError):  # how python-ldap says that there is no such layer
            strength: int = self._handle.get_option(ldap.OPT_X_SASL_SSF)
            return strength
        return 0

    def search(self, search: Search) -> Page:
        """Begin a search; it is sent, and its errors come up, when the entries are taken.

        Raises:
            DirectoryUnavailable: the server does not answer, or `interrupted` is set.
            DirectoryRefused: it answers with an error.
        """
        controls: dict[str, bytes] = {}
        return Page(self._entries(search, controls), controls)

    def stream(self, search: Search) -> Stream:
        """Send a search whose answer goes on; other searches may be asked meanwhile.

        Raises:
            DirectoryUnavailable: the server cannot be reached.
            DirectoryRefused: it cannot be sent.
        """
        wanted = [RequestControl(control.oid, True, control.value) for control in search.controls]
        with self._translated():
            number = self._handle.search_ext(
                search.base, _SCOPES[search.scope], search.where, search.attributes, serverctrls=wanted
            )
        return Stream(self._handle, number, self._interrupted, self._complaint)

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
                    kind, found, _, answered = self._answer(message, timeout, all=0, resp_ctrl_classes=known)
                    if kind == ldap.RES_SEARCH_ENTRY:
                        timeout = min(timeout, max(_FLOW_SECONDS, self._settings.timeout_seconds))
                        yield from found
            finally:
                if kind != ldap.RES_SEARCH_RESULT:
                    self._abandon(message)
            controls.update({control.controlType: control.value for control in answered})

    def _answer(self, message: int, patience: float, **how: Any) -> Any:
        """The next part of an answer, as `result3` gives it. Raises Interrupted, or ldap.TIMEOUT after `patience`."""
        if not self._bounded:
            self._bounded = True
            bound_reads(self._handle.fileno())
        slices, slice_seconds = max(1, ceil(patience / SLICE_SECONDS)), min(patience, SLICE_SECONDS)
        for _ in range(slices):
            if self._interrupted.is_set():
                raise Interrupted
            try:  # no context manager: this is done for every entry
                return self._handle.result3(message, timeout=slice_seconds, **how)
            except ldap.TIMEOUT:
                continue
        raise ldap.TIMEOUT({"desc": f"no answer within {patience:g} s"})

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
        except (ldap.LDAPError, UnicodeDecodeError) as error:
            raise self._complaint(error) from error

    def _complaint(self, error: Exception) -> Fault:
        if isinstance(error, UnicodeDecodeError):  # python-ldap's, of a DN or the name of an attribute
            return garbled(self.server)
        return complaint(error, self.server, self._settings)


class _AnswerControl:
    """Takes a response control as it is; python-ldap fills in type and criticality."""

    controlType = ""  # noqa: N815 - python-ldap's name
    criticality = False
    value = b""

    def decodeControlValue(self, value: bytes | None) -> None:  # noqa: N802 - python-ldap's name
        self.value = value or b""
