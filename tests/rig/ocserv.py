"""OpenConnect VPN: the server ocserv and the client openconnect, with a tunnel between them."""

import json
from pathlib import Path

from rig.ports import LOOPBACK, answers
from rig.process import Process, run
from rig.typed import Typed


class Ocserv:
    """A gateway whose settings are somebody else's; needs root, and /dev/net/tun.

    Args:
        home: holds ocserv.conf.
        port: where that has it listen, on 127.0.0.1.
        control: the socket for occtl that it names.
    """

    def __init__(self, home: Path, port: int, control: Path) -> None:
        self._port, self._control = port, control
        command = ["ocserv", "--foreground", "--debug", "2", "--config", str(home / "ocserv.conf")]
        self.process = Process(command, log=home / "ocserv.log")

    @property
    def url(self) -> str:
        """Where clients connect to."""
        return f"https://{LOOPBACK}:{self._port}"

    def start(self) -> None:
        """Starts and returns when it listens; about 0.1 s."""
        self.process.start(lambda: answers(LOOPBACK, self._port) and self._control.exists())

    def stop(self) -> None:
        """Ends it, and all connections."""
        self.process.stop()

    def group_of(self, user: str) -> str:
        """The group that a connected user is in."""
        users = json.loads(run(["occtl", "--socket-file", str(self._control), "--json", "show", "users"]))
        (group,) = [each["Groupname"] for each in users if each["Username"] == user]
        return str(group)


def openconnect(folder: Path, gateway: Ocserv, ca_file: Path, user: str) -> Typed:
    """Somebody's client, not started; it makes a tunnel and gives it no address."""
    command = ["openconnect", "--user", user, "--cafile", str(ca_file), "--script", "/bin/true", gateway.url]
    return Typed(command, log=folder / "openconnect.log")
