"""Whether a code is right: counted first, compared then, by us or by VIP, whoever can tell."""

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from auth.codes import digest, is_right, mint
from auth.facts import CodeVerdict
from auth.standing import standing, unlocked_at
from auth.state import Challenge, Store
from auth.tokens import Usable
from auth.vip.client import Verdict
from auth.vip.faults import VipUnavailable
from auth.vip.reasons import Kind, look_up
from dirsync.view import Person
from schema.entry import Policy
from schema.errors import Fault
from schema.secret import Secret
from schema.words import TokenKind

_log = logging.getLogger("dirfactor.vip")
_SIX_DIGITS = re.compile(r"\d{6}")


class VipJudge(Protocol):
    """Who tells whether a VIP code is right."""

    async def validate(self, credentials: Sequence[str], code: Secret) -> Verdict:
        """See `auth.vip.client.VipClient.validate`."""
        ...


@dataclass(frozen=True, slots=True)
class NoVip:
    """Stands where VIP cannot be used, and says why to everyone who needs it."""

    why: Fault

    async def validate(self, credentials: Sequence[str], code: Secret) -> Verdict:  # noqa: ARG002 - the same for all
        """Never a verdict. Raises the reason."""
        raise self.why


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a code, what the judge said about it, and whether a wrong one counts against the person."""

    verdict: CodeVerdict
    detail: str = ""
    violation: bool = True


@dataclass(frozen=True, slots=True)
class CodeCheck:
    """Mints codes and checks them.

    Args:
        store: counts the attempts.
        key: the server's key, under which codes are stored.
        below: draws digits.
        vip: judges VIP codes.
    """

    store: Store
    key: bytes = field(repr=False)
    below: Callable[[int], int]
    vip: VipJudge

    def mint(self, challenge_id: bytes, length: int) -> tuple[Secret, bytes]:
        """A new code for a challenge, and the digest to store for it."""
        code = mint(length, self.below)
        return code, digest(self.key, challenge_id, code)

    async def check(
        self, person: Person, policy: Policy, token: Usable, challenge: Challenge | None, typed: Secret, now: datetime
    ) -> Checked:
        """Count the attempt against the user, then compare.

        The attempt counts before anything is compared, so that parallel attempts cannot outrun the limit; it is taken
        back when it turns out that nothing could be compared.

        Raises:
            StateUnavailable: it could not be counted, so nothing was compared.
        """
        earlier = self.store.strike(person.id, now)
        if standing(earlier, policy, unlocked_at(person.user, now)).locked(now):
            self.store.withdraw(person.id, now)
            return Checked(CodeVerdict.LOCKED)
        checked = await self._compare(token, challenge, typed)
        if checked.verdict is CodeVerdict.RIGHT and policy.reset_on_success:
            self.store.forgive(person.id)
        elif checked.verdict is not CodeVerdict.WRONG or not checked.violation:
            self.store.withdraw(person.id, now)
        return checked

    async def _compare(self, token: Usable, challenge: Challenge | None, typed: Secret) -> Checked:
        if token.kind is TokenKind.VIP:
            return await self._ask_vip(token, typed)
        if challenge is None or challenge.digest is None:
            return Checked(CodeVerdict.WRONG, "no code was sent for this")
        right = is_right(self.key, challenge.id, typed, challenge.digest)
        return Checked(CodeVerdict.RIGHT if right else CodeVerdict.WRONG)

    async def _ask_vip(self, token: Usable, typed: Secret) -> Checked:
        try:
            verdict = await self.vip.validate(token.credentials, typed)
        except VipUnavailable as fault:
            _log.warning("VIP could not be asked: %s", fault)
            return Checked(CodeVerdict.UNAVAILABLE, fault.problem)
        except Fault as fault:
            _log.error("VIP is misconfigured: %s", fault)
            return Checked(CodeVerdict.MISCONFIGURED, fault.problem)
        detail = _told(verdict, typed)
        match verdict.kind:
            case Kind.SUCCESS:
                return Checked(CodeVerdict.RIGHT, detail)
            case Kind.PERSON:
                return Checked(CodeVerdict.WRONG, detail)
            case Kind.RESYNCHRONISE:
                return Checked(CodeVerdict.WRONG, detail, violation=False)
            case Kind.SERVICE:
                _log.warning("VIP could not judge a code: %s", detail)
                return Checked(CodeVerdict.UNAVAILABLE, detail)
            case _:
                _log.error("VIP refuses us: %s", detail)
                return Checked(CodeVerdict.MISCONFIGURED, detail)


def _told(verdict: Verdict, typed: Secret) -> str:
    """What log and audit may have of an answer: the reason code with VIP's own words, or ours where those show a code.

    VIP may echo what it was asked. A code is what was typed, in either case and however it is broken up, or any six
    digits.
    """
    words = _bare(verdict.detail)
    shown = _bare(typed.text) in words or _SIX_DIGITS.search(words)
    return f"{verdict.reason_code} {look_up(verdict.reason_code).meaning if shown else verdict.detail}".strip()


def _bare(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
