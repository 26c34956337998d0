"""What is kept of each outcome so that it can be asked about later: what `decide` was given, and what it said."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from auth.facts import Evidence, Facts
from auth.reason import Reason
from auth.steps import Step
from schema.errors import Fault


class JournalUnavailable(Fault):
    """What led to an outcome could not be kept, or not be read. It is evidence, not control: nobody is refused."""


class Moment(msgspec.Struct, frozen=True):
    """One question to `decide`, and its answer.

    Attributes:
        facts: what was known.
        evidence: what the login had shown.
        now: the instant (aware).
        step: the step that was decided.
    """

    facts: Facts
    evidence: Evidence
    now: datetime
    step: Step


class Event(msgspec.Struct, frozen=True):
    """One outcome.

    Attributes:
        at: its instant.
        correlation: its id, as in the audit.
        login: correlation of the request that began the login, when this is a later step.
        node: the access node that asked.
        outcome: accepted, challenged or refused.
        reason: the reason code.
        moments: the questions to `decide` that led to it, in order; none when nothing was decided.
    """

    at: datetime
    correlation: str
    login: str
    node: str
    outcome: str
    reason: Reason
    moments: tuple[Moment, ...] = ()


class Journal(Protocol):
    """Where events are kept."""

    def keep(self, event: Event) -> None:
        """Keep an event, without any secret in it.

        Raises:
            JournalUnavailable: it is not kept.
        """
        ...

    def keep_all(self, events: Sequence[Event]) -> Sequence[JournalUnavailable | None]:
        """Keep at least one event, without any secret in them; for each, why it is not kept."""
        ...

    def purge(self, now: datetime) -> None:
        """Remove some of what is older than it may be; called now and then, nothing stays long.

        Raises:
            JournalUnavailable: it could not be done.
        """
        ...

    def close(self) -> None:
        """Let go of whatever is held."""
        ...


class NoJournal:
    """Keeps nothing; a `Journal`."""

    def keep(self, event: Event) -> None:
        """Let it go."""

    def keep_all(self, events: Sequence[Event]) -> Sequence[JournalUnavailable | None]:
        """Let them go."""
        return [None] * len(events)

    def purge(self, now: datetime) -> None:
        """Nothing is old."""

    def close(self) -> None:
        """Nothing is held."""
