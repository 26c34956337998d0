"""Connections to the servers, by whatever arrangement: a server, sentinels that know one, or a cluster."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol

from auth.shared.line import Command, unanswered
from auth.shared.rights import not_allowed, not_allowed_at_sentinels
from auth.shared.settings import Arrangement, SharedSettings
from auth.state import StateUnavailable
from auth.tls import present, tls_context, tls_problem
from schema.errors import Fault

try:
    import valkey.asyncio as client
    from valkey.asyncio.cluster import ClusterNode
    from valkey.asyncio.connection import Connection, ConnectionPool, SSLConnection
    from valkey.asyncio.sentinel import Sentinel, SentinelConnectionPool
    from valkey.exceptions import (
        AuthenticationError,
        NoPermissionError,
        NoScriptError,
        OutOfMemoryError,
        ResponseError,
        ValkeyError,
    )
except ImportError as error:
    raise Fault(
        f"[state] needs the package {error.name}", remedy="install it: pip install 'dirfactor[shared]'"
    ) from error

__all__ = [
    "Asking",
    "Exchanger",
    "NoPermissionError",
    "NoScriptError",
    "OutOfMemoryError",
    "ResponseError",
    "Timely",
    "exchanger",
]


class Asking(Protocol):
    """Asks servers; see `auth.shared.line.Exchange`."""

    async def exchange(self, commands: Sequence[Command]) -> list[Any]:
        """The answers, errors of single commands as exceptions. Raises StateUnavailable."""
        ...

    async def everywhere(self, command: Command) -> list[Any]:
        """The answers of all servers that take writes. Raises StateUnavailable."""
        ...


class Exchanger(Asking, Protocol):
    """Holds the connections besides. How long an answer takes is the business of whoever asks."""

    async def keys(self, pattern: str) -> list[bytes]:
        """The names of keys, of all servers; while others write it may miss what they do. Raises StateUnavailable."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


class Timely:
    """Servers that are unavailable when they do not answer in time, for whoever asks them without a line.

    Args:
        servers: whom it is about; their owner closes them.
        seconds: how long each question may take.
    """

    def __init__(self, servers: Exchanger, seconds: float) -> None:
        self._servers = servers
        self._seconds = seconds

    async def exchange(self, commands: Sequence[Command]) -> list[Any]:
        """See `Exchanger.exchange`."""
        return await self._in_time(self._servers.exchange(commands))

    async def everywhere(self, command: Command) -> list[Any]:
        """See `Exchanger.everywhere`."""
        return await self._in_time(self._servers.everywhere(command))

    async def _in_time(self, answers: Awaitable[list[Any]]) -> list[Any]:
        try:
            async with asyncio.timeout(self._seconds):
                return await answers
        except TimeoutError:
            raise unanswered(self._seconds) from None


def exchanger(settings: SharedSettings) -> Exchanger:
    """What talks to the servers of the section; nothing is connected yet.

    Raises:
        Fault: a file of its TLS cannot be used.
    """
    if settings.arrangement is Arrangement.CLUSTER:
        return _Cluster(settings)
    if settings.arrangement is Arrangement.SENTINEL:
        sentinel = _sentinel(settings)
        return _Pooled(settings, _primary(settings, sentinel), *sentinel.sentinels)
    return _Pooled(settings, _server(settings))


class _Pooled:
    """One server at a time; a batch takes a connection of the pool for as long as it is on its way.

    Args:
        settings: the section that names the server.
        pool: makes connections to it; which are idle is known here.
        advisers: clients that are asked where it is.
    """

    def __init__(self, settings: SharedSettings, pool: ConnectionPool, *advisers: client.Valkey) -> None:
        self._settings = settings
        self._pool = pool
        self._advisers = advisers
        self._idle: list[tuple[Any, float]] = []  # and since when, the longest first

    async def exchange(self, commands: Sequence[Command]) -> list[Any]:
        monotonic = asyncio.get_running_loop().time
        if self._idle and monotonic() - self._idle[-1][1] > _FRESH_SECONDS:
            await self._drop()
        idle = self._idle
        connection, _ = self._idle.pop() if self._idle else (self._pool.make_connection(), 0)  # type: ignore[no-untyped-call]
        try:
            await connection.connect()
            await connection.send_packed_command(connection.pack_commands(commands))
            answers = [await _answered(connection.read_response()) for _ in commands]
        except BaseException as error:
            await connection.disconnect(nowait=True)  # what is still to come is the answer to something else
            await self._drop()
            if not isinstance(error, Exception):
                raise  # nobody waits any more: a server that is gone without a word is noticed by nothing else
            raise _unavailable(error, self._settings) from error
        if idle is self._idle:
            idle.append((connection, monotonic()))
        else:  # another one failed meanwhile: this one may lead to a server that is no longer the one to ask
            await connection.disconnect(nowait=True)
        return answers

    async def _drop(self) -> None:
        """Those that wait are no better than the one that has failed, or that waited least."""
        idle, self._idle = self._idle, []
        for connection, _ in idle:
            await connection.disconnect(nowait=True)

    async def everywhere(self, command: Command) -> list[Any]:
        return await self.exchange([command])

    async def keys(self, pattern: str) -> list[bytes]:
        cursor, found = 0, set[bytes]()
        while True:
            (answer,) = await self.exchange([("SCAN", cursor, "MATCH", pattern, "COUNT", _SCANNED)])
            if isinstance(answer, ResponseError):
                raise _unavailable(answer, self._settings)
            cursor = int(answer[0])
            found.update(answer[1])
            if not cursor:
                return sorted(found)

    async def aclose(self) -> None:
        await self._drop()
        for adviser in self._advisers:
            await adviser.aclose()


