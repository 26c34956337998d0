"""The checks of the replica: whether it is there, how old it is, and what in it waits for somebody."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from functools import partial

from auth.clock import Clock
from auth.doctor.catalogue import Check
from auth.doctor.report import Finding, Status
from auth.doctor.runner import Examination
from auth.settings import Settings
from dirsync.replica import Replica
from dirsync.replica.holding import held_batches
from dirsync.view import Freshness

_SYNC = "start the service, or run `dirfactor sync`, which says what is wrong"
# From this part of the time that data may be old, something is the matter: it should be seconds old.
_EARLY = 4


def replica_examinations(settings: Settings, clock: Clock) -> Iterator[Examination]:
    """The examinations of the replica."""
    yield Examination(Check.REPLICA, "", partial(_ages, settings, clock))
    yield Examination(Check.VALUES, "", partial(_values, settings))
    yield Examination(Check.HELD, "", partial(_held, settings))


def age(freshness: Freshness, now: datetime, expired_after: int) -> Finding:
    """What the age of a directory's data means.

    Args:
        freshness: of the data.
        now: the instant.
        expired_after: from how many seconds on logons are refused.
    """
    if freshness.as_of is None:
        return Finding(Status.FAILED, "no sync has succeeded yet", _SYNC)
    seconds = freshness.age(now)
    detail = f"version {freshness.version}, {seconds:.0f} s old"
    if seconds > expired_after:
        return Finding(Status.FAILED, f"{detail}: logons are refused from {expired_after} s on", _SYNC)
    if seconds > expired_after / _EARLY:
        return Finding(Status.WARNING, f"{detail}: logons will be refused from {expired_after} s on", _SYNC)
    return Finding(Status.OK, detail)


def _ages(settings: Settings, clock: Clock) -> Iterator[Finding]:
    with closing(Replica(settings.service.replica_file)) as replica:
        for name in settings.directories:
            found = age(replica.freshness(name), clock.now(), settings.sync.expired_after_seconds)
            yield Finding(found.status, f"{name or 'directory'}: {found.detail}", found.remedy)


def _values(settings: Settings) -> Iterator[Finding]:
    with closing(Replica(settings.service.replica_file)) as replica:
        count = sum(1 for _ in replica.malformed())
    if count:
        yield Finding(Status.WARNING, f"{count} malformed values", "`dirfactor check values` prints what mends each")
    else:
        yield Finding(Status.OK, "no malformed values")


def _held(settings: Settings) -> Iterator[Finding]:
    waiting = [batch for batch in held_batches(settings.service.replica_file) if not batch.released]
    for batch in waiting:
        option = f" --directory {batch.directory}" if batch.directory else ""
        yield Finding(
            Status.FAILED,
            f"{batch.directory or 'directory'}: changes are held since {batch.since:%Y-%m-%d %H:%M} UTC, which would "
            f"take something from {len(batch.losses)} users",
            f"see `dirfactor sync held`; if it is right, `dirfactor sync release{option}`, else mend the directory",
        )
    if not waiting:
        yield Finding(Status.OK, "nothing is held")
