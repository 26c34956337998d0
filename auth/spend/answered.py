"""Tells the spend guard of texted codes that came back right, by standing in front of the judge who finds out."""

from dataclasses import dataclass
from datetime import datetime

from auth.facts import CodeVerdict
from auth.judges.base import Asked, Checked, Judge
from auth.spend.guard import SpendGuard
from schema.secret import Secret


@dataclass(frozen=True, slots=True)
class AnsweredTexts:
    """`auth.judges.base.Judge` for SMS tokens.

    Attributes:
        judge: who tells.
        guard: who wants to know.
    """

    judge: Judge
    guard: SpendGuard

    async def check(self, asked: Asked, typed: Secret, now: datetime) -> Checked:
        """Have it judged. A code on stock does not count: when it was sent, no answer was expected yet."""
        checked = await self.judge.check(asked, typed, now)
        sent_for_this = asked.challenge is not None and asked.challenge.digest is not None
        if checked.verdict is CodeVerdict.RIGHT and sent_for_this and asked.token.phone is not None:
            self.guard.answered(asked.token.phone, now)
        return checked
