"""A connection for an examination: the account signs in once, for a password tried again and again locks it."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TypeVar

from dirsync.errors import DirectoryRefused, DirectoryUnavailable
from dirsync.examination.root import Root, read_root
from dirsync.examination.subschema import Published, read_subschema
from dirsync.settings import DirectorySettings
from dirsync.wire.connection import Connection
from dirsync.wire.connector import Connector
from dirsync.wire.discovery import Discovery
from dirsync.wire.search import Dialogue, converse
from dirsync.wire.surroundings import Surroundings
from schema.errors import Fault

Result = TypeVar("Result")


class NotExaminedError(Exception):
    """Something was not examined, because it is none of a directory's concerns or cannot be told; the text says why."""


class PartFault(Fault):
    """It works for some and not for others."""


class Session:
    """Asks a directory's server. Every method but `close` raises NotExaminedError and, where it asks, the Faults below.

    Any thread may ask; who comes while another still waits for an answer is told so.

    Args:
        settings: of a directory that is no file.
        surroundings: time and chance.

    Raises:
        DirectoryUnavailable: the server does not answer.
        DirectoryRefused: it says no; when it does to the account, it is not asked again.
    """

    def __init__(self, settings: DirectorySettings, surroundings: Surroundings) -> None:
        self.settings = settings
        self._surroundings = surroundings
        self._turn = Lock()
        self._connector: Connector | None = None
        self._connection: Connection | None = None
        self._root: Root | None = None
        self._known: tuple[str, ...] = ()
        self._failed = False

    @property
    def account(self) -> str:
        """The account, as a command names it."""
        return self.settings.bind_dn or self.settings.principal or "ACCOUNT"

    def servers(self) -> tuple[str, ...]:
        """URLs of the servers: as set, or as DNS names them."""
        self._known = self._known or self.settings.url or Discovery(self.settings, self._surroundings).servers()
        return self._known

    def ask(self, dialogue: Dialogue[Result]) -> Result:
        """The result of a dialogue with the server."""
        with self.connected() as connection:
            return converse(dialogue, connection.search)

    def root(self) -> Root:
        """What the server says of itself."""
        self._root = self._root or self.ask(read_root())
        return self._root

    def published(self) -> Published:
        """The server's schema."""
        where = self.root().subschema
        published = self.ask(read_subschema(where)) if where else Published({}, {})
        if not published.types:
            raise DirectoryRefused(
                f"the account may not read the directory's schema ({where or 'the rootDSE names none'})",
                remedy="let the account read the schema, as every server does by default",
            )
        return published

    def connector(self) -> Connector:
        """Opens further connections."""
        self._connector = self._connector or Connector(self.settings, self._surroundings)
        return self._connector

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        """The connection, with the rights of the service account."""
        if not self._turn.acquire(blocking=False):
            raise NotExaminedError("the server has not answered an earlier question yet")
        try:
            yield self._signed_in()
        except DirectoryUnavailable:
            self._let_go()
            raise
        finally:
            self._turn.release()

    def close(self) -> None:
        """Close the connection, unless somebody still waits for an answer over it."""
        if self._turn.acquire(blocking=False):
            self._let_go()
            self._turn.release()

    def _signed_in(self) -> Connection:
        if self._connection is None:
            if self._failed:
                raise NotExaminedError("the account could not sign in")
            self._failed = True
            self._connection = self.connector().sign_in()
            self._failed = False
        return self._connection

    def _let_go(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None
