"""Judges the codes of software tokens: each is accepted once, and two in a row find a token that went astray."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from auth.chap.response import Response, Shown
from auth.codes import plain
from auth.facts import CodeVerdict
from auth.judges.base import Asked, Checked
from auth.judges.software_look import Look, looks_at
from auth.keys.ring import Ring
from auth.otp.sealed import sealed_tokens, unsealed_token
from auth.otp.token import SoftwareToken
from auth.state import Store
from dirsync.view import Person
from schema.errors import Fault
from schema.secret import Secret
from schema.words import TokenKind

_log = logging.getLogger("dirfactor.keys")


@dataclass(frozen=True, slots=True)
class SoftwareJudge:
    """`auth.judges.base.Judge` for totp and hotp.

    Of several tokens of a user each is tried, and only the one whose code it is moves on.

    Args:
        store: remembers where each token is: no code at or below its mark is accepted again, whoever else asks.
        ring: reads the key ring. Raises Fault when it cannot be used.
    """

    store: Store
    ring: Callable[[], Ring]

    async def check(self, asked: Asked, typed: Secret, now: datetime) -> Checked:
        """Compare with the codes that count now, then with those by which a token may be found again."""
        return await self._looked(asked, plain(typed), now)

    async def compare(self, asked: Asked, response: Response, now: datetime) -> Checked:
        """The same for a response; see `auth.judges.base.Comparer`."""
        return await self._looked(asked, response, now)

    async def _looked(self, asked: Asked, shown: Shown, now: datetime) -> Checked:
        opened, obstacles = self._opened(asked.person, asked.token.kind)
        if not opened:
            return Checked(CodeVerdict.MISCONFIGURED, "; ".join(obstacles) or "no seed is in dirfactorSecret")
        looks = await looks_at(self.store, opened, asked, shown, now)
        for ask in (Look.in_window, Look.second_of_two, Look.first_of_two, Look.used_already):
            for look in looks:
                answer = await ask(look)
                if answer is not None:  # no token after it is looked at, so none but that one moves
                    return answer
        return Checked(CodeVerdict.WRONG, "; ".join(obstacles))

    def _opened(self, person: Person, kind: TokenKind) -> tuple[list[SoftwareToken], list[str]]:
        """The user's tokens that open, and why others do not."""
        try:
            ring = self.ring()
        except Fault as fault:
            _log.error("software tokens cannot be judged: %s", fault)
            return [], [fault.problem]
        opened, obstacles = [], []
        for item in sealed_tokens(person.user, kind):
            try:
                opened.append(unsealed_token(ring, person.id, item.text))
            except Fault as fault:
                _log.error("token %s of %s cannot be used: %s", item.serial, person.dn, fault)
                obstacles.append(f"token {item.serial}: {fault.problem}")
        return opened, obstacles
