# ruff: noqa: INP001 - bench is a folder of programs, no package
"""Somebody who reads a replica, a program of its own: reader.py REPLICA PEOPLE.

Prints a line as soon as the first logon could be decided, then one of JSON with its look-ups; then waits for the end of
its input, so that its memory can be looked at.
"""

import gc
import sys
import time
from pathlib import Path

import company
import msgspec

from auth.effective import effective_policy
from auth.pauses import freeze_what_stays
from dirsync.replica import Replica

_LOOKED_UP = 2000  # people; as many fit into the replica's memory of those that were asked for last


class Reading(msgspec.Struct, frozen=True):
    """What the look-ups took.

    Attributes:
        first: seconds for a person that was not asked for before: found by login name, read, with effective policy.
        again: seconds for one that was.
        first_cpu: of `first`, for how long it had a core.
        again_cpu: of `again`.
        longest_pause: seconds of processor time that the longest garbage collection took.
    """

    first: float
    again: float
    first_cpu: float
    again_cpu: float
    longest_pause: float


def decide(replica: Replica, number: int) -> None:
    """Find a person by login name, with the policy that governs them."""
    (user,) = replica.find((("sam", company.login_name(number)),))
    person = replica.person(user)
    if person is None or effective_policy(person, "vpn", None, None).name.partition(",")[0].lower() != "cn=staff":
        msg = f"{company.login_name(number)} is not governed by cn=staff"
        raise RuntimeError(msg)


def main(path: str, people: int) -> None:
    """Read, print, wait."""
    replica = Replica(Path(path))
    decide(replica, 0)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    freeze_what_stays()
    pauses = [0.0]

    def watch(phase: str, _: dict[str, int]) -> None:
        now = time.thread_time()  # others may have the core in the middle of a pause
        pauses.append(now if phase == "start" else now - pauses.pop())

    gc.callbacks.append(watch)
    numbers = range(0, people, max(1, people // _LOOKED_UP))[:_LOOKED_UP]
    took, had = [], []
    for _ in range(2):
        began, began_cpu = time.perf_counter(), time.process_time()
        for number in numbers:
            decide(replica, number)
        took.append((time.perf_counter() - began) / len(numbers))
        had.append((time.process_time() - began_cpu) / len(numbers))
    for number in range(1, people, max(1, people // 20_000)):  # the memory turns over many times
        decide(replica, number)
    gc.collect()
    gc.callbacks.remove(watch)
    sys.stdout.write(msgspec.json.encode(Reading(*took, *had, max(pauses))).decode() + "\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
