"""OpenVPN: a server with Debian's RADIUS plug-in, and clients."""

from pathlib import Path

from rig.ports import LOOPBACK
from rig.process import Process, ServerFailure, wait_until

RADIUS_PLUGIN = "/usr/lib/openvpn/radiusplugin.so"
_KEYS = "Control Channel: TLS"
_CONNECTED, _REFUSED = "Initialization Sequence Completed", "AUTH_FAILED"


class OpenVpn:
    """A server whose settings are somebody else's; needs root, and /dev/net/tun.

    Args:
        home: holds server.conf.
    """

    def __init__(self, home: Path) -> None:
        self._log = home / "openvpn.log"
        self.process = Process(["openvpn", "--config", str(home / "server.conf")], log=self._log)

    def start(self) -> None:
        """Starts and returns when clients may come; about 0.1 s."""
        self.process.start(lambda: _CONNECTED in self._log.read_text())

    def stop(self) -> None:
        """Ends it, and all connections."""
        self.process.stop()


class OpenVpnClient:
    """Somebody's client, which asks once with a name and a password, and gives its tunnel no address.

    Args:
        folder: for its files; holds client.conf.
        port: of the server.
        user: the name.
        password: what is typed.
        renegotiates: after how many seconds it agrees on new keys; an hour when absent.
    """

    def __init__(self, folder: Path, port: int, user: str, password: str, *, renegotiates: int | None = None) -> None:
        typed = folder / "typed"
        typed.touch(mode=0o600)
        typed.write_text(f"{user}\n{password}\n")
        self._log = folder / f"client-{len(list(folder.glob('client-*.log')))}.log"
        command = ["openvpn", "--config", str(folder / "client.conf"), "--remote", LOOPBACK, str(port)]
        command += [
            "--dev",
            "tun",
            "--ifconfig-noexec",
            "--route-noexec",
            "--verb",
            "3",
            "--auth-user-pass",
            str(typed),
            "--auth-retry",
            "none",
        ]
        command += [] if renegotiates is None else ["--reneg-sec", str(renegotiates)]
        # the shell stays when the client has ended: one that was refused at once is no failed start
        self._process = Process(["sh", "-c", '"$@"; sleep 60', "sh", *command], log=self._log)

    def start(self) -> None:
        """Starts it, and does not wait for anything."""
        self._process.start(lambda: True)

    def stop(self) -> None:
        """Hangs up."""
        self._process.kill()

    def wait_for_renegotiation(self, timeout: float = 30.0) -> None:
        """Returns when new keys were agreed on; raises ServerFailure when that is not so in time."""
        wait_until(lambda: self._log.read_text().count(_KEYS) > 1, timeout, self._process.log_tail)

    def connected(self, timeout: float = 30.0) -> bool:
        """Whether it was let in, once that is known; raises ServerFailure when it is not in time."""
        said = self._process.log_tail
        wait_until(lambda: any(each in self._log.read_text() for each in (_CONNECTED, _REFUSED)), timeout, said)
        connected, refused = (each in self._log.read_text() for each in (_CONNECTED, _REFUSED))
        if connected is refused:
            raise ServerFailure(said())
        return connected
