"""Starts the servers of a Valkey Cluster, and writes the [state] section that names them."""

import contextlib
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from auth.shared.settings import Arrangement, SharedSettings
from rig.certificates import ServerFiles
from rig.fixtures import running
from rig.process import SYSTEM_ENVIRONMENT, wait_until
from rig.valkey import Valkey, program
from shared.node import settings


@contextlib.contextmanager
def a_cluster(
    folder: Path, replicas: int = 0, *, users: Mapping[str, str] | None = None, tls: ServerFiles | None = None
) -> Iterator[list[Valkey]]:
    """Three primaries, and so many replicas of the first one behind them; users and certificate as of `Valkey`."""
    options = {"cluster-enabled": "yes", "cluster-node-timeout": "2000"} | ({"tls-cluster": "yes"} if tls else {})
    with contextlib.ExitStack() as stack:
        servers = [
            stack.enter_context(running(Valkey(folder / f"server-{number}", users=users, tls=tls, options=options)))
            for number in range(3 + replicas)
        ]
        around, places = servers[0].administered, [each.place for each in servers[:3]]
        made = subprocess.run(
            [program("cli"), *around, "--cluster", "create", *places, "--cluster-yes"],
            capture_output=True, text=True, env=SYSTEM_ENVIRONMENT, check=False, timeout=60,
        )  # fmt: skip
        assert "All 16384 slots covered" in made.stdout
        first = servers[0].cli("CLUSTER", "MYID")
        for each in servers[3:]:
            each.cli("CLUSTER", "MEET", servers[0].host, str(servers[0].port))
            wait_until(lambda each=each: each.cli("CLUSTER", "REPLICATE", first) == "OK", 20.0, each.process.log_tail)
            wait_until(lambda each=each: "connected" in each.cli("ROLE").split(), 20.0, each.process.log_tail)
        wait_until(
            lambda: all("cluster_state:ok" in each.cli("CLUSTER", "INFO") for each in servers),
            20.0,
            lambda: made.stdout,
        )
        yield servers


def of_a_cluster(servers: list[Valkey], prefix: str, **values: object) -> SharedSettings:
    """The [state] section that names the first server of a cluster."""
    values = {"timeout_seconds": 3.0, **values}
    return settings(servers[0], prefix=prefix, arrangement=Arrangement.CLUSTER, **values)
