"""Whether a code is right: counted first, compared then, by whoever can tell."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from msgspec.structs import replace

from auth.chap.response import Response
from auth.facts import CodeVerdict
from auth.guessing import MOST_WRONG, guesses, narrowed
from auth.judges.base import Asked, Checked, Comparer, Judge, Judged
from auth.standing import standing, unlocked_at
from auth.state import StateUnavailable, Store
from dirsync.view import Person
from schema.entry import Policy
from schema.errors import Fault
from schema.secret import Secret
from schema.words import TokenKind

_log = logging.getLogger("dirfactor.service")


@dataclass(frozen=True, slots=True)
class CodeCheck:
    """Counts attempts and has the codes judged.

    Args:
        store: counts the attempts.
        judges: who can tell, by the kind of token; a kind without one has no right codes.
        temporary: knows temporary responses, which stand for the code of any token.
        comparers: who can tell where the client shows responses, by the kind of token.
    """

    store: Store
    judges: Mapping[TokenKind, Judge]
    temporary: Judge
    comparers: Mapping[TokenKind, Comparer] = field(default_factory=dict)

    async def counted(self, person: Person, policy: Policy, judged: Judged, now: datetime) -> Checked:
        """Count an attempt against the user, then have it judged.

        The attempt counts before anything is compared, so that parallel attempts cannot outrun the limit; it is taken
        back unless what was typed turns out to be wrong. A fault that an operator can mend is no violation. Wrong ones
        of a day count besides in the same way, and no right one forgets them; see `auth.guessing`.

        Raises:
            StateUnavailable: it could not be counted or remembered; a count that was made stays.
        """
        unlocked = unlocked_at(person.user, now)
        wide, narrow = guesses(person.id, unlocked)
        struck = await self.store.strike(person.id, now, (wide, narrow))
        locked = standing(struck.earlier, policy, unlocked).locked(now)
        if locked or struck.guess is None:
            await self.store.withdraw(person.id, now, struck.guess)
            return Checked(CodeVerdict.LOCKED, "" if locked else f"{MOST_WRONG} wrong codes within a day")
        try:
            checked = await judged(struck.guess is not wide)
        except StateUnavailable:
            raise
        except Fault as fault:
            _log.error("what %s typed cannot be judged: %s", person.dn, fault)
            checked = Checked(CodeVerdict.MISCONFIGURED, fault.problem)
        if checked.verdict is not CodeVerdict.WRONG or not checked.violation:
            await self.store.withdraw(person.id, now, struck.guess)
        return checked

    async def judged(self, asked: Asked, typed: Secret, now: datetime, *, narrow: bool = False) -> Checked:
        """What the judges say of a code, without counting; the token's own is asked last."""
        asked = _narrowed(asked) if narrow else asked
        if asked.person.user.temporary_response is not None and asked.policy.temporary_response_allowed:
            checked = await self.temporary.check(asked, typed, now)
            if checked.verdict is CodeVerdict.RIGHT:
                return checked
        judge = self.judges.get(asked.token.kind)
        if judge is None:
            return Checked(CodeVerdict.MISCONFIGURED, f"nobody can judge the codes of {asked.token.kind} tokens")
        if asked.token.kind is TokenKind.VIP:
            await self.store.settled()  # the attempt counts before somebody else is asked
        return await judge.check(asked, typed, now)

    async def compared(self, asked: Asked, response: Response, now: datetime, *, narrow: bool = False) -> Checked:
        """What is said of a response, without counting; of temporary responses nobody knows the clear text."""
        asked = _narrowed(asked) if narrow else asked
        comparer = self.comparers.get(asked.token.kind)
        if comparer is None:
            return Checked(CodeVerdict.MISCONFIGURED, f"codes of {asked.token.kind} tokens cannot be compared")
        return await comparer.compare(asked, response, now)


def _narrowed(asked: Asked) -> Asked:
    return replace(asked, policy=narrowed(asked.policy))
