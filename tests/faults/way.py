"""The way from the service to a server, on which everything that happens to networks and servers can be had."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum

from rig.certificates import ServerFiles
from rig.ports import LOOPBACK

_CHUNK = 65536
_SLOW_SECONDS = 0.2
_PACE = {"state store": 0.05, "VIP": 0.5}
"""How long a piece takes where that is another time: what is asked often, and what is to miss its deadline."""
_STARTTLS = "mail server"
"""Where TLS begins in the middle of a dialogue, SMTP's (RFC 3207)."""


class Fault(StrEnum):
    """What happens on the way."""

    NONE = "back"
    DOWN = "down"  # nobody listens
    REFUSED = "refused"  # whoever connects is hung up on
    HALF_OPEN = "half-open"  # whoever connects is never answered
    SLOW = "slow"  # every piece takes a while
    GARBAGE = "garbage"  # what comes back is of no protocol
    WRONG_TLS = "wrong TLS"  # TLS with somebody else's certificate
    EXPIRED = "expired TLS"  # TLS with a certificate that was right, and has ended


class Way:
    """A port on loopback that leads to a server.

    Args:
        port: the server's.
        certificates: what is shown, by the fault that it is.
        slow_seconds: how long a piece takes where the way is slow.
        starttls: whether TLS begins as in SMTP.
    """

    def __init__(
        self, port: int, certificates: Mapping[Fault, ServerFiles], slow_seconds: float, *, starttls: bool
    ) -> None:
        self._target = port
        self._starttls = starttls
        self._slow = slow_seconds
        self._fault = Fault.NONE
        self._open: list[socket.socket] = []
        self._listening = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listening.getsockname()[1]
        self._contexts = {fault: _context(files) for fault, files in certificates.items()}
        self._serve()

    def become(self, fault: Fault) -> None:
        """From now on; what was open before ends."""
        was_down, self._fault = self._fault is Fault.DOWN, fault
        self._cut()
        if fault is Fault.DOWN:
            self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
            return
        if was_down:
            self._listening = socket.create_server((LOOPBACK, self.port))
            self._serve()

    def close(self) -> None:
        if self._fault is not Fault.DOWN:
            self.become(Fault.DOWN)
        self._cut()

    def _pause(self, fault: Fault) -> float:
        return self._slow if fault is Fault.SLOW else 0.0

    def _cut(self) -> None:
        opened, self._open = self._open, []
        for each in opened:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _serve(self) -> None:
        threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def _accept(self, listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = listening.accept()[0]
                self._open.append(client)
                threading.Thread(target=self._treat, args=(client, self._fault), daemon=True).start()

    def _treat(self, client: socket.socket, fault: Fault) -> None:
        with contextlib.suppress(OSError, ValueError):
            match fault:
                case Fault.REFUSED:
                    client.close()
                case Fault.GARBAGE:
                    client.sendall(b"\x00\xff]]> 999 nonsense\r\n" * 20)
                    client.recv(_CHUNK)
                    client.sendall(b"\x00\xff]]> 999 nonsense\r\n" * 20)
                    client.close()
                case Fault.WRONG_TLS | Fault.EXPIRED:
                    if self._starttls:
                        _until_starttls(client)
                    with self._contexts[fault].wrap_socket(client, server_side=True) as secured:
                        secured.recv(_CHUNK)
                case Fault.HALF_OPEN:
                    while client.recv(_CHUNK):
                        pass
                case _:
                    server = socket.create_connection((LOOPBACK, self._target))
                    self._open.append(server)
                    threading.Thread(target=_carry, args=(client, server, self._pause(fault)), daemon=True).start()
                    _carry(server, client, self._pause(fault))


def _context(files: ServerFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    return context


def _until_starttls(client: socket.socket) -> None:
    client.sendall(b"220 mail.example ESMTP\r\n")
    while octets := client.recv(_CHUNK):
        begins = octets.upper().startswith(b"STARTTLS")
        client.sendall(b"220 go on\r\n" if begins else b"250-mail.example\r\n250 STARTTLS\r\n")
        if begins:
            return


def _carry(source: socket.socket, target: socket.socket, pause: float) -> None:
    with contextlib.suppress(OSError, ValueError):
        while octets := source.recv(_CHUNK):
            time.sleep(pause)
            target.sendall(octets)
    for each in (source, target):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


@contextmanager
def ways(ports: dict[str, int], certificates: Mapping[Fault, ServerFiles]) -> Iterator[dict[str, Way]]:
    """One to each server, by its name."""
    found = {
        name: Way(port, certificates, _PACE.get(name, _SLOW_SECONDS), starttls=name == _STARTTLS)
        for name, port in ports.items()
    }
    try:
        yield found
    finally:
        for way in found.values():
            way.close()
