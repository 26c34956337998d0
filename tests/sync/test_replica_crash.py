"""The replica when its writer is killed at any moment, and while it is read: always one whole version."""

import contextlib
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dirsync.change import LinkKind
from dirsync.replica import Replica, ReplicaWriter
from small_directory import NOW, SOURCE, directory, entry_id, increment, refresh, thing, whole_put

USERS = 150
ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys, itertools
from pathlib import Path
from test_replica_crash import batch
from small_directory import SOURCE
from dirsync.replica import ReplicaWriter
writer = ReplicaWriter(Path(sys.argv[1]))
for version in itertools.count(int(sys.argv[2])):
    writer.apply(batch(version), SOURCE)
    print(version, flush=True)
"""

FIRST_LOAD = """
import os, signal, sys
from pathlib import Path
from test_replica_crash import batch
from small_directory import SOURCE
from dirsync.replica import ReplicaWriter, first_load
first_load._AT_ONCE = 1
writer = ReplicaWriter(Path(sys.argv[1]))
change, last, calls = batch(1), int(sys.argv[2]), 0
def count(*_):
    global calls
    calls += 1
    if calls == last:
        os.kill(os.getpid(), signal.SIGKILL)
sys.setprofile(count)
writer.apply(change, SOURCE)
sys.setprofile(None)
print(calls, flush=True)
"""


def state(version: int):
    """A directory in which everything carries the version's number."""
    names = [f"user{number}" for number in range(USERS)]
    holder = thing("people", "ou", links={LinkKind.POLICY: ["policy"]})
    return directory(
        holder,
        thing("policy", "policy", dirfactorPriority=str(version)),
        thing("group", "group", links={LinkKind.MEMBER: names[version % 2 :: 2]}, sAMAccountName=f"group{version}"),
        *(thing(name, "user", holder.id, mail=f"{version}@lab.example") for name in names),
    )


def batch(version: int):
    """Told as a full read, or as an increment, in turn."""
    things = state(version)
    if version % 3:
        return refresh(things, str(version).encode())
    return increment((whole_put(things, item) for item in things.values()), str(version).encode())


def writing(path: Path, start: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(path), str(start)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}:{Path(__file__).parent}"},
    )


def test_after_kill_9_it_is_the_old_or_the_new_version_with_its_cookie(tmp_path):
    path = tmp_path / "replica"
    chance = random.Random(1)
    version = 0
    for _ in range(10):
        process = writing(path, version + 1)
        told = process.stdout.readline()  # the first one has been applied
        time.sleep(chance.uniform(0, 0.05))
        process.send_signal(signal.SIGKILL)
        rest = process.communicate()[0].split()
        told = int(rest[-1] if rest else told)
        with contextlib.closing(ReplicaWriter(path)) as writer:
            version = int(writer.cookie(SOURCE))
            assert version in {told, told + 1}
            with contextlib.closing(Replica(path)) as replica:
                people = [replica.person(entry_id(f"user{number}")) for number in range(USERS)]
                assert {person.user.mail for person in people} == {f"{version}@lab.example"}
                assert [bool(person.groups) for person in people] == [
                    number % 2 == version % 2 for number in range(USERS)
                ]
                assert people[0].ancestors[0].policy.policy.priority == version
            assert not writer.apply(batch(version), SOURCE)


def first_load(path: Path, last: int) -> subprocess.CompletedProcess[str]:
    """A first load that ends itself by SIGKILL at its call number `last`; never at 0."""
    ReplicaWriter(path).close()
    return subprocess.run(
        [sys.executable, "-c", FIRST_LOAD, str(path), str(last)],
        check=False,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}:{Path(__file__).parent}"},
    )


def test_after_kill_9_in_the_first_load_there_is_nothing_or_all(tmp_path):
    calls = int(first_load(tmp_path / "whole", 0).stdout)
    chance = random.Random(2)
    outcomes = []
    for last in [*(chance.randrange(1, calls) for _ in range(10)), *range(calls - 4, calls)]:
        path = tmp_path / str(last)
        assert first_load(path, last).returncode == -signal.SIGKILL
        with contextlib.closing(ReplicaWriter(path)) as writer, contextlib.closing(Replica(path)) as replica:
            loaded = writer.cookie(SOURCE) is not None
            people = [replica.person(entry_id(f"user{number}")) for number in range(USERS)]
            assert {person is not None for person in people} == {loaded}
            assert bool(replica.find([("sam", "user1")])) == loaded
            outcomes.append(loaded)
            assert bool(writer.apply(batch(1), SOURCE)) == (not loaded)
    assert not all(outcomes)
    assert outcomes[-1]  # the last call of all comes after the commit


@pytest.mark.parametrize("remembered", [1, 1000])
def test_a_reader_beside_the_writer_sees_only_whole_versions(tmp_path, remembered):
    path = tmp_path / "replica"
    with contextlib.closing(ReplicaWriter(path)) as writer:
        writer.apply(batch(1), SOURCE)
    versions = []
    with contextlib.closing(Replica(path, remembered)) as replica:
        process = writing(path, 2)
        try:
            until = time.monotonic() + 1
            while time.monotonic() < until or len(set(versions)) < 5:
                assert len(replica.find([("sam", "user1"), ("sam", "user2")])) == 2
                # one of them is in the group, whatever the version
                person = replica.person(entry_id(f"user{len(versions) % USERS}"))
                version = int(person.user.mail.split("@")[0])
                assert person.ancestors[0].policy.policy.priority == version
                assert [group.group.name for group in person.groups] in ([], [f"group{version}"])
                assert bool(person.groups) == (len(versions) % 2 == version % 2)
                assert replica.freshness().as_of == NOW
                versions.append(version)
                assert time.monotonic() < until + 30
        finally:
            process.kill()
            process.communicate()
    assert versions == sorted(versions)
