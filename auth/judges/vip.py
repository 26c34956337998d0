"""Judges VIP codes by asking the VIP service, and says whose fault it is when one is not right."""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from auth.facts import CodeVerdict
from auth.judges.base import Asked, Checked
from auth.vip.client import Verdict
from auth.vip.faults import VipUnavailable
from auth.vip.reasons import Kind, look_up
from schema.errors import Fault
from schema.secret import Secret

_log = logging.getLogger("dirfactor.vip")
_SIX_DIGITS = re.compile(r"\d{6}")


class Validator(Protocol):
    """Asks VIP."""

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
class VipJudge:
    """`auth.judges.base.Judge` for VIP credentials.

    Args:
        service: asks VIP.
    """

    service: Validator

    async def check(self, asked: Asked, typed: Secret, now: datetime) -> Checked:  # noqa: ARG002 - VIP has a clock
        """Ask once."""
        try:
            verdict = await self.service.validate(asked.token.credentials, typed)
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
