"""Runs a real Valkey, or the Redis that this Debian has in its place: alone, as primary and replica, with sentinels."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from rig.certificates import ServerFiles
from rig.ports import LOOPBACK, answers, free_port
from rig.process import SYSTEM_ENVIRONMENT, Process, wait_until

ADMINISTRATOR = "canary-Valkey-admin"
_HIGHEST_PORT = 55_535  # members of a cluster talk to each other 10,000 ports above


def program(name: str) -> str:
    """`server`, `cli` or `sentinel` of Valkey where it is installed, of Redis where that is."""
    for family in ("valkey", "redis"):
        if shutil.which(f"{family}-{name}", path=SYSTEM_ENVIRONMENT["PATH"]):
            return f"{family}-{name}"
    raise FileNotFoundError(f"neither valkey-{name} nor redis-{name} is installed")


class Valkey:
    """One server on a free port of loopback.

    Args:
        home: directory for everything of this server; made when missing.
        users: lines of ACL rules by user, beside an administrator; without any everybody may do everything.
        tls: its certificate; plain connections are refused then.
        options: further lines of its configuration.
    """

    host = LOOPBACK

    def __init__(
        self,
        home: Path,
        *,
        users: Mapping[str, str] | None = None,
        tls: ServerFiles | None = None,
        options: Mapping[str, str] | None = None,
    ) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        while self.port > _HIGHEST_PORT:
            self.port = free_port()
        self._tls = tls
        self._users = users
        listen = {"port": str(self.port)}
        if tls is not None:
            listen = {
                "port": "0",
                "tls-port": str(self.port),
                "tls-cert-file": str(tls.certificate),
                "tls-key-file": str(tls.key),
                "tls-ca-cert-file": str(tls.ca),
                "tls-auth-clients": "optional",
            }
        lines = {"bind": LOOPBACK, "dir": str(home), "save": '""', "appendonly": "no", **listen, **(options or {})}
        if users is not None:
            acl = [f"user administrator on >{ADMINISTRATOR} ~* &* +@all", "user default off"]
            acl += [f"user {name} {rules}" for name, rules in users.items()]
            (home / "users.acl").write_text("\n".join(acl) + "\n")
            lines["aclfile"] = str(home / "users.acl")
        (home / "server.conf").write_text("".join(f"{key} {value}\n" for key, value in lines.items()))
        self.process = Process([program("server"), str(home / "server.conf")], log=home / "server.log")

    @property
    def place(self) -> str:
        """host:port."""
        return f"{LOOPBACK}:{self.port}"

    def start(self) -> None:
        """Starts and returns when it answers."""
        self.process.start(lambda: answers(LOOPBACK, self.port) and "PONG" in self.cli("PING"))

    def stop(self) -> None:
        """Ends it; what it does not persist is gone."""
        self.process.stop()

    def kill(self) -> None:
        """Ends it at once."""
        self.process.kill()

    def cli(self, *command: str) -> str:
        """What it answers to an administrator; empty where it does not."""
        around = ["-h", LOOPBACK, "-p", str(self.port), "--raw"]
        if self._tls is not None:
            around += ["--tls", "--cacert", str(self._tls.ca)]
        if self._users is not None:
            around += ["--user", "administrator", "--pass", ADMINISTRATOR, "--no-auth-warning"]
        asked = [program("cli"), *around, *command]
        done = subprocess.run(asked, capture_output=True, text=True, env=SYSTEM_ENVIRONMENT, check=False, timeout=30)
        return done.stdout.strip()

    def follow(self, primary: "Valkey") -> None:
        """Become a replica, and return when it has what the primary has."""
        self.cli("REPLICAOF", LOOPBACK, str(primary.port))
        wait_until(lambda: "master_link_status:up" in self.cli("INFO", "replication"), 20.0, self.process.log_tail)


class Sentinel:
    """A sentinel that watches one primary under the name `logins`.

    Args:
        home: directory for everything of it; made when missing.
        primary: whom it watches.
        quorum: how many sentinels must agree that it is down.
    """

    def __init__(self, home: Path, primary: Valkey, quorum: int = 1) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        lines = (
            f"bind {LOOPBACK}",
            f"port {self.port}",
            f"dir {home}",
            f"sentinel monitor logins {LOOPBACK} {primary.port} {quorum}",
            "sentinel down-after-milliseconds logins 300",
            "sentinel failover-timeout logins 3000",
        )
        config = home / "sentinel.conf"
        config.write_text("\n".join(lines) + "\n")
        self.process = Process([program("server"), str(config), "--sentinel"], log=home / "sentinel.log")

    @property
    def place(self) -> str:
        """host:port."""
        return f"{LOOPBACK}:{self.port}"

    def start(self) -> None:
        """Starts and returns when it answers."""
        self.process.start(lambda: answers(LOOPBACK, self.port))

    def stop(self) -> None:
        """Ends it."""
        self.process.stop()
