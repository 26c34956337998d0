"""All examinations of a service, in the order in which they depend on each other."""

from collections.abc import Iterator

from auth.clock import Clock, Entropy
from auth.doctor.audit import audit_examinations
from auth.doctor.directories import directory_examinations
from auth.doctor.doors import door_examinations
from auth.doctor.files import file_examinations
from auth.doctor.keys import key_examinations
from auth.doctor.outbound import outbound_examinations
from auth.doctor.replica import replica_examinations
from auth.doctor.runner import Examination
from auth.doctor.shared import shared_state_examinations
from auth.doctor.spend import spend_examinations
from auth.doctor.strength import strength_examinations
from auth.settings import Settings
from dirsync.wire.surroundings import Surroundings


def all_examinations(settings: Settings, clock: Clock, entropy: Entropy) -> Iterator[Examination]:
    """Every examination but that of config.ini itself.

    Args:
        settings: config.ini, or what could be understood of it.
        clock: for certificates and ages.
        entropy: for connections.
    """
    surroundings = Surroundings(clock.monotonic, entropy.below)
    for name, directory in settings.directories.items():
        yield from directory_examinations(name, directory, clock, surroundings)
    yield from replica_examinations(settings, clock)
    yield from outbound_examinations(settings, clock, entropy)
    yield from file_examinations(settings)
    yield from shared_state_examinations(settings, clock)
    yield from audit_examinations(settings.service, clock)
    yield from key_examinations(settings, clock)
    yield from strength_examinations(settings)
    yield from spend_examinations(settings)
    yield from door_examinations(settings, clock)
