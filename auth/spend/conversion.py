"""Codes that are sent and never answered: whoever earns by the texts has no use for the code. Pure."""

from dataclasses import dataclass

from auth.spend.settings import SpendSettings

WINDOW_SECONDS = 3_600
SETTLING_SECONDS = 300
"""A code that was sent within this time may still be answered, and does not count."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """What became of an hour's codes to one prefix.

    Attributes:
        sent: how many were sent.
        answered: how many were answered rightly.
    """

    sent: int
    answered: int

    def suspicious(self, spend: SpendSettings) -> bool:
        """Whether too few were answered, of enough to tell."""
        return 0 < spend.alarm_after <= self.sent and self.answered < spend.alarm_below * self.sent

    def __str__(self) -> str:
        return f"{self.answered} of {self.sent} codes were answered within an hour"
