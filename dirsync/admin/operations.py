"""What an administrator does to a directory: search, add, modify; every refusal is a Fault in the server's words."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, Literal

import ldap3
from ldap3.core.exceptions import LDAPExceptionError, LDAPOperationResult

from dirsync.admin.edit import Edit, Replacement
from dirsync.admin.found import Found
from dirsync.errors import DirectoryRefused, DirectoryUnavailable
from dirsync.wire.search import Control

_PAGE = 500  # AD's MaxPageSize is 1000
_PAGED_RESULTS = "1.2.840.113556.1.4.319"  # RFC 2696
_NO_SUCH_OBJECT = 32

# How deep a search goes (RFC 4511 section 4.5.1.2).
Scope = Literal["BASE", "LEVEL", "SUBTREE"]


class Operation(StrEnum):
    """What becomes of an attribute's values (RFC 4511 section 4.6)."""

    ADD = ldap3.MODIFY_ADD
    DELETE = ldap3.MODIFY_DELETE
    REPLACE = ldap3.MODIFY_REPLACE


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

    Args:
        connection: ldap3's connection, whose stubs leave half of it untyped.
        who: for messages: whom the server takes us for.
    """

    def __init__(self, connection: Any, who: str) -> None:
        self._connection = connection
        self.who = who

    def search(
        self,
        base: str,
        where: str = "(objectClass=*)",
        *,
        scope: Scope = "BASE",
        attributes: Iterable[str],
        controls: Iterable[Control] = (),
    ) -> list[Found]:
        """The entries that match, read page by page; none when there is no entry `base`.

        Args:
            base: where the search begins; empty for the rootDSE.
            where: an RFC 4515 filter; values from outside must have been escaped.
            scope: how deep it goes.
            attributes: what to read of each entry.
            controls: of the request.

        Raises:
            OperationRefused: the server refused.
            DirectoryUnavailable: the server did not answer.
        """
        return list(self.stream(base, where, scope=scope, attributes=attributes, controls=controls))

    def stream(
        self,
        base: str,
        where: str = "(objectClass=*)",
        *,
        scope: Scope = "BASE",
        attributes: Iterable[str],
        controls: Iterable[Control] = (),
    ) -> Iterator[Found]:
        """The same entries, each as soon as its page has come.

        Raises:
            OperationRefused: as `search`.
            DirectoryUnavailable: as `search`.
        """
        wanted, asked = list(attributes), _critical(controls)
        cookie: bytes | None = None
        while True:
            with _faults(f"reading {base or 'the rootDSE'}"):
                try:
                    self._connection.search(
                        base,
                        where,
                        scope,
                        attributes=wanted,
                        controls=asked,
                        paged_size=None if scope == "BASE" else _PAGE,
                        paged_cookie=cookie,
                    )
                except LDAPOperationResult as refusal:
                    if refusal.result == _NO_SUCH_OBJECT:
                        return
                    raise
                page = [_found(item) for item in self._connection.response if item["type"] == "searchResEntry"]
                cookie = self._next_page()
            yield from page
            if not cookie:
                return

    def add(self, dn: str, attributes: Iterable[tuple[str, Iterable[str | bytes]]]) -> None:
        """Add one entry.

        Raises:
            OperationRefused: the server refused.
            DirectoryUnavailable: the server did not answer.
        """
        with _faults(f"adding {dn}"):
            self._connection.add(dn, attributes={name: _octets(values) for name, values in attributes})

    def modify(
        self,
        dn: str,
        attribute: str,
        *changes: tuple[Operation, Iterable[str | bytes]],
        controls: Iterable[Control] = (),
    ) -> None:
        """Change one attribute of an entry: all changes in their order, or none of them.

        Raises:
            OperationRefused: the server refused.
            DirectoryUnavailable: the server did not answer.
        """
        operations = [(operation.value, _octets(values)) for operation, values in changes]
        with _faults(f"changing {attribute} of {dn or 'the rootDSE'}"):
            self._connection.modify(dn, {attribute: operations}, controls=_critical(controls))

    def change(self, edit: Edit) -> None:
        """Make an edit as one modify: all of it or nothing.

        Raises:
            OperationRefused: the server refused.
            DirectoryUnavailable: the server did not answer.
        """
        operations: dict[str, list[tuple[str, list[bytes]]]] = {}
        for item in edit.changes:
            if isinstance(item, Replacement):
                operations[item.attribute] = [(Operation.REPLACE.value, list(item.values))]
                continue
            for operation, values in ((Operation.DELETE, item.removed), (Operation.ADD, item.added)):
                if values:
                    operations.setdefault(item.attribute, []).append((operation.value, list(values)))
        with _faults(f"changing {edit.dn}"):
            self._connection.modify(edit.dn, operations)

    def _next_page(self) -> bytes | None:
        control = self._connection.result.get("controls", {}).get(_PAGED_RESULTS, {})
        cookie: bytes | None = control.get("value", {}).get("cookie")
        return cookie


@contextmanager
def _faults(what: str) -> Iterator[None]:
    try:
        yield
    except LDAPOperationResult as refusal:
        raise refused(what, refusal) from refusal
    except LDAPExceptionError as error:
        raise DirectoryUnavailable(f"{what}: {error}", remedy="try again when the server answers") from error


def refused(what: str, refusal: Any) -> OperationRefused:
    """The Fault for an ldap3 exception that stands for a result code."""
    diagnostic = " ".join(str(refusal.message or "").strip("\0").split())
    return OperationRefused(
        f"{what} was refused: {refusal.description}" + (f", {diagnostic}" if diagnostic else ""),
        remedy="check what the account may do and what the server says",
        code=refusal.result,
        diagnostic=diagnostic,
    )


def _found(item: Any) -> Found:
    return Found(item["dn"], {name.lower(): tuple(values) for name, values in item["raw_attributes"].items() if values})


def _critical(controls: Iterable[Control]) -> list[tuple[str, bool, bytes | None]] | None:
    return [(control.oid, True, control.value) for control in controls] or None


def _octets(values: Iterable[str | bytes]) -> list[bytes]:
    return [value.encode() if isinstance(value, str) else value for value in values]
