"""Judges the codes that we have drawn and sent: for one challenge each, or on stock for logons to come.

A code counts only while the address that it was sent to is the token's: a phone that was lost has no codes.
"""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from auth.chap.response import Response
from auth.codes import digest, is_right, mint, plain
from auth.facts import CodeVerdict
from auth.judges.base import Asked, Checked
from auth.state import Store, stock_key
from auth.tokens import Usable
from schema.entry import EntryId, Policy
from schema.secret import Secret
from schema.words import SendMode, TokenKind

_NONCE = bytes(12)  # a key seals once, so there is no second message for the nonce to differ from


@dataclass(frozen=True, slots=True)
class MintedJudge:
    """Draws codes and knows them again.

    Args:
        store: keeps the codes on stock.
        key: the server's key, under which codes are stored.
        below: draws digits.
    """

    store: Store
    key: bytes = field(repr=False)
    below: Callable[[int], int]

    def mint(self, challenge_id: bytes, token: Usable, length: int) -> tuple[Secret, bytes]:
        """A new code for a challenge, to be sent to the token's address, and the digest to store for it."""
        code = mint(length, self.below)
        return code, digest(self.key, _bound(challenge_id, token), code)

    def seal(self, challenge_id: bytes, token: Usable, code: Secret) -> bytes:
        """The code of a challenge so that `compare` finds it again; once for each challenge."""
        return self._cipher(challenge_id).encrypt(_NONCE, code.octets, _bound(challenge_id, token))

    def mint_stock(self, length: int, number: int) -> list[Secret]:
        """So many different codes for logons to come; they are good when they have been laid in."""
        codes: dict[str, Secret] = {}
        while len(codes) < number:
            code = mint(length, self.below)
            codes[code.text] = code
        return list(codes.values())

    async def lay_in(self, user: EntryId, token: Usable, codes: Sequence[Secret], expires_at: datetime) -> None:
        """Put codes that were sent to the token's address on the user's stock. Raises StateUnavailable."""
        place = stock_key(user, token.kind, token.address)
        await self.store.lay_in(place, [digest(self.key, place.encode(), code) for code in codes], expires_at)

    async def check(self, asked: Asked, typed: Secret, now: datetime) -> Checked:
        """Compare with the challenge's code, then with those on stock, of which the right one is used up."""
        challenge = asked.challenge
        if challenge and challenge.digest:
            bound = _bound(challenge.id, asked.token)
            if is_right(self.key, bound, typed, challenge.digest):
                return Checked(CodeVerdict.RIGHT)
        code = plain(typed)
        if not code.text.isascii() or not _ahead(asked.policy, asked.token.kind):
            return Checked(CodeVerdict.WRONG)
        place = stock_key(asked.person.id, asked.token.kind, asked.token.address)
        left = await self.store.take(place, digest(self.key, place.encode(), code), now)
        if left is not None:
            return Checked(CodeVerdict.RIGHT, f"a code sent ahead, {left} left")
        return Checked(CodeVerdict.WRONG)

    async def compare(self, asked: Asked, response: Response, now: datetime) -> Checked:  # noqa: ARG002 - never too late
        """Compare with the challenge's code, where it was sealed; codes on stock are known by their digests alone."""
        code = self._opened(asked)
        if code is None or not response.proves(code):
            return Checked(CodeVerdict.WRONG)
        return Checked(CodeVerdict.RIGHT, proven=code)

    def _opened(self, asked: Asked) -> Secret | None:
        """The code that was sealed; None when there is none, or it was sent to another address."""
        challenge = asked.challenge
        if challenge is None or challenge.sealed is None:
            return None
        try:
            opened = self._cipher(challenge.id).decrypt(_NONCE, challenge.sealed, _bound(challenge.id, asked.token))
        except InvalidTag:
            return None
        return Secret(opened.decode())

    def _cipher(self, challenge_id: bytes) -> AESGCM:
        """A key of its own for each challenge, with which one code is sealed once."""
        return AESGCM(hmac.digest(self.key, b"code for a response" + challenge_id, hashlib.sha256))


def _bound(challenge_id: bytes, token: Usable) -> bytes:
    """What a code is bound to; of a fixed length, so that no address and code stand for others."""
    return challenge_id + hashlib.sha256(token.address.encode()).digest()


def _ahead(policy: Policy, kind: TokenKind) -> bool:
    """Whether codes on stock count under this policy."""
    mode = policy.sms_mode if kind is TokenKind.SMS else policy.email_mode
    return mode is not SendMode.ON_LOGON
