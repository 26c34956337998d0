"""Whether a code is right: counted first, compared then, by whoever can tell."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from auth.facts import CodeVerdict
from auth.judges.base import Asked, Checked, Judge
from auth.standing import standing, unlocked_at
from auth.state import Store
from schema.secret import Secret
from schema.words import TokenKind


@dataclass(frozen=True, slots=True)
class CodeCheck:
    """Counts attempts and has the codes judged.

    Args:
        store: counts the attempts.
        judges: who can tell, by the kind of token; a kind without one has no right codes.
    """

    store: Store
    judges: Mapping[TokenKind, Judge]

    async def check(self, asked: Asked, typed: Secret, now: datetime) -> Checked:
        """Count the attempt against the user, then compare.

        The attempt counts before anything is compared, so that parallel attempts cannot outrun the limit; it is taken
        back when it turns out that nothing could be compared.

        Raises:
            StateUnavailable: it could not be counted, so nothing was compared.
        """
        person = asked.person
        earlier = self.store.strike(person.id, now)
        if standing(earlier, asked.policy, unlocked_at(person.user, now)).locked(now):
            self.store.withdraw(person.id, now)
            return Checked(CodeVerdict.LOCKED)
        checked = await self._judged(asked, typed, now)
        if checked.verdict is CodeVerdict.RIGHT and asked.policy.reset_on_success:
            self.store.forgive(person.id)
        elif checked.verdict is not CodeVerdict.WRONG or not checked.violation:
            self.store.withdraw(person.id, now)
        return checked

    async def _judged(self, asked: Asked, typed: Secret, now: datetime) -> Checked:
        judge = self.judges.get(asked.token.kind)
        if judge is None:
            return Checked(CodeVerdict.MISCONFIGURED, f"nobody can judge the codes of {asked.token.kind} tokens")
        return await judge.check(asked, typed, now)
