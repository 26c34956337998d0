"""strongSwan's IKE daemon, as gateway and as client: several of them on one machine, on ports of their own."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from rig.process import SYSTEM_ENVIRONMENT, Process, run


class StrongSwan:
    """A daemon whose settings are somebody else's; needs root.

    Args:
        home: holds strongswan.conf, swanctl.conf, and swanctl's folders with certificates and keys.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._socket = home / "vici.socket"
        environment = {"STRONGSWAN_CONF": str(home / "strongswan.conf")}
        self.process = Process(["charon-systemd"], log=home / "charon.log", environment=environment)

    @property
    def log(self) -> str:
        """What it said."""
        return (self._home / "charon.log").read_text()

    def start(self) -> None:
        """Starts and returns when its connections are loaded; about 0.2 s."""
        self.process.start(self._socket.exists)
        self.load()

    def stop(self) -> None:
        """Ends it, and all connections."""
        self.process.stop()

    def load(self) -> None:
        """Has it read its connections and secrets again."""
        run(self._swanctl("--load-all", "--clear"), environment=self._environment)

    def initiate(self, connection: str) -> bool:
        """Connects; whether the other side let us in."""
        command = self._swanctl("--initiate", "--ike", connection, "--timeout", "30")
        environment = SYSTEM_ENVIRONMENT | self._environment
        return subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 0

    def connections(self) -> str:
        """Those that are up, as swanctl tells them."""
        return run(self._swanctl("--list-sas"), environment=self._environment)

    @property
    def _environment(self) -> Mapping[str, str]:
        return {"SWANCTL_DIR": str(self._home), "STRONGSWAN_CONF": str(self._home / "strongswan.conf")}

    def _swanctl(self, command: str, *arguments: str) -> list[str]:
        return ["swanctl", command, *arguments, "--uri", f"unix://{self._socket}"]