class _Cluster:
    """Each command goes to the server of its key.

    The client learns who has which keys from what servers answer, and one that is gone without a word, or has ended,
    answers nothing. So whenever something fails, or is not waited for any more, another client begins, which asks
    the servers anew; with the one before go the connections that were left in the middle of an answer.
    """

    def __init__(self, settings: SharedSettings) -> None:
        self._settings = settings
        self._named = settings.places
        self._around: dict[str, Any] = {**_account(settings), **_tls(settings), **_QUIET}
        self._known: tuple[tuple[str, int], ...] = ()
        self._begun = 0
        self._closing: set[asyncio.Task[None]] = set()
        self._cluster = self._begin()

    async def exchange(self, commands: Sequence[Command]) -> list[Any]:
        async with self._client() as cluster:
            pipeline = cluster.pipeline()
            for command in commands:
                pipeline.execute_command(*command)
            return list(await pipeline.execute(raise_on_error=False))

    async def everywhere(self, command: Command) -> list[Any]:
        async with self._client() as cluster:
            await cluster.initialize()
            asked = (_answered(node.execute_command(*command)) for node in cluster.get_primaries())
            return list(await asyncio.gather(*asked))

    async def keys(self, pattern: str) -> list[bytes]:
        async with self._client() as cluster:
            return sorted({key async for key in cluster.scan_iter(match=pattern, count=_SCANNED)})

    async def aclose(self) -> None:
        await self._cluster.aclose()
        await asyncio.gather(*self._closing)

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[client.ValkeyCluster]:
        cluster = self._cluster
        try:
            yield cluster
        except BaseException as error:
            if cluster is self._cluster:  # otherwise somebody else has noticed before
                self._known = tuple((node.host, int(node.port)) for node in cluster.get_nodes()) or self._known
                self._cluster = self._begin()
                closing = asyncio.get_running_loop().create_task(_close(cluster))
                self._closing.add(closing)
                closing.add_done_callback(self._closing.discard)
            if not isinstance(error, Exception):
                raise
            raise _unavailable(error, self._settings) from error

    def _begin(self) -> client.ValkeyCluster:
        """A client that asks another server first than the one before, which may have waited for one that is gone."""
        places = list(dict.fromkeys([*self._named, *self._known]))
        first = self._begun % len(places)
        self._begun += 1
        nodes = [ClusterNode(host, port) for host, port in (*places[first:], *places[:first])]
        return client.ValkeyCluster(
            startup_nodes=nodes, cluster_error_retry_attempts=1, connection_error_retry_attempts=0, **self._around
        )


async def _close(cluster: client.ValkeyCluster) -> None:
    with suppress(ValkeyError, OSError):  # it is of no use any more
        await cluster.aclose()


class _Sentinels(Sentinel):
    """Sentinels that are asked where the primary is; why none tells it would be lost in the client's own words."""

    async def discover_master(self, service_name: str) -> tuple[str, int]:
        """Host and port of the primary. Raises StateUnavailable."""
        problems: list[ValkeyError] = []
        for sentinel in tuple(self.sentinels):
            try:
                state = (await sentinel.sentinel_masters()).get(service_name)  # type: ignore[no-untyped-call]
            except ValkeyError as error:
                problems.append(error)
                continue
            if state and self.check_master_state(state, service_name):
                self.sentinels.sort(key=lambda each: each is not sentinel)  # this one is asked first the next time
                return state["ip"], state["port"]
        raise _no_primary(service_name, problems, len(self.sentinels))


