"""One connection to a receiver; all that may block does so for some seconds at most. Every failure is an OSError."""

import contextlib
import errno
import socket
import ssl

from auth.audit.export.target import Target, Transport

_SECONDS = 5.0


class UndeliverableError(Exception):
    """No datagram holds the message."""


class Connection:
    """Sends messages to a receiver.

    Args:
        target: the receiver.
        tls: for tls://.

    Raises:
        OSError: it cannot be reached, or is not trusted.
    """

    def __init__(self, target: Target, tls: ssl.SSLContext | None) -> None:
        self._is_datagram = target.transport is Transport.UDP
        kind = socket.SOCK_DGRAM if self._is_datagram else socket.SOCK_STREAM
        try:
            address = socket.getaddrinfo(target.host, target.port, type=kind)[0]
        except UnicodeError:
            raise OSError(errno.EINVAL, f"{target.host} is no host name") from None
        opened = socket.socket(address[0], kind)
        try:
            opened.settimeout(_SECONDS)
            opened.connect(address[4])
            self._socket = tls.wrap_socket(opened, server_hostname=target.host) if tls else opened
        except BaseException:
            opened.close()
            raise

    def send(self, message: bytes) -> None:
        """Send one message. Nobody confirms it: what the network still holds when it breaks is lost.

        Raises:
            OSError: it was not sent.
            UndeliverableError: it never will be.
        """
        if not self._is_datagram:
            self._demand_open()
            self._socket.sendall(b"%d %b" % (len(message), message))
            return
        try:
            self._socket.send(message)
        except OSError as error:
            if error.errno == errno.EMSGSIZE:
                raise UndeliverableError from error
            raise

    def close(self) -> None:
        """Close it; over TLS after saying so (RFC 5425 section 4.4)."""
        with contextlib.suppress(OSError):
            if isinstance(self._socket, ssl.SSLSocket):
                self._socket.settimeout(_SECONDS / 5)
                self._socket.unwrap()
        self._socket.close()

    def _demand_open(self) -> None:
        """A receiver that has closed takes one more message without a word; it says so only when it is listened to."""
        self._socket.settimeout(0.0)
        try:
            if not self._socket.recv(1024):
                raise ConnectionResetError("the receiver has closed the connection")
        except (BlockingIOError, ssl.SSLWantReadError):
            pass
        finally:
            self._socket.settimeout(_SECONDS)
