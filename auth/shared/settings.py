"""The [state] section: where several nodes keep the state of logins together."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import msgspec

from schema.secret import Secret


class Arrangement(StrEnum):
    """How the servers belong together."""

    SERVER = "server"
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


class SharedSettings(msgspec.Struct, frozen=True):
    """The [state] section; without it the state is in a file of this host alone.

    Attributes:
        servers: host:port of the server, of the sentinels, or of some servers of the cluster.
        arrangement: server, sentinel or cluster.
        primary: what the sentinels call the primary.
        username: of the server's ACL; `default` when absent.
        password: for it.
        sentinel_username: of the sentinels' own ACL.
        sentinel_password: for it.
        tls: whether TLS is spoken.
        ca_file: PEM file of the authorities of the servers' certificates; the system's when absent.
        certificate: PEM file of the certificate that we show, and its chain.
        private_key: PEM file of its private key; in the certificate's file when absent.
        prefix: what the names of all our keys begin with.
        node: what the other nodes know this one by; the host's name when absent.
        replicas: how many replicas must have a write before it counts.
        timeout_seconds: how long a question may take; a logon is refused after it.
    """

    servers: tuple[str, ...]
    arrangement: Arrangement = Arrangement.SERVER
    primary: str = "mymaster"
    username: str | None = None
    password: Secret | None = None
    sentinel_username: str | None = None
    sentinel_password: Secret | None = None
    tls: bool = True
    ca_file: Path | None = None
    certificate: Path | None = None
    private_key: Path | None = None
    prefix: str = "dirfactor"
    node: str | None = None
    replicas: int = 0
    timeout_seconds: float = 1.0

    @property
    def parts(self) -> int:
        """Into how many parts the keys are divided, see `auth.shared.names`."""
        return _PARTS_OF_A_CLUSTER if self.arrangement is Arrangement.CLUSTER else 1

    @property
    def places(self) -> tuple[tuple[str, int], ...]:
        """Host and port of each server; only of settings without findings."""
        return tuple(_place(each) for each in self.servers)


def findings(settings: SharedSettings) -> Iterator[tuple[str, str, str]]:
    """What is wrong in itself: key, problem, remedy."""
    if not settings.servers:
        yield "servers", "names no server", "give host:port, or several with commas between them"
    for each in settings.servers:
        try:
            _place(each)
        except ValueError:
            yield "servers", f"{each!r} is malformed", "give host:port; an IPv6 address stands in brackets"
    if settings.arrangement is Arrangement.SERVER and len(settings.servers) > 1:
        yield "servers", "names several, and one is used", "set arrangement = sentinel or arrangement = cluster"
    if settings.arrangement is Arrangement.CLUSTER and settings.replicas:
        yield "replicas", "cannot be waited for in a cluster", "set min-replicas-to-write at the servers"
    if not 0 <= settings.replicas <= _MOST_REPLICAS:
        yield "replicas", "is out of range", f"give 0 to {_MOST_REPLICAS}"
    if not _SHORTEST <= settings.timeout_seconds <= _LONGEST:
        yield "timeout_seconds", "is out of range", f"give {_SHORTEST} to {_LONGEST}"
    if not settings.prefix or set(settings.prefix) & set(" {}*?[]\\"):
        yield "prefix", "is malformed", "give a word without spaces, braces and wildcards"


_PARTS_OF_A_CLUSTER = 32
"""More than most clusters have primaries, and few enough to be looked at every second."""
_MOST_REPLICAS = 10
_SHORTEST, _LONGEST = 0.05, 10.0
_LARGEST_PORT = 65535


def _place(text: str) -> tuple[str, int]:
    """Raises ValueError."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    if not (colon and host and port.isascii() and port.isdigit() and 0 < int(port) <= _LARGEST_PORT):
        raise ValueError(text)
    if ":" in host and not text.startswith("["):
        raise ValueError(text)
    return host, int(port)
