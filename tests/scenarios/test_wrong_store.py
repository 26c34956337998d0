"""`dirfactor serve` at a state that cannot be used: the process ends by itself, and says what to do about it."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from auth.cli.faults import Exit
from auth.embedded.version import VERSION
from auth.shared.rights import RIGHTS, RIGHTS_AT_SENTINELS, RIGHTS_IN_A_CLUSTER
from cluster.servers import a_cluster
from other_end import listener
from rig.fixtures import running
from rig.ports import LOOPBACK
from rig.valkey import Sentinel, Valkey

pytestmark = pytest.mark.servers

PASSWORD = "canary-Valkey-6"
ACCOUNT = "username = dirfactor\npassword = env:STORE_PASSWORD\n"
CONFIG = f"""\
[service]
state_directory = state

[directory]
kind = ldif
file = directory.ldif

[radius]
host = {LOOPBACK}
port = 0

[http]
enabled = no

"""


def configured(folder: Path, state: str = "") -> Path:
    """A config.ini, with such a [state] section."""
    (folder / "directory.ldif").write_text("version: 1\n")
    file = folder / "config.ini"
    file.write_text(CONFIG + (f"[state]\ntls = no\ntimeout_seconds = 8\n{state}" if state else ""))
    return file


def serve(file: Path) -> tuple[int, str]:
    """Exit status of a process that has to end by itself, and all that it wrote."""
    command = (sys.executable, "-m", "auth", "serve", "--config", str(file))
    around = os.environ | {"STORE_PASSWORD": PASSWORD}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=around)
    assert PASSWORD not in done.stdout + done.stderr
    return done.returncode, done.stdout + done.stderr


def refused(problem: str, remedy: str) -> str:
    """How an operator reads it, at the end of what was written."""
    return f"{problem}\n    {remedy}\n"


def test_at_a_server_that_may_forget_it_does_not_start(tmp_path):
    with running(Valkey(tmp_path / "valkey", options={"maxmemory-policy": "volatile-lru"})) as server:
        status, said = serve(configured(tmp_path, f"servers = {server.place}\n"))
    assert status == Exit.FAILED
    problem = "[state]: by maxmemory-policy volatile-lru the server would forget which codes were used"
    remedy = "CONFIG SET maxmemory-policy noeviction, and the same in its configuration file"
    assert said.endswith(refused(problem, remedy))


def test_at_a_server_of_too_old_a_release_it_does_not_start(tmp_path):
    told = b"redis_version:6.0.16\r\nrole:master\r\n"

    def answer(connection):
        while connection.recv(4096):
            connection.sendall(b"$%d\r\n%s\r\n" % (len(told), told))

    with listener(answer) as port:
        status, said = serve(configured(tmp_path, f"servers = {LOOPBACK}:{port}\n"))
    assert status == Exit.FAILED
    assert said.endswith(refused("[state]: the server is Redis 6.0.16", "use Redis 6.2 or later, or any Valkey"))


@pytest.mark.parametrize("right", ["time", "hincrby"])
def test_at_a_server_whose_acl_allows_too_little_it_does_not_start(tmp_path, right):
    users = {"dirfactor": f"on >{PASSWORD} ~dirfactor:* {RIGHTS} -{right}"}
    with running(Valkey(tmp_path / "valkey", users=users)) as server:
        status, said = serve(configured(tmp_path, f"servers = {server.place}\n{ACCOUNT}"))
    assert status == Exit.FAILED
    assert "[state]: the server's ACL does not allow what is needed: " in said
    assert said.endswith(f"\n    ACL SETUSER NAME on >PASSWORD ~dirfactor:* {RIGHTS}\n")


def test_at_a_cluster_whose_acl_allows_what_one_server_needs_it_does_not_start(tmp_path):
    with a_cluster(tmp_path, users={"dirfactor": f"on >{PASSWORD} ~dirfactor:* {RIGHTS}"}) as servers:
        section = f"arrangement = cluster\nservers = {servers[0].place}\n{ACCOUNT}"
        status, said = serve(configured(tmp_path, section))
    assert status == Exit.FAILED
    assert "'cluster|slots'" in said or "'cluster'" in said, "as 7.0 and 6.2 say it"
    assert said.endswith(f"\n    ACL SETUSER NAME on >PASSWORD ~dirfactor:* {RIGHTS_IN_A_CLUSTER}\n")


def test_at_sentinels_whose_acl_allows_too_little_it_does_not_start(tmp_path):
    users = {"watcher": f"on >{PASSWORD} -@all"}
    with (
        running(Valkey(tmp_path / "valkey")) as server,
        running(Sentinel(tmp_path / "sentinel", server, users=users)) as sentinel,
    ):
        account = "sentinel_username = watcher\nsentinel_password = env:STORE_PASSWORD\n"
        section = f"arrangement = sentinel\nprimary = logins\nservers = {sentinel.place}\n{account}"
        status, said = serve(configured(tmp_path, section))
    assert status == Exit.FAILED
    assert said.endswith(f"\n    ACL SETUSER NAME on >PASSWORD {RIGHTS_AT_SENTINELS}, at each sentinel\n")


@pytest.mark.parametrize("workers", [1, 2])
def test_with_a_state_file_of_a_later_release_it_does_not_start_and_leaves_the_file_as_it_is(tmp_path, workers):
    state = tmp_path / "state" / "state.sqlite"
    state.parent.mkdir(mode=0o700)
    with closing(sqlite3.connect(state)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    before = state.read_bytes()
    file = configured(tmp_path)
    file.write_text(file.read_text().replace("[service]\n", f"[service]\nworkers = {workers}\n"))
    status, said = serve(file)
    assert status == Exit.FAILED
    assert f"state file {state} is of a later release: version {VERSION + 1}, and this one knows {VERSION}" in said
    assert f"put state.sqlite.version-{VERSION}, which that release made before, in their place" in said
    assert state.read_bytes() == before
    assert not list(state.parent.glob("*.version-*"))
