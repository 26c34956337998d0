"""Finds addresses and ports on loopback that nobody uses, so that several test runs fit on one machine."""

import fcntl
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rig.process import ServerFailure

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """A TCP port on 127.0.0.1 that was free when asked."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(address: str, port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
        return True


def answers(address: str, port: int) -> bool:
    """Whether somebody accepts connections there."""
    try:
        socket.create_connection((address, port), timeout=1.0).close()
    except OSError:
        return False
    return True


@contextmanager
def loopback_address(locks: Path, port: int) -> Iterator[str]:
    """Reserves an address among 127.0.0.10 to .29 on which `port` is free, for servers whose ports are fixed.

    Args:
        locks: directory for the lock files that keep test runs apart; shared by all of them.
        port: one that the server will take.

    Raises:
        ServerFailure: all twenty are in use.
    """
    locks.mkdir(parents=True, exist_ok=True)
    for last in range(10, 30):
        address = f"127.0.0.{last}"
        with (locks / f"{address}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            if is_free(address, port):
                yield address
                return
    raise ServerFailure(f"port {port} is in use on every address from 127.0.0.10 to 127.0.0.29")
