"""The check of a state that several nodes share: whether its server can be used, and who takes part."""

from collections.abc import Iterator
from functools import partial

from auth.certificate_files import first_end
from auth.clock import Clock
from auth.doctor.catalogue import Check
from auth.doctor.days import days_left
from auth.doctor.report import Finding, Status
from auth.doctor.runner import Examination
from auth.settings import Settings
from auth.shared.settings import SharedSettings

_OURS = "renew it, and let the server know the new one first"


def shared_state_examinations(settings: Settings, clock: Clock) -> Iterator[Examination]:
    """One, where there is a [state] section."""
    if settings.state is not None:
        yield Examination(Check.SHARED_STATE, "[state]", partial(_shared, settings.state, clock))


def _shared(section: SharedSettings, clock: Clock) -> Iterator[Finding]:
    from auth.shared.reader import SharedReader  # noqa: PLC0415 - it needs the client of Valkey

    ends = first_end(section.certificate) if section.certificate is not None else None
    if ends is not None:
        yield days_left(f"our certificate {section.certificate}", ends, clock.now(), _OURS)
    reader = SharedReader(section)
    persists = reader.examine(clock.now())
    yield Finding(
        Status.OK, f"{', '.join(section.servers)} can be used; nodes: {', '.join(reader.members()) or 'none'}"
    )
    if not persists:
        yield Finding(
            Status.WARNING,
            "the server persists nothing: when it is started again all open logins are lost, and the nodes bring back "
            "which codes were used",
            "set appendonly yes in its configuration",
        )
    for name in reader.awaited():
        yield Finding(
            Status.FAILED,
            f"all nodes wait for what {name} knows, and refuse logons until then",
            f"start it; if it is gone for good: dirfactor state forget {name}",
        )
