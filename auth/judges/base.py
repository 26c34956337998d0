"""What every judge of codes has in common: what it is asked, and what it says."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

import msgspec

from auth.chap.response import Response
from auth.facts import CodeVerdict
from auth.state import Challenge
from auth.tokens import Usable
from dirsync.view import Person
from schema.entry import Policy
from schema.secret import Secret


class Asked(msgspec.Struct, frozen=True):
    """Whose code is to be judged.

    Attributes:
        person: the user.
        policy: the effective policy.
        token: the token whose code it should be.
        challenge: the challenge that is answered; None where the code came with the first step.
    """

    person: Person
    policy: Policy
    token: Usable
    challenge: Challenge | None


class Checked(msgspec.Struct, frozen=True):
    """What came of a code.

    Attributes:
        verdict: whether it is right.
        detail: what the judge said about it, for the audit, without code or secret.
        violation: whether a code that is not right counts against the person.
        held: with RESYNCHRONISE, what the judge must find in `Challenge.held` when the next code comes; whatever of it
            is secret the judge has sealed.
        proven: the code, when a response was right.
    """

    verdict: CodeVerdict
    detail: str = ""
    violation: bool = True
    held: bytes | None = None
    proven: Secret | None = None

    def __repr__(self) -> str:
        return f"Checked({self.verdict}, {self.detail!r})"


Judged = Callable[[bool], Awaitable[Checked]]
"""A question to a judge that is put when it is called; true for narrow windows, see `auth.guessing`."""


class Judge(Protocol):
    """Tells whether a code is right."""

    async def check(self, asked: Asked, typed: Secret, now: datetime) -> Checked:
        """Compare once.

        Args:
            asked: whose code it should be.
            typed: what was typed.
            now: the instant (aware).

        Raises:
            StateUnavailable: what must be remembered about the code cannot be; then it does not count as right.
        """
        ...


class Comparer(Protocol):
    """Tells whether a response was computed from a code that is right, where it knows which codes those are."""

    async def compare(self, asked: Asked, response: Response, now: datetime) -> Checked:
        """As `Judge.check`, for a client that shows a response."""
        ...
