"""Judges the codes that we have drawn and sent: for one challenge each, or on stock for logons to come.

A code counts only while the address that it was sent to is the token's: a phone that was lost has no codes.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from auth.codes import digest, is_right, mint, plain
from auth.facts import CodeVerdict
from auth.judges.base import Asked, Checked
from auth.state import Store, stock_key
from auth.tokens import Usable
from schema.entry import EntryId, Policy
from schema.secret import Secret
from schema.words import SendMode, TokenKind


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

    def mint_stock(self, length: int, number: int) -> list[Secret]:
        """So many different codes for logons to come; they are good when they have been laid in."""
        codes: dict[str, Secret] = {}
        while len(codes) < number:
            code = mint(length, self.below)
            codes[code.text] = code
        return list(codes.values())

    def lay_in(self, user: EntryId, token: Usable, codes: Sequence[Secret], expires_at: datetime) -> None:
        """Put codes that were sent to the token's address on the user's stock. Raises StateUnavailable."""
        place = stock_key(user, token.kind, token.address)
        self.store.lay_in(place, [digest(self.key, place.encode(), code) for code in codes], expires_at)

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
        left = self.store.take(place, digest(self.key, place.encode(), code), now)
        if left is not None:
            return Checked(CodeVerdict.RIGHT, f"a code sent ahead, {left} left")
        return Checked(CodeVerdict.WRONG)


def _bound(challenge_id: bytes, token: Usable) -> bytes:
    """What a code is bound to; of a fixed length, so that no address and code stand for others."""
    return challenge_id + hashlib.sha256(token.address.encode()).digest()


def _ahead(policy: Policy, kind: TokenKind) -> bool:
    """Whether codes on stock count under this policy."""
    mode = policy.sms_mode if kind is TokenKind.SMS else policy.email_mode
    return mode is not SendMode.ON_LOGON
