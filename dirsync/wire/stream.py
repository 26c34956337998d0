"""An answer that goes on: a search whose messages are taken one by one, for as long as the connection lives."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from math import ceil
from threading import Event
from typing import Any, Final, NamedTuple

import ldap

from dirsync.wire.complaints import Interrupted
from schema.errors import Fault

# How long one wait for a server lasts, and so how late an interruption may be noticed.
_SLICE_SECONDS: Final = 0.2
# With 0, python-ldap trips over its own answer when nothing has come.
_LEAST_SECONDS: Final = 0.001


class Found(NamedTuple):
    """An entry.

    Attributes:
        dn: its DN.
        attributes: what the server sent of it.
        controls: values of its controls by OID.
    """

    dn: str
    attributes: Mapping[str, Sequence[bytes]]
    controls: Mapping[str, bytes]


class Told(NamedTuple):
    """An intermediate response (RFC 4511 section 4.13).

    Attributes:
        oid: its name.
        value: its value.
    """

    oid: str
    value: bytes


class Ended(NamedTuple):
    """The search is over, without an error; a search that shall go on does not end."""


Message = Found | Told | Ended


class Stream:
    """The messages of one search, in the server's order. One thread at a time may use it.

    Args:
        handle: python-ldap's object for the connection.
        number: of the request.
        interrupted: once it is set, by any thread, waiting ends within a moment.
        complaint: an error of python-ldap as one of ours.
    """

    def __init__(self, handle: Any, number: int, interrupted: Event, complaint: Callable[[Exception], Fault]) -> None:
        self._handle = handle
        self._number = number
        self._interrupted = interrupted
        self._complaint = complaint

    def fileno(self) -> int:
        """The connection's descriptor, readable when something may have come; -1 when it is closed."""
        with suppress(ldap.LDAPError, OSError, ValueError):
            number: int = self._handle.fileno()
            return number
        return -1

    def next(self, seconds: float) -> Message | None:
        """The next message; None when none comes in time.

        Args:
            seconds: how long to wait for it; 0 takes what is there.

        Raises:
            DirectoryUnavailable: the connection is broken, or `interrupted` is set.
            DirectoryRefused: the server has ended the search with an error.
        """
        slices = ceil(seconds / _SLICE_SECONDS) or 1
        patience = max(_LEAST_SECONDS, min(seconds, _SLICE_SECONDS))
        while slices:
            if self._interrupted.is_set():
                raise Interrupted
            try:
                kind, data, _, _, _, _ = self._handle.result4(self._number, 0, patience, 1, 1, 0, AS_THEY_ARE)
            except ldap.TIMEOUT:
                slices -= 1
                continue
            except (ldap.LDAPError, UnicodeDecodeError) as error:
                raise self._complaint(error) from error
            if kind == ldap.RES_SEARCH_ENTRY:
                dn, attributes, controls = data[0]
                return Found(dn, attributes, {control.controlType: control.value for control in controls})
            if kind == ldap.RES_INTERMEDIATE:
                oid, value, _ = data[0]
                return Told(oid, value)
            if kind == ldap.RES_SEARCH_RESULT:
                return Ended()
        return None

    def abandon(self) -> None:
        """Want no more of it."""
        with suppress(ldap.LDAPError):
            self._handle.abandon_ext(self._number)


class _Octets:
    """Takes a control as it is; python-ldap fills in type and criticality."""

    controlType = ""  # noqa: N815 - python-ldap's name
    criticality = False
    value = b""

    def decodeControlValue(self, value: bytes | None) -> None:  # noqa: N802 - python-ldap's name
        self.value = value or b""


class _Every(dict[str, type[_Octets]]):
    """python-ldap looks up here what decodes a control, and drops those that are not found."""

    def __missing__(self, oid: str) -> type[_Octets]:
        return _Octets


AS_THEY_ARE: Final = _Every({"": _Octets})  # an empty mapping would not be heeded
