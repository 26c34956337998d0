"""Runs a real Valkey, or the Redis that this Debian has in its place: alone, as primary and replica, with sentinels."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
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


def _listening(port: int, tls: ServerFiles | None) -> Iterator[tuple[str, str]]:
    """Lines of a configuration; over TLS plain connections are refused, and other servers are spoken to by it."""
    yield "bind", LOOPBACK
    yield "port", "0" if tls is not None else str(port)
    if tls is not None:
        yield "tls-port", str(port)
        yield "tls-cert-file", str(tls.certificate)
        yield "tls-key-file", str(tls.key)
        yield "tls-ca-cert-file", str(tls.ca)
        yield "tls-auth-clients", "optional"
        yield "tls-replication", "yes"


def _accounts(home: Path, users: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Lines of a configuration by which an administrator and these users are let in, and nobody else."""
    acl = [f"user administrator on >{ADMINISTRATOR} ~* &* +@all", "user default off"]
    acl += [f"user {name} {rules}" for name, rules in users.items()]
    (home / "users.acl").write_text("\n".join(acl) + "\n")
    yield "aclfile", str(home / "users.acl")


class Valkey:
    """One server on a free port of loopback.

    Args:
        home: directory for everything of this server; made when missing.
        users: lines of ACL rules by user, beside an administrator; without any everybody may do everything.
        tls: its certificate; plain connections are refused then.
        options: further lines of its configuration.
        environment: variables on top of the system's.
    """

    host = LOOPBACK

    def __init__(
        self,
        home: Path,
        *,
        users: Mapping[str, str] | None = None,
        tls: ServerFiles | None = None,
        options: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        while self.port > _HIGHEST_PORT:
            self.port = free_port()
        self.users = users
        self.tls = tls
        lines = {
            "dir": str(home),
            "save": '""',
            "appendonly": "no",
            **dict(_listening(self.port, tls)),
            **(options or {}),
        }
        if users is not None:
            lines |= dict(_accounts(home, users)) | {"masteruser": "administrator", "masterauth": ADMINISTRATOR}
        (home / "server.conf").write_text("".join(f"{key} {value}\n" for key, value in lines.items()))
        command = [program("server"), str(home / "server.conf")]
        self.process = Process(command, log=home / "server.log", environment=environment)

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

    @property
    def administered(self) -> list[str]:
        """What makes an administrator of `cli`, wherever it connects to."""
        around = []
        if self.tls is not None:
            around += ["--tls", "--cacert", str(self.tls.ca)]
        if self.users is not None:
            around += ["--user", "administrator", "--pass", ADMINISTRATOR, "--no-auth-warning"]
        return around

    def cli(self, *command: str) -> str:
        """What it answers to an administrator; empty where it does not."""
        asked = [program("cli"), "-h", LOOPBACK, "-p", str(self.port), "--raw", *self.administered, *command]
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
        primary: whom it watches, over TLS where that speaks it.
        quorum: how many sentinels must agree that it is down.
        users: lines of its own ACL by user, beside an administrator; without any everybody may do everything.
        tls: its certificate; plain connections are refused then. Its authority has to be the primary's as well.
    """

    def __init__(
        self,
        home: Path,
        primary: Valkey,
        quorum: int = 1,
        *,
        users: Mapping[str, str] | None = None,
        tls: ServerFiles | None = None,
    ) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        own = [*_listening(self.port, tls), *(_accounts(home, users) if users is not None else ())]
        lines = [f"{key} {value}" for key, value in own]
        lines += [
            f"dir {home}",
            f"sentinel monitor logins {LOOPBACK} {primary.port} {quorum}",
            "sentinel down-after-milliseconds logins 300",
            "sentinel failover-timeout logins 3000",
        ]
        if primary.users is not None:
            lines += ["sentinel auth-user logins administrator", f"sentinel auth-pass logins {ADMINISTRATOR}"]
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
