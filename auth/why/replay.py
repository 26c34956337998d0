"""A past outcome: decided again from what was kept of it, and from what is known today. Pure."""

from dataclasses import dataclass
from datetime import datetime

from auth.decision import decide
from auth.facts import Facts
from auth.steps import Decision
from auth.why.described import described
from auth.why.packing import Kept, Recorded
from auth.why.since import differences


@dataclass(frozen=True, slots=True)
class Again:
    """One question to `decide`, asked again.

    Attributes:
        recorded: the step that was decided then, in words.
        replayed: the step that is decided from the same facts by this version.
        decision: the whole of it.
    """

    recorded: str
    replayed: str
    decision: Decision

    @property
    def same(self) -> bool:
        """Whether the answer is the same."""
        return self.recorded == self.replayed


@dataclass(frozen=True, slots=True)
class Replay:
    """A past outcome.

    Attributes:
        kept: the event.
        again: each question to `decide` that led to it, asked again.
        today: the step that the last one leads to with what is known today, in words; empty when that is not asked.
        since: what is known otherwise today, in lines.
    """

    kept: Kept
    again: tuple[Again, ...]
    today: str = ""
    since: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether every answer is the one that was given then."""
        return all(item.same for item in self.again)


def replayed(kept: Kept, today: Facts | None, now: datetime) -> Replay:
    """Decide again.

    Args:
        kept: the event.
        today: what is known of the same users and node now; None when nobody can say.
        now: the present (aware).
    """
    again = tuple(_again(moment) for moment in kept.moments)
    if not kept.moments or today is None:
        return Replay(kept, again)
    last = kept.moments[-1]
    step = described(decide(today, last.evidence, now).step)
    return Replay(kept, again, step, differences(last.facts, today))


def _again(moment: Recorded) -> Again:
    decided = decide(moment.facts, moment.evidence, moment.now)
    return Again(moment.step, described(decided.step), decided)
