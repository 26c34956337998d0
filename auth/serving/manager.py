"""What the service manager is told: ready, reloading, stopping, alive (sd_notify(3)). Without one nobody is told."""

import logging
import socket
from collections.abc import Mapping

_log = logging.getLogger("dirfactor.app")
_ABSTRACT = "@"
_MICROSECONDS = 1_000_000


class ServiceManager:
    """Sends datagrams to $NOTIFY_SOCKET; what cannot be sent is no reason to stop.

    Args:
        environment: of this process: NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID.
        process: id of this process.
    """

    def __init__(self, environment: Mapping[str, str], process: int) -> None:
        path = environment.get("NOTIFY_SOCKET", "")
        self._address = f"\0{path[1:]}" if path.startswith(_ABSTRACT) else path
        ours = environment.get("WATCHDOG_PID") in {None, str(process)}
        text = environment.get("WATCHDOG_USEC", "")
        self._watchdog = int(text) / _MICROSECONDS if ours and text.isascii() and text.isdigit() else 0.0

    @property
    def watched(self) -> float:
        """Within how many seconds `alive` is wanted again; 0 when nobody waits for it."""
        return self._watchdog if self._address else 0.0

    def ready(self, status: str) -> None:
        """It serves; `status` is for people."""
        self._send("READY=1", status)

    def kept(self, status: str) -> None:
        """It serves as before, for the new configuration cannot be used; `status` is for people."""
        self._send("READY=1", f"{status}; the new configuration cannot be used")

    def reloading(self, monotonic: float) -> None:
        """It reads its configuration again; `monotonic` are seconds of CLOCK_MONOTONIC."""
        self._send("RELOADING=1", "reads its configuration", f"MONOTONIC_USEC={int(monotonic * _MICROSECONDS)}")

    def stopping(self) -> None:
        """It ends what was begun, and then itself."""
        self._send("STOPPING=1", "ends what was begun")

    def alive(self) -> None:
        """Its event loop turns."""
        self._send("WATCHDOG=1")

    def _send(self, word: str, status: str = "", *further: str) -> None:
        if not self._address:
            return
        lines = (word, *((f"STATUS={' '.join(status.split())}",) if status else ()), *further)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as notifier:
                notifier.setblocking(False)
                notifier.sendto("\n".join(lines).encode(), self._address)
        except OSError as error:
            _log.warning("the service manager cannot be told %s: %s", word, error.strerror)