class _Tls(SSLConnection):
    """A connection by our own rules of TLS; the client's would not look at the name in the certificate."""

    def __init__(self, *, context: ssl.SSLContext, **values: Any) -> None:
        super().__init__(**values)
        self.ssl_context.context = context


_FRESH_SECONDS = 20.0
"""For which a connection may wait: servers and firewalls cut off those that wait for long, and do not say so."""
_LONGEST_PROBLEM = 200
_SCANNED = 1000
_QUIET: dict[str, Any] = {"socket_timeout": None, "lib_name": None, "lib_version": None}
"""The deadline of a question covers all of it."""


def _account(settings: SharedSettings) -> dict[str, Any]:
    password = settings.password.text if settings.password else None
    return {"username": settings.username if password else None, "password": password}


def _server(settings: SharedSettings) -> ConnectionPool:
    ((host, port),) = settings.places
    around: dict[str, Any] = {"host": host, "port": port, **_account(settings), **_QUIET}
    if not settings.tls:
        return ConnectionPool(Connection, **around)
    return ConnectionPool(_Tls, context=_context(settings), **around)


def _sentinel(settings: SharedSettings) -> "_Sentinels":
    password = settings.sentinel_password.text if settings.sentinel_password else None
    own = {"username": settings.sentinel_username if password else None, "password": password}
    around = {**own, **_tls(settings), **_QUIET, "socket_connect_timeout": settings.timeout_seconds / 2}
    return _Sentinels(settings.places, sentinel_kwargs=around)  # type: ignore[no-untyped-call]


def _primary(settings: SharedSettings, sentinel: Sentinel) -> ConnectionPool:
    around = {**_account(settings), **_tls(settings), **_QUIET}
    return SentinelConnectionPool(settings.primary, sentinel, **around)  # type: ignore[no-untyped-call]


def _tls(settings: SharedSettings) -> dict[str, Any]:
    """For the client's own connections, which trust the system's authorities besides. Raises Fault."""
    if not settings.tls:
        return {}
    _context(settings)
    return {
        "ssl": True,
        "ssl_check_hostname": True,
        "ssl_ca_certs": settings.ca_file and str(settings.ca_file),
        "ssl_certfile": settings.certificate and str(settings.certificate),
        "ssl_keyfile": str(settings.private_key or settings.certificate) if settings.certificate else None,
        "ssl_min_version": ssl.TLSVersion.TLSv1_2,
    }


def _context(settings: SharedSettings) -> ssl.SSLContext:
    context = tls_context(settings.ca_file)
    if settings.certificate is not None:
        present(context, settings.certificate, settings.private_key)
    return context


async def _answered(answer: Awaitable[Any]) -> Any:
    """An answer that is an error is one nevertheless."""
    try:
        return await answer
    except ResponseError as error:
        return error


def _unavailable(error: Exception, settings: SharedSettings) -> StateUnavailable:
    """Of an error that has no secrets in it: they are the client's own words, or an error of a server."""
    if isinstance(error, StateUnavailable):
        return error
    refused = _led_by(error, NoPermissionError)
    if refused is not None:
        return not_allowed(refused, settings.prefix, settings.arrangement)
    if _led_by(error, AuthenticationError) is not None:
        return StateUnavailable("the state store refuses our name or password", remedy="correct [state] in config.ini")
    return StateUnavailable(
        f"the state store cannot be used: {_problem(error)}",
        remedy="look at the servers of [state], and at the network between; logons go on by themselves when it is back",
    )


def _no_primary(name: str, problems: Sequence[ValkeyError], sentinels: int) -> StateUnavailable:
    """What is told when no sentinel knows a primary that is up; of one that has rights to, another may in a moment."""
    refused = [error for error in problems if isinstance(error, NoPermissionError)]
    if len(refused) == sentinels:
        return not_allowed_at_sentinels(refused[0])
    if any(isinstance(error, AuthenticationError) for error in problems):
        return StateUnavailable(
            "the sentinels refuse our name or password",
            remedy="correct sentinel_username and sentinel_password of [state] in config.ini",
        )
    why = "; ".join(dict.fromkeys(map(_problem, problems))) or "none knows one of this name that is up"
    return StateUnavailable(
        f"no sentinel tells where the primary {name} is: {why}",
        remedy="look at the sentinels of [state], at what they call the primary, and at the network between",
    )


def _led_by(error: BaseException, kind: type[Exception]) -> Exception | None:
    """The error of this kind that an error is, or that led to it: the client of a cluster tells others in its place."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, kind):
            return cause
        cause = cause.__cause__ or cause.__context__
    return None


def _problem(error: Exception) -> str:
    return tls_problem(error) or str(error)[:_LONGEST_PROBLEM] or type(error).__name__
