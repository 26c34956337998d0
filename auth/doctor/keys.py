"""The check of the key ring: whether what is sealed in the directory opens with it, and for whom it was sealed."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from functools import partial

from auth.clock import Clock
from auth.doctor.catalogue import Check
from auth.doctor.files import not_private
from auth.doctor.report import Finding, Status
from auth.doctor.runner import Examination
from auth.keys.ring import KeyMissing, Ring
from auth.keys.ring_file import RingFile
from auth.memorised.pin import KEPT_PREFIX
from auth.otp.sealed import held_seeds, unsealed_token
from auth.rotation.usage import Usage
from auth.settings import Settings
from auth.state_reader import state_reader
from dirsync.replica import Replica
from dirsync.view import Person
from schema.errors import Fault

_SECONDS = 300.0  # everybody is looked at


def key_examinations(settings: Settings, clock: Clock) -> Iterator[Examination]:
    """The examination of the key ring."""
    yield Examination(Check.KEYS, "", partial(_keys, settings, clock), seconds=_SECONDS)


def ring_findings(ring: Ring, usage: Usage, unopened: Iterable[str]) -> Iterator[Finding]:
    """What is wrong between the ring and what was sealed and digested.

    Args:
        ring: the key ring.
        usage: which keys are needed.
        unopened: for each seed that does not open although its key is there: whose, and why.
    """
    for key_id in usage.missing(ring):
        needed = ", ".join(f"{use} {number}" for use, number in usage.of(key_id).items())
        yield Finding(
            Status.FAILED,
            f"the ring has no key {key_id}, which is needed: {needed}",
            "copy keys.ring from the machine where they were set, or set them anew",
        )
    for problem in unopened:
        yield Finding(Status.WARNING, problem, "enrol the token anew; find out who has written that value")
    for key_id in usage.unneeded(ring):
        yield Finding(Status.INFO, f"key {key_id} is needed by nothing any more", "run `dirfactor keys retire`")


def _keys(settings: Settings, clock: Clock) -> Iterator[Finding]:
    file, usage = RingFile(settings.service.ring_file), Usage()
    with closing(Replica(settings.service.replica_file)) as replica:
        users, now = replica.users(), clock.now()
        holders = []
        for person in filter(None, map(replica.person, users)):
            usage.add_user(person.user, now)
            holders += [person] if person.user.secrets else []
        usage.add_nodes(replica.nodes())
    usage.add_changed_pins(state_reader(settings).kept_under(KEPT_PREFIX))
    if not file.exists and not usage.counts:
        yield Finding(Status.OK, "nothing is sealed, and no key ring is needed")
        return
    ring = file.ring()
    found = settings.service.ring_file.stat()
    service = settings.service.state_directory.stat().st_uid
    foreign = not_private(settings.service.ring_file, found.st_mode, found.st_uid, service)
    findings = [*([foreign] if foreign else []), *ring_findings(ring, usage, _unopened(holders, ring))]
    values = sum(usage.counts.values())
    yield from findings or [Finding(Status.OK, f"{len(ring.keys)} keys, with which {values} values were made")]


def _unopened(holders: Iterable[Person], ring: Ring) -> Iterator[str]:
    for person in holders:
        for token in held_seeds(person.user):
            try:
                unsealed_token(ring, person.id, token.text)
            except KeyMissing:
                continue  # said of the key
            except Fault as fault:
                yield f"{person.dn}: token {token.serial}: {fault.problem}"
