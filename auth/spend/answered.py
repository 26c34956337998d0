"""Tells the spend guard of texted codes that came back right, by standing in front of the judge who finds out."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from auth.chap.response import Response
from auth.facts import CodeVerdict
from auth.judges.base import Asked, Checked, Comparer, Judge
from auth.spend.guard import SpendGuard
from schema.secret import Secret


class _Teller(Judge, Comparer, Protocol):
    """Whoever tells of both."""


@dataclass(frozen=True, slots=True)
class AnsweredTexts:
    """`auth.judges.base.Judge` and `Comparer` for SMS tokens.

    Attributes:
        judge: who tells.
        guard: who wants to know.
    """

    judge: _Teller
    guard: SpendGuard

    async def check(self, asked: Asked, typed: Secret, now: datetime) -> Checked:
        """Have it judged. A code on stock does not count: when it was sent, no answer was expected yet."""
        return await self._told(asked, await self.judge.check(asked, typed, now), now)

    async def compare(self, asked: Asked, response: Response, now: datetime) -> Checked:
        """The same for a response."""
        return await self._told(asked, await self.judge.compare(asked, response, now), now)

    async def _told(self, asked: Asked, checked: Checked, now: datetime) -> Checked:
        sent_for_this = asked.challenge is not None and asked.challenge.digest is not None
        if checked.verdict is CodeVerdict.RIGHT and sent_for_this and asked.token.phone is not None:
            await self.guard.answered(asked.token.phone, now)
        return checked
