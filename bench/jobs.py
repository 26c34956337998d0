# ruff: noqa: INP001 - bench is a folder of programs, no package
"""What is measured of syncs, each in a process of its own so that nothing is warm or large from before."""

import resource
import time
from collections.abc import Callable
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import peers
from places import Place

from auth.clock import SYSTEM_CLOCK
from dirsync.replica import ReplicaWriter

Outcome = TypeVar("Outcome")


class Took(msgspec.Struct, frozen=True):
    """What something took.

    Attributes:
        entries: how many entries were read or changed.
        seconds: that it took.
        cpu: of these, how many it had a core.
        memory: octets that its process had resident at most.
    """

    entries: int
    seconds: float
    cpu: float
    memory: int


def apart(job: Callable[..., Outcome], *arguments: Any) -> Outcome:
    """Do a job of this module in a fresh process."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(job, arguments)


def full_sync(place: Place, replica: Path) -> Took:
    """Our full sync: read, parsed, links resolved, committed."""
    with closing(place.source()) as source, closing(ReplicaWriter(replica)) as writer:

        def sync() -> int:
            return writer.apply(source.changes(None, SYSTEM_CLOCK.now()), source.identity).added

        return _timed(sync)


def bare_read(peer: str, place: Place) -> Took:
    """One of `peers.READERS` merely reads the same entries with the same attributes."""
    return _timed(lambda: peers.READERS[peer](place))


def edits(place: Place, replica: Path, count: int) -> tuple[Took, ...]:
    """Edit one user after the other; what our sync takes for each, from when the change can be fetched.

    Args:
        place: the directory, which `full_sync` has read into the replica.
        replica: that replica.
        count: how many edits.
    """
    taken: list[Took] = []
    with (
        closing(place.source()) as source,
        closing(ReplicaWriter(replica)) as writer,
        peers.editor(place) as edit,
    ):

        def sync() -> int:
            cookie = writer.cookie(source.identity)
            return writer.apply(source.changes(cookie, SYSTEM_CLOCK.now()), source.identity).changed

        sync()  # the connection is made, and whatever has changed since the full sync is taken in
        for number in range(count):
            edit(number % place.people, f"VSMT{number:08}")
            source.wait(0.5)
            taken.append(_timed(sync))
    changed = sum(took.entries for took in taken)
    if changed != count:
        msg = f"{count} edits, but {changed} changes"
        raise RuntimeError(msg)
    return tuple(taken)


def _timed(work: Callable[[], int]) -> Took:
    began, had = time.perf_counter(), time.process_time()
    entries = work()
    seconds, cpu = time.perf_counter() - began, time.process_time() - had
    return Took(entries, seconds, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
