"""Judges temporary responses, which stand in for the code of whatever token is asked for."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from auth.facts import CodeVerdict
from auth.judges.base import Asked, Checked
from auth.keys.ring import Ring
from auth.memorised.temporary_response import ResponseVerdict, check_response, consumed_key
from auth.state import Store
from schema.errors import Fault
from schema.secret import Secret

_log = logging.getLogger("dirfactor.keys")


@dataclass(frozen=True, slots=True)
class ResponseJudge:
    """`auth.judges.base.Judge` for temporary responses.

    Args:
        store: remembers which was used.
        ring: reads the key ring. Raises Fault when it cannot be used.
    """

    store: Store
    ring: Callable[[], Ring]

    async def check(self, asked: Asked, typed: Secret, now: datetime) -> Checked:
        """Compare once; one that is good for one use is used up by being right."""
        person = asked.person
        try:
            found = check_response(person.user, person.id, typed, self.ring(), asked.policy, now)
        except Fault as fault:
            _log.error("the temporary response of %s cannot be judged: %s", person.dn, fault)
            return Checked(CodeVerdict.MISCONFIGURED, fault.problem)
        if found.verdict is not ResponseVerdict.RIGHT:
            return Checked(CodeVerdict.WRONG, found.detail)
        if found.mark is not None and not await self.store.consume(consumed_key(person.id), found.mark):
            return Checked(CodeVerdict.WRONG, "the temporary response was used already, and is good for one use")
        return Checked(CodeVerdict.RIGHT, found.detail)
