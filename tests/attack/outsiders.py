"""Who knows nothing but a name: whether that is enough to lock a person out, and at which nodes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from attack.attacker import Attacker
from attack.people import people
from attack.siege import LIMIT
from attack.site import open_site
from auth.request import Challenged
from schema.secret import Secret

_DAY_SECONDS = 86_460


@dataclass(frozen=True)
class Flood:
    """Requests with a name and nothing else that is right.

    Attributes:
        name: for the table: first method and mode of the node.
        kind: of the person's token.
        play: one round of it.
        node: through which node.
        policy: of the person.
        lets: whether who knows the name alone may guess codes there, and so lock the person.
    """

    name: str
    kind: str
    play: Callable[[Attacker], Awaitable[None]]
    node: str
    policy: str = ""
    lets: bool = False


async def everything(attacker: Attacker) -> None:
    """Whatever can be typed without the first factor."""
    for password in ("not the password", "", None, attacker.guess(), "not the password" + attacker.guess()):
        outcome = await attacker.begin(password)
        while isinstance(outcome, Challenged):
            outcome = await attacker.answer(outcome, attacker.guess())
        await attacker.begin(password, attacker.guess())
    await attacker.respond(attacker.guess())
    made_up = Challenged(Secret(attacker.site.random.randbytes(24).hex()), "", "", 1, "")
    await attacker.answer(made_up, attacker.guess())


async def while_a_code_is_open(attacker: Attacker) -> None:
    """The person has just had a code sent; their client names no calling station."""
    meter = attacker.site.meter
    attacker.knows_password, meter.watching = True, False
    await attacker.begin(attacker.password, caller="")
    attacker.knows_password, meter.watching = False, True
    for _ in range(4):
        await attacker.begin(attacker.guess(), caller="")
    await attacker.site.pass_time(1_800)


FLOODS = (
    Flood("password, then code: challenge", "totp", everything, "vpn"),
    Flood("password, then text: challenge", "sms", everything, "vpn"),
    Flood("password and code: append", "totp", everything, "append"),
    Flood("password and text: append", "sms", everything, "append"),
    Flood("password, then text: rejectThenCode", "sms", everything, "reject"),
    Flood("code alone: challenge", "totp", everything, "vpn", "tokenAlone", lets=True),
    Flood("PIN, then code: challenge", "pin6", everything, "vpn", "pinFirst", lets=True),
    Flood("code: codeOnly", "totp", everything, "gateway", lets=True),
    Flood("text: codeOnly", "sms", everything, "gateway", lets=True),
    Flood("text is open: rejectThenCode, no station", "sms", while_a_code_is_open, "reject", lets=True),
)


@dataclass(frozen=True)
class Flooded:
    """What came of it.

    Attributes:
        flood: which one.
        requests: how many there were.
        comparisons: guesses that were compared.
        bound: the probability that one of them was right.
        texts: that were sent.
        person: what the person's own logons came to: at once after it; after a helpdesk has unlocked them; a day later.
            The first that is accepted is the last.
    """

    flood: Flood
    requests: int
    comparisons: int
    bound: float
    texts: int
    person: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """A name locks nobody, but where nothing else is asked for before the code; and there a helpdesk can help."""
        if self.flood.lets:
            return self.bound < LIMIT and self.person[-1] == "accepted"
        return self.comparisons == 0 and self.texts == 0 and self.person == ("accepted",)


async def flooded(flood: Flood, folder: Path, *, rounds: int, seed: int) -> Flooded:
    """So many rounds, a minute apart, in a day at most."""
    entries = people(flood.kind, 1, flood.policy)
    async with open_site(folder, entries, seed) as site:
        attacker = Attacker(site, flood.kind, 1, (flood.node,), knows_password=False)
        over = site.hand.now + timedelta(days=1)
        for _ in range(rounds):
            if site.hand.now < over:
                await flood.play(attacker)
                await site.pass_time(60)
        requests, texts, meter = site.logins, len(site.texts), site.meter
        return Flooded(flood, requests, meter.comparisons, meter.bound, texts, await _of_the_person(attacker))


async def _of_the_person(attacker: Attacker) -> tuple[str, ...]:
    site = attacker.site

    async def said() -> str:
        return str((await attacker.person_logs_on()).reason)

    found = [await said()]
    if found[-1] != "accepted":
        await site.unlock(attacker.uid)
        found.append(await said())
    if found[-1] != "accepted":
        await site.pass_time(_DAY_SECONDS)
        found.append(await said())
    return tuple(found)
