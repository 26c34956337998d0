"""Counts what reaches the judges, and what each guess could have hit at that moment."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from auth.facts import CodeVerdict
from auth.judges.base import Asked, Checked
from auth.judges.software import SoftwareJudge
from auth.memorised.pin import PinVerdict
from auth.memorised.pin_typed import readings
from auth.otp.sealed import sealed_tokens, unsealed_token
from auth.otp.window import Position, window
from auth.state import Wanted, stock_key
from schema.words import TokenKind

SPACE = 10**6


@dataclass
class Meter:
    """What attackers have had compared.

    Attributes:
        watching: whether it is an attacker whose code is judged.
        space: how many codes there are to guess from; of PINs, how many of the length that is guessed.
        comparisons: guesses that reached a judge.
        bound: the chances of all of them added up: no attacker gets in with a greater probability (union bound).
        hits: guesses that were right.
        told: codes of VIP that it called drifted.
    """

    watching: bool = True
    space: int = SPACE
    comparisons: int = 0
    bound: float = 0.0
    hits: int = 0
    told: set[str] = field(default_factory=set)

    def judge(self, kind: TokenKind, inner: Any, app: Any) -> "WatchedJudge":
        return WatchedJudge(self, kind, inner, app)

    def temporary(self, inner: Any) -> "WatchedResponse":
        return WatchedResponse(self, inner)

    def pins(self, inner: Any) -> "WatchedPins":
        return WatchedPins(self, inner)

    def took(self, good: float, *, right: bool, space: int | None = None, counts: bool = True) -> None:
        """A guess was compared when so many codes were good; it counts once, whoever else compares it."""
        if self.watching:
            self.comparisons += counts
            self.bound += good / (space or self.space)
            self.hits += right


@dataclass(frozen=True)
class WatchedJudge:
    """A judge, and how many codes it would have taken."""

    meter: Meter
    kind: TokenKind
    inner: Any
    app: Any

    async def check(self, asked: Asked, typed, now) -> Checked:
        good = await self._good(asked, now)
        checked = await self.inner.check(asked, typed, now)
        if self.kind is TokenKind.VIP and checked.verdict is CodeVerdict.RESYNCHRONISE:
            self.meter.told.add(typed.text)
        self.meter.took(good, right=checked.verdict is CodeVerdict.RIGHT)
        return checked

    async def compare(self, asked: Asked, response, now) -> Checked:
        good = await self._good(asked, now)
        checked = await self.inner.compare(asked, response, now)
        self.meter.took(good, right=checked.verdict is CodeVerdict.RIGHT)
        return checked

    async def _good(self, asked: Asked, now) -> int:
        if self.kind is TokenKind.VIP:
            return self.inner.service.code() not in self.meter.told
        if self.kind in (TokenKind.SMS, TokenKind.EMAIL):
            place = stock_key(asked.person.id, self.kind, asked.token.address)
            (stock,) = (await self.app.store.recall(Wanted(stocks=(place,)), now)).stocks
            return stock + bool(asked.challenge and asked.challenge.digest)
        return await software_good(self.inner, self.app.store, asked, now)


async def software_good(judge: SoftwareJudge, store, asked: Asked, now) -> int:
    """How many different codes of the user's tokens are good; with the second of two, one more."""
    codes = set()
    for item in sealed_tokens(asked.person.user, asked.token.kind):
        token = unsealed_token(judge.ring(), asked.person.id, item.text)
        keys = (f"drift {token.identity}", f"told {token.identity}")
        recalled = await store.recall(Wanted(marks=(f"otp {token.identity}",), kept=keys), now)
        mark, (drift, told) = recalled.marks[0], recalled.kept
        shown = numbers(told)
        where = window(token, Position(mark, int(drift or 0)), asked.policy, now)
        codes |= {token.code(n).text for n in where if (mark is None or n > mark) and n not in shown}
    return len(codes) + bool(asked.challenge and asked.challenge.held)


def numbers(octets: bytes | None) -> frozenset[int]:
    return frozenset(msgspec.msgpack.decode(octets, type=tuple[int, ...])) if octets else frozenset()


@dataclass(frozen=True)
class WatchedResponse:
    """The judge of temporary responses; what it does not take goes on to the token's judge, which is watched too."""

    meter: Meter
    inner: Any

    async def check(self, asked: Asked, typed, now) -> Checked:
        checked = await self.inner.check(asked, typed, now)
        self.meter.took(1, right=checked.verdict is CodeVerdict.RIGHT, space=100 * SPACE, counts=False)
        return checked


@dataclass(frozen=True)
class WatchedPins:
    """The judge of PINs; of whatever is typed, only one reading has as many digits as the PIN."""

    meter: Meter
    inner: Any

    def read(self, person, policy, typed, code_lengths, kept, now):
        found = self.inner.read(person, policy, typed, code_lengths, kept, now)
        longest = max((len(each.pin.text) for each in readings(typed, code_lengths)), default=0)
        self.meter.took(1, right=found is not None, space=10**longest)
        return found

    def verdict(self, person, policy, typed, kept, now):
        found = self.inner.verdict(person, policy, typed, kept, now)
        self.meter.took(1, right=found in {PinVerdict.RIGHT, PinVerdict.EXPIRED}, space=10 ** len(typed.text))
        return found

    def __getattr__(self, name):
        return getattr(self.inner, name)
