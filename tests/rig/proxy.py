"""Stands between a client and a real server, and does to the server's answers what networks and bad servers do."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from rig.ports import LOOPBACK

_CHUNK = 65536


@dataclass
class Trouble:
    """What becomes of the server's octets, over all connections together.

    Attributes:
        after: how many of them pass before it happens.
        act: what happens then to the connection to the client, whose further octets are thrown away.
        passed: how many have passed.
        heard: all that has passed, in both directions.
        happened: set when it has happened.
    """

    after: int = 1 << 62
    act: Callable[[socket.socket], None] = lambda _: None
    passed: int = 0
    heard: bytearray = field(default_factory=bytearray)
    happened: threading.Event = field(default_factory=threading.Event)


def silence(_client: socket.socket) -> None:
    """Nothing more comes, and nobody hangs up: a half-open connection."""


def cut(client: socket.socket) -> None:
    """The connection ends."""
    client.shutdown(socket.SHUT_RDWR)


def garbage(client: socket.socket) -> None:
    """Octets come that are no LDAP."""
    client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" + bytes(range(256)))


@contextmanager
def between(host: str, port: int, trouble: Trouble) -> Iterator[int]:
    """A port on loopback that leads to a server, with trouble on the way back.

    Args:
        host: the server's address.
        port: the server's port.
        trouble: may be changed at any time.
    """
    with socket.create_server((LOOPBACK, 0)) as entrance:
        kept: list[socket.socket] = []

        def accept() -> None:
            with suppress(OSError):
                while True:
                    client = entrance.accept()[0]
                    server = socket.create_connection((host, port))
                    kept.extend((client, server))
                    threading.Thread(target=_ask, args=(client, server, trouble), daemon=True).start()
                    threading.Thread(target=_answer, args=(server, client, trouble), daemon=True).start()

        acceptor = threading.Thread(target=accept, daemon=True)
        acceptor.start()
        try:
            yield entrance.getsockname()[1]
        finally:
            entrance.shutdown(socket.SHUT_RDWR)
            acceptor.join()
            for each in kept:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()


def _ask(client: socket.socket, server: socket.socket, trouble: Trouble) -> None:
    with suppress(OSError):
        while octets := client.recv(_CHUNK):
            trouble.heard += octets
            server.sendall(octets)
        server.shutdown(socket.SHUT_RDWR)


def _answer(server: socket.socket, client: socket.socket, trouble: Trouble) -> None:
    with suppress(OSError):
        while octets := server.recv(_CHUNK):
            if trouble.happened.is_set():
                continue
            passing = octets[: trouble.after - trouble.passed]
            trouble.passed += len(passing)
            trouble.heard += passing
            client.sendall(passing)
            if len(passing) < len(octets):
                trouble.happened.set()
                trouble.act(client)
        client.shutdown(socket.SHUT_RDWR)
