"""A directory whose kind is not configured: the server is asked what it is, once it answers."""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from dirsync.authorship import Authorship
from dirsync.change import Batch, Source
from dirsync.errors import DirectoryRefused
from dirsync.settings import DirectoryKind
from dirsync.wire.connector import Connector
from dirsync.wire.search import Dialogue, Search, converse
from schema.entry import EntryId

_ROOT_DSE: Final = ("supportedCapabilities", "vendorVersion", "objectClass")
_ACTIVE_DIRECTORY: Final = b"1.2.840.113556.1.4.800"  # LDAP_CAP_ACTIVE_DIRECTORY_OID (MS-ADTS section 3.1.1.3.4.3)


def recognise() -> Dialogue[DirectoryKind]:
    """What kind of server answers, by its rootDSE (RFC 4512 section 5.1).

    Raises:
        DirectoryRefused: it is of no kind that can be followed.
    """
    page = yield Search("", _ROOT_DSE)
    said = {name.lower(): values for _, attributes in page.entries for name, values in attributes.items()}
    if _ACTIVE_DIRECTORY in said.get("supportedcapabilities", ()):
        return DirectoryKind.AD
    if any(version.startswith(b"389-Directory") for version in said.get("vendorversion", ())):
        return DirectoryKind.DS389
    if b"OpenLDAProotDSE" in said.get("objectclass", ()):
        return DirectoryKind.OPENLDAP
    raise DirectoryRefused(
        "the server is neither Active Directory nor OpenLDAP nor 389 Directory Server, or hides what it is",
        remedy="set kind in [directory]",
    )


class RecognisedSource:
    """A `Source`: one of several, the one that fits the server that answers. Its kind stays until a restart.

    Args:
        sources: for each kind that it may be.
        connector: opens the connection over which the server is asked.
    """

    def __init__(self, sources: Mapping[DirectoryKind, Source], connector: Connector) -> None:
        self._sources = sources
        self._connector = connector
        self._chosen: Source | None = None

    @property
    def identity(self) -> str:
        """Those of all that it may be: it has to be known before a server answers, and no cookie fits two of them."""
        return "auto " + " ".join(source.identity for source in self._sources.values())

    @property
    def method(self) -> str:
        """How changes come."""
        return self._chosen.method if self._chosen else "not asked yet"

    def changes(self, cookie: bytes | None, now: datetime) -> Batch:
        """As the source that fits.

        Raises:
            DirectoryUnavailable: no server answers.
            DirectoryRefused: the account was refused, or the server is of no kind that can be followed.
        """
        return self._fitting().changes(cookie, now)

    def wait(self, seconds: float) -> bool:
        """As the source that fits; nothing is heard before `changes` has found out which."""
        if self._chosen:
            return self._chosen.wait(seconds)
        time.sleep(seconds)
        return False

    def changed_when(self, entry: EntryId, attribute: str) -> Authorship | None:
        """As the source that fits. Raises Fault as `changes` does."""
        return self._fitting().changed_when(entry, attribute)

    def close(self) -> None:
        """Let go of the directory; the next question opens it again."""
        with self._connector.interrupting():
            for source in self._sources.values():
                source.close()

    def _fitting(self) -> Source:
        if self._chosen is None:
            connection = self._connector.sign_in()
            try:
                self._chosen = self._sources[converse(recognise(), connection.search)]
            finally:
                connection.close()
        return self._chosen
