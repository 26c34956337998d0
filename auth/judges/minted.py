"""Judges the codes that we have drawn and sent: for one challenge each, or on stock for logons to come."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from auth.codes import digest, is_right, mint, plain
from auth.facts import CodeVerdict
from auth.judges.base import Asked, Checked
from auth.state import Store
from schema.entry import EntryId, Policy
from schema.secret import Secret
from schema.words import TokenKind


def stock_key(user: EntryId, kind: TokenKind) -> str:
    """Under what a user's codes for logons to come are kept in the store."""
    return f"stock {kind} {user.hex()}"


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

    def mint(self, challenge_id: bytes, length: int) -> tuple[Secret, bytes]:
        """A new code for a challenge, and the digest to store for it."""
        code = mint(length, self.below)
        return code, digest(self.key, challenge_id, code)

    def mint_stock(self, user: EntryId, kind: TokenKind, policy: Policy, number: int, now: datetime) -> list[Secret]:
        """So many different codes for logons to come, on stock as long as the policy says. Raises StateUnavailable."""
        codes: dict[str, Secret] = {}
        while len(codes) < number:
            code = mint(policy.code_length, self.below)
            codes[code.text] = code
        place = stock_key(user, kind)
        digests = [digest(self.key, place.encode(), code) for code in codes.values()]
        self.store.lay_in(place, digests, now + timedelta(hours=policy.ahead_lifetime))
        return list(codes.values())

    async def check(self, asked: Asked, typed: Secret, now: datetime) -> Checked:
        """Compare with the challenge's code, then with those on stock, of which the right one is used up."""
        challenge = asked.challenge
        if challenge and challenge.digest and is_right(self.key, challenge.id, typed, challenge.digest):
            return Checked(CodeVerdict.RIGHT)
        place = stock_key(asked.person.id, asked.token.kind)
        left = self.store.take(place, digest(self.key, place.encode(), plain(typed)), now)
        if left is not None:
            return Checked(CodeVerdict.RIGHT, f"a code sent ahead, {left} left")
        if challenge is None or challenge.digest is None:
            return Checked(CodeVerdict.WRONG, "no such code is open")
        return Checked(CodeVerdict.WRONG)
