"""Whether the meter is true: with codes so few that guesses hit, there are as many hits as it expects.

A way to get in that the meter does not know of, or takes for less than it is, shows as more.
"""

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from attack.attacker import Attacker
from attack.people import people, token_of
from attack.siege import attack
from attack.site import VIP_SEED, GuessedVip, open_site
from attack.site import VIP_STEPS as _STEPS
from attack.strategies import CHALLENGING, Strategy, many_open, to_the_end
from auth.reason import Reason
from auth.request import Accepted, Challenged
from schema.words import TokenKind

_FEW = 10
_AHEAD = 30
_DEVIATIONS = 4


@dataclass(frozen=True)
class Truth:
    """What the meter expected, and what came.

    Attributes:
        name: of the strategy.
        comparisons: how many guesses were compared.
        expected: how many were to hit.
        hits: how many did.
        waited: how often a guess that was right, and too far ahead, got in when its time had come.
    """

    name: str
    comparisons: int
    expected: float
    hits: int
    waited: int

    @property
    def holds(self) -> bool:
        """There are as many hits as chance explains, and waiting brings nothing."""
        return abs(self.hits - self.expected) < _DEVIATIONS * math.sqrt(self.expected) and self.waited == 0


def minted(attacker: Attacker) -> str:
    """One of the few codes that are sent."""
    return f"{attacker.site.random.randrange(_FEW):06d}"


def of_the_time(attacker: Attacker) -> str:
    """One of the codes that the authenticator shows a few minutes before and after now."""
    token = token_of(attacker.uid, TokenKind.TOTP)
    step = token.step(attacker.site.hand.now)
    return token.code(step + attacker.site.random.randint(-_STEPS, _STEPS)).text


def of_the_counter(attacker: Attacker) -> str:
    """One of the codes that the event token shows next."""
    first = attacker.site.counters.get(attacker.uid, -1) + 1
    return token_of(attacker.uid, TokenKind.HOTP).code(first + attacker.site.random.randrange(_AHEAD)).text


def of_vip(attacker: Attacker) -> str:
    """One of the codes that the credential shows a few minutes before and after now."""
    return GuessedVip(attacker.site.hand, VIP_SEED).code(attacker.site.random.randint(-_STEPS, _STEPS))


async def patient_in_time(attacker: Attacker) -> None:
    """Who is told that a guess is right, and too far ahead, waits until its time has come."""

    async def wait() -> None:
        await attacker.site.pass_time(30)

    await _patient(attacker, wait, 2 * _STEPS)


async def patient_of_counter(attacker: Attacker) -> None:
    """The same for a code that comes with the person's next logons."""

    async def wait() -> None:
        await attacker.person_logs_on()

    await _patient(attacker, wait, 6)


async def _patient(attacker: Attacker, wait: Callable[[], Awaitable[None]], times: int) -> None:
    asked = await attacker.begin(attacker.password)
    if not isinstance(asked, Challenged):
        return
    guess = attacker.guess()
    told = await attacker.answer(asked, guess)
    if told.reason is not Reason.CODE_RESYNCHRONISE:
        return
    meter = attacker.site.meter
    for _ in range(times):
        await wait()
        asked = await attacker.begin(attacker.password)
        meter.watching = False  # it is no guess any more
        if isinstance(asked, Challenged):
            attacker.waited += isinstance(await attacker.answer(asked, guess), Accepted)
        meter.watching = True


CASES = (
    (Strategy("text, one of 10", "sms", to_the_end), minted, _FEW),
    (Strategy("mail, one of 10, 5 open at once", "email", many_open), minted, _FEW),
    (Strategy("authenticator, one of 21", "totp", to_the_end), of_the_time, 2 * _STEPS + 1),
    (Strategy("authenticator, and waits", "totp", patient_in_time), of_the_time, 2 * _STEPS + 1),
    (Strategy("VIP, and waits", "vip", patient_in_time), of_vip, 2 * _STEPS + 1),
    (Strategy("counter, one of 30", "hotp", to_the_end), of_the_counter, _AHEAD),
    (Strategy("counter, and waits", "hotp", patient_of_counter), of_the_counter, _AHEAD),
)


async def weighed(case: int, folder: Path, *, number_of: int, seed: int) -> Truth:
    """Attack so many people for a quarter of an hour each, with codes that are easily guessed.

    Args:
        case: which of `CASES`.
        folder: for the site.
        number_of: the people.
        seed: of the dice.
    """
    strategy, draw, space = CASES[case]
    most = _FEW if strategy.kind in ("sms", "email") else None
    async with open_site(folder, people(strategy.kind, number_of), seed, most=most) as site:
        site.meter.space = space
        attackers = [
            Attacker(site, strategy.kind, number, CHALLENGING, draw=draw) for number in range(1, number_of + 1)
        ]
        for attacker in attackers:
            await attack(site, attacker, strategy, 0.25, 300)
        waited = sum(attacker.waited for attacker in attackers)
        return Truth(strategy.name, site.meter.comparisons, site.meter.bound, site.meter.hits, waited)
