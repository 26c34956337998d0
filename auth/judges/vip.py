"""Judges VIP codes by asking the VIP service, and says whose fault it is when one is not right."""

import hashlib
import hmac
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from auth.facts import CodeVerdict
from auth.judges.base import Asked, Checked
from auth.state import Store
from auth.vip.faults import VipUnavailable
from auth.vip.reasons import Kind, look_up
from auth.vip.verdict import Verdict
from schema.errors import Fault
from schema.secret import Secret

_log = logging.getLogger("dirfactor.vip")
_SIX_DIGITS = re.compile(r"\d{6}")
_TOLD, _TOLD_FOR = b"told", timedelta(days=7)
_NONCE_OCTETS = 12  # NIST SP 800-38D section 8.2.2: drawn at random


class Validator(Protocol):
    """Asks VIP; see `auth.vip.client.VipClient`."""

    async def validate(self, credentials: Sequence[str], code: Secret) -> Verdict:
        """Whether this is the current code of one of the credentials."""
        ...

    async def resynchronise(self, credentials: Sequence[str], code1: Secret, code2: Secret) -> Verdict:
        """Whether these are two consecutive codes of one of the credentials."""
        ...

    async def send(self, credentials: Sequence[str]) -> Verdict:
        """Have VIP send a code to the first credential that is a telephone."""
        ...


@dataclass(frozen=True, slots=True)
class NoVip:
    """Stands where VIP cannot be used, and says why to everyone who needs it."""

    why: Fault

    async def validate(self, credentials: Sequence[str], code: Secret) -> Verdict:  # noqa: ARG002 - the same for all
        """Never a verdict. Raises the reason."""
        raise self.why

    async def resynchronise(self, credentials: Sequence[str], code1: Secret, code2: Secret) -> Verdict:  # noqa: ARG002 - the same for all
        """Never a verdict. Raises the reason."""
        raise self.why

    async def send(self, credentials: Sequence[str]) -> Verdict:  # noqa: ARG002 - the same for all
        """Never a verdict. Raises the reason."""
        raise self.why


@dataclass(frozen=True, slots=True)
class VipJudge:
    """`auth.judges.base.Judge` for VIP credentials.

    When a credential has drifted (4923) the code is held, sealed, in the challenge, until the next one is typed: VIP
    takes the two together. Whoever answers the challenge takes it out of the store, so that a code is held once.

    Who guesses such a code is told so, and would only have to wait until its time has come: by itself it is good for
    nothing any more.

    Args:
        store: remembers such codes, by their digests.
        service: asks VIP.
        key: the server's key, under which a code is held.
        octets: draws random octets.
    """

    store: Store
    service: Validator
    key: bytes = field(repr=False)
    octets: Callable[[int], bytes]

    async def check(self, asked: Asked, typed: Secret, now: datetime) -> Checked:
        """Ask once."""
        first = self._held(asked)
        credentials = asked.token.credentials
        try:
            if first is None:
                verdict = await self.service.validate(credentials, typed)
            else:
                verdict = await self.service.resynchronise(credentials, first, typed)
        except VipUnavailable as fault:
            _log.warning("VIP could not be asked: %s", fault)
            return Checked(CodeVerdict.UNAVAILABLE, fault.problem)
        except Fault as fault:
            _log.error("VIP is misconfigured: %s", fault)
            return Checked(CodeVerdict.MISCONFIGURED, fault.problem)
        detail = _told(verdict, typed, first)
        match verdict.kind:
            case Kind.SUCCESS if first is None and await self._was_told(asked, typed, now):
                return Checked(CodeVerdict.WRONG, f"{detail}; the code was shown before its time")
            case Kind.SUCCESS:
                return Checked(CodeVerdict.RIGHT, detail)
            case Kind.RESYNCHRONISE if first is None:
                await self.store.supersede(self._told_key(asked, typed), _TOLD, now + _TOLD_FOR)
                return Checked(CodeVerdict.RESYNCHRONISE, detail, violation=False, held=self._hold(asked, typed))
            case Kind.PERSON | Kind.RESYNCHRONISE:
                return Checked(CodeVerdict.WRONG, detail)
            case Kind.SERVICE:
                _log.warning("VIP could not judge a code: %s", detail)
                return Checked(CodeVerdict.UNAVAILABLE, detail)
            case _:
                _log.error("VIP refuses us: %s", detail)
                return Checked(CodeVerdict.MISCONFIGURED, detail)

    async def _was_told(self, asked: Asked, code: Secret, now: datetime) -> bool:
        """Whether this code, which VIP has used up now, was told to be right before its time."""
        return await self.store.first(self._told_key(asked, code), _TOLD, now, now) is not None

    def _told_key(self, asked: Asked, code: Secret) -> str:
        told = hmac.digest(self.key, b"code of VIP before its time" + asked.person.id + code.octets, hashlib.sha256)
        return f"told vip {told.hex()}"

    def _hold(self, asked: Asked, code: Secret) -> bytes:
        nonce = self.octets(_NONCE_OCTETS)
        return nonce + self._cipher().encrypt(nonce, code.octets, _bound(asked))

    def _held(self, asked: Asked) -> Secret | None:
        """The code that was held; None when there is none, or none that was held for this person and token."""
        held = asked.challenge.held if asked.challenge is not None else None
        if held is None:
            return None
        try:
            opened = self._cipher().decrypt(held[:_NONCE_OCTETS], held[_NONCE_OCTETS:], _bound(asked))
        except (InvalidTag, ValueError):
            _log.warning("a code that was held for the next one cannot be read again, so that one alone is judged")
            return None
        return Secret(opened.decode())

    def _cipher(self) -> AESGCM:
        return AESGCM(hmac.digest(self.key, b"code held for the next one", hashlib.sha256))


def _bound(asked: Asked) -> bytes:
    """What a held code is bound to: the person and what is assigned; a challenge does not exist yet when it is held."""
    return b"\0".join((asked.person.id, *(text.encode() for text in asked.token.credentials)))


def _told(verdict: Verdict, *codes: Secret | None) -> str:
    """What log and audit may have of an answer: the reason code with VIP's own words, or ours where those show a code.

    VIP may echo what it was asked. A code is what was typed, in either case and however it is broken up, or any six
    digits.
    """
    words = _bare(verdict.detail)
    shown = any(_bare(code.text) in words for code in codes if code is not None) or _SIX_DIGITS.search(words)
    return f"{verdict.reason_code} {look_up(verdict.reason_code).meaning if shown else verdict.detail}".strip()


def _bare(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
