"""What a provider's word for the fate of a text means. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from auth.channels.base import Fate

DELIVERED: Final = ("delivered", "delivrd", "read", "seen")
FAILED: Final = (
    "failed",
    "undelivered",
    "undeliverable",
    "undeliv",
    "rejected",
    "rejectd",
    "expired",
    "deleted",
    "blocked",
)


@dataclass(frozen=True, slots=True)
class Words:
    """A provider's words; their case does not count.

    Attributes:
        delivered: the text has reached the phone.
        failed: it has not, and will not.
    """

    delivered: Collection[str] = DELIVERED
    failed: Collection[str] = FAILED

    def fate(self, word: str) -> Fate:
        """What the word means; one that is not known, that the text is under way."""
        known = word.strip().casefold()
        if known in {each.casefold() for each in self.delivered}:
            return Fate.DELIVERED
        return Fate.FAILED if known in {each.casefold() for each in self.failed} else Fate.UNDER_WAY
