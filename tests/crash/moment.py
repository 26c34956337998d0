"""What can be under way when the service is killed, and what all kills together have come to."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


class Moment(Protocol):
    """Something that is begun, met by kill -9, and judged when the service is there again; used again and again.

    Attributes:
        name: of what is under way.
        changes: whether it changes directory, configuration, keys or audit, so that all is looked over after each.
    """

    name: str
    changes: bool

    async def begin(self) -> None:
        """Set it going: what this waits for is not yet part of it."""

    async def end(self) -> None:
        """Wait until it is over, where nothing is killed."""

    async def kill(self) -> None:
        """Kill whom it is to meet."""

    def was_over(self) -> bool:
        """Whether the kill came too late: it had ended before. Asked as soon as those who were to die are dead."""

    async def check(self) -> Sequence[str]:
        """What is wrong, now that the service is there again."""


@dataclass
class Tally:
    """Kills of one kind, and how many of them came before it was over."""

    kills: int = 0
    within: int = 0


@dataclass
class Seen:
    """What all rounds together have come to.

    Attributes:
        tallies: by the name of what was under way.
        accepted: codes that were, as the audit has it.
        shown_again: answers to codes that were shown once more after the kill.
        accepted_twice: codes.
        edits: that were saved.
        lost: those of them that never came to the replica.
        torn: lines of the audit that were broken off, closed and told so.
        wrong: what a law forbids.
    """

    tallies: dict[str, Tally] = field(default_factory=dict)
    accepted: int = 0
    shown_again: int = 0
    accepted_twice: int = 0
    edits: int = 0
    lost: int = 0
    torn: int = 0
    wrong: list[str] = field(default_factory=list)

    def killed(self, name: str, *, within: bool) -> None:
        """Count a kill."""
        tally = self.tallies.setdefault(name, Tally())
        tally.kills += 1
        tally.within += within

    def broken(self) -> list[str]:
        """Everything that is wrong: what was found, and what was never met and so says nothing."""
        never = [f"no kill came in the middle of {name}" for name, tally in self.tallies.items() if not tally.within]
        return self.wrong + never
