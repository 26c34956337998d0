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
import sys
from pathlib import Path
from test_replica_crash import batch
from small_directory import SOURCE
from dirsync.replica import ReplicaWriter, first_load
first_load._AT_ONCE = 1
writer = ReplicaWriter(Path(sys.argv[1]))
print("begun", flush=True)
writer.apply(batch(1), SOURCE)
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


def test_after_kill_9_in_the_first_load_there_is_nothing_or_all(tmp_path):
    chance = random.Random(2)
    outcomes = set()
    for number in range(12):
        path = tmp_path / str(number)
        ReplicaWriter(path).close()
        process = subprocess.Popen(
            [sys.executable, "-c", FIRST_LOAD, str(path)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}:{Path(__file__).parent}"},
        )
        process.stdout.readline()  # it begins
        time.sleep(chance.uniform(0, 0.15))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        with contextlib.closing(ReplicaWriter(path)) as writer, contextlib.closing(Replica(path)) as replica:
            loaded = writer.cookie(SOURCE) is not None
            people = [replica.person(entry_id(f"user{number}")) for number in range(USERS)]
            assert {person is not None for person in people} == {loaded}
            assert bool(replica.find([("sam", "user1")])) == loaded
            outcomes.add(loaded)
            assert bool(writer.apply(batch(1), SOURCE)) == (not loaded)
    assert False in outcomes


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
