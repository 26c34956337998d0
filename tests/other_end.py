"""The other end of an LDAP connection, for what a real server cannot be made to do: falling silent, or hanging up."""

import socket
import ssl
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field

from dirsync.wire import ber

SEARCH, BIND = 0x63, 0x60
SEARCH_DONE, BIND_RESPONSE = 0x65, 0x61
SUCCESS, INVALID_CREDENTIALS = 0, 49


@contextmanager
def listener(serve=lambda _: None):
    """A socket that hands each connection it accepts to `serve`, in a thread of its own; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept, threads = [], []

        def run(connection):
            # the client may hang up at any time, or not like the certificate
            try:
                serve(connection)
            except OSError:
                return

        def accept():
            while True:
                try:
                    connection = server.accept()[0]
                except OSError:
                    return
                kept.append(connection)
                threads.append(threading.Thread(target=run, args=(connection,)))
                threads[-1].start()

        acceptor = threading.Thread(target=accept)
        acceptor.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            acceptor.join()
            for connection in kept:
                connection.close()
            for thread in threads:
                thread.join(5)


def encrypting(files, serve):
    """`serve` behind a TLS handshake with these certificates."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.certificate, files.key)

    def encrypted(connection):
        with context.wrap_socket(connection, server_side=True) as inner:
            serve(inner)

    return encrypted


def result(tag, code, diagnostic=""):
    """An LDAPResult (RFC 4511 section 4.1.9) as the operation with this tag."""
    contents = b"\x0a\x01" + bytes([code]) + ber.octet_string(b"") + ber.octet_string(diagnostic.encode())
    return bytes([tag, len(contents)]) + contents


def controls(values):
    """Controls (RFC 4511 section 4.1.11), None for one without a value."""
    told = b"".join(
        ber.sequence(ber.octet_string(oid.encode()), b"" if value is None else ber.octet_string(value))
        for oid, value in values.items()
    )
    return bytes([0xA0, len(told)]) + told


@dataclass
class Answering:
    """Answers every search with success and every bind as told; counts both.

    Attributes:
        code: of the answer to a bind; None hangs up instead.
        diagnostic: that goes with it.
        tag: of the operation that it is an answer to.
        controls: that go with it, by OID.
        hold: set while binds are answered; cleared, they have to wait.
        binds: the binds that arrived, as octets.
        connections: how many there were.
        waiting: how many binds are unanswered now.
        most_waiting: how many there were at the worst of times.
    """

    code: int | None = SUCCESS
    diagnostic: str = ""
    tag: int = BIND_RESPONSE
    controls: dict[str, bytes | None] = field(default_factory=dict)
    hold: threading.Event = field(default_factory=threading.Event)
    binds: list[bytes] = field(default_factory=list)
    connections: int = 0
    waiting: int = 0
    most_waiting: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self):
        self.hold.set()

    def serve(self, connection):
        self.connections += 1
        while octets := connection.recv(65536):
            message = ber.Reader(octets).sequence()
            number = message.integer()
            if octets.find(bytes([BIND]), 4, 8) > 0:
                answer = self.answer_bind(octets)
                if answer is None:
                    return
            else:
                answer = result(SEARCH_DONE, SUCCESS)
            connection.sendall(ber.sequence(ber.integer(number), answer))

    def answer_bind(self, octets):
        with self.lock:
            self.binds.append(octets)
            self.waiting += 1
            self.most_waiting = max(self.most_waiting, self.waiting)
        self.hold.wait(10)
        with self.lock:
            self.waiting -= 1
        if self.code is None:
            return None
        return result(self.tag, self.code, self.diagnostic) + (controls(self.controls) if self.controls else b"")
