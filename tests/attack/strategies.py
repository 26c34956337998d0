"""How codes are guessed: each strategy is what an attacker does between two looks at the clock."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from attack.attacker import Attacker
from attack.people import KEYWORD
from auth.request import Challenged, Outcome

CHALLENGING = ("vpn", "wlan", "portal")
_AT_ONCE = 5


@dataclass(frozen=True)
class Strategy:
    """One way to guess.

    Attributes:
        name: for the table.
        kind: of the person's token.
        play: one round; time passes between two.
        nodes: through which nodes.
        policy: of the person, other than the usual one.
        knows_password: whether the first factor is known.
        digits: of a guess.
        services: how many services share the state.
        restarts: whether the service is started again every hour.
        memorised: whether what is guessed is no code but a PIN, of which the law does not hold.
    """

    name: str
    kind: str
    play: Callable[[Attacker], Awaitable[None]]
    nodes: Sequence[str] = CHALLENGING
    policy: str = ""
    knows_password: bool = True
    digits: int = 6
    services: int = 1
    restarts: bool = False
    memorised: bool = False


async def to_the_end(attacker: Attacker) -> None:
    """Each challenge until it has no tries left."""
    asked = await attacker.begin(attacker.password)
    while isinstance(asked, Challenged):
        asked = await attacker.answer(asked, attacker.guess())


async def abandoned(attacker: Attacker) -> None:
    """One guess at each challenge, then another one."""
    asked = await attacker.begin(attacker.password)
    if isinstance(asked, Challenged):
        await attacker.answer(asked, attacker.guess())


async def many_open(attacker: Attacker) -> None:
    """Many challenges are open at once, and answered in turn."""
    asked = []
    for _ in range(_AT_ONCE):
        outcome = await attacker.begin(attacker.password)
        asked.append((attacker.node, outcome))
    while asked:
        went_on = [
            (node, await attacker.answer(outcome, attacker.guess(), node))
            for node, outcome in asked
            if isinstance(outcome, Challenged)
        ]
        asked = went_on


async def all_at_once(attacker: Attacker) -> None:
    """Twenty first steps at the same time, then two answers to each at the same time."""

    async def answered(node: str, outcome: Outcome) -> None:
        if isinstance(outcome, Challenged):
            await asyncio.gather(*(attacker.answer(outcome, attacker.guess(), node) for _ in range(2)))

    nodes = attacker.nodes * 7
    begun = await asyncio.gather(*(attacker.begin(attacker.password, node=node) for node in nodes))
    await asyncio.gather(*(answered(node, outcome) for node, outcome in zip(nodes, begun, strict=True)))


async def beside_the_person(attacker: Attacker) -> None:
    """One guess fewer than locks, then the person logs on, who has all wrong ones forgotten."""
    for _ in range(4):
        asked = await attacker.begin(attacker.password)
        for _ in range(2):
            if isinstance(asked, Challenged):
                asked = await attacker.answer(asked, attacker.guess())
    await attacker.site.pass_time(30)
    await attacker.person_logs_on()


async def by_keyword(attacker: Attacker) -> None:
    """The keyword has a text sent, also in the middle of a challenge."""
    asked = await attacker.begin(attacker.password)
    for text in (KEYWORD, attacker.guess(), KEYWORD, attacker.guess(), attacker.guess()):
        if isinstance(asked, Challenged):
            asked = await attacker.answer(asked, text)


async def appended(attacker: Attacker) -> None:
    """The code stands behind the password."""
    await attacker.begin(attacker.password + attacker.guess())


async def appended_to_sent(attacker: Attacker) -> None:
    """The password alone has the code sent; the guess stands behind it at the next logon, from the same place."""
    await attacker.begin(attacker.password, caller="10.1.1.1")
    for _ in range(3):
        await attacker.begin(attacker.password + attacker.guess(), caller="10.1.1.1")


async def second_login(attacker: Attacker) -> None:
    """The first logon is rejected and has the code sent; the others bring it alone, from the same place."""
    await attacker.begin(attacker.password, caller="10.1.1.1")
    for _ in range(3):
        await attacker.begin(attacker.guess(), caller="10.1.1.1")


async def by_name_alone(attacker: Attacker) -> None:
    """A node that has checked the password itself hands on whoever it is."""
    asked = await attacker.begin(None)
    while isinstance(asked, Challenged):
        asked = await attacker.answer(asked, attacker.guess())


async def by_response(attacker: Attacker) -> None:
    """CHAP, where the code is known to the service."""
    await attacker.respond(attacker.guess())


_THREE = "challenge, 3 nodes, 2 doors"
STRATEGIES = (
    Strategy(f"text: {_THREE}", "sms", to_the_end),
    Strategy("text: challenges abandoned", "sms", abandoned),
    Strategy("text: 5 challenges open at once", "sms", many_open),
    Strategy("text: everything at the same time", "sms", all_at_once),
    Strategy("text: beside the person's logons", "sms", beside_the_person),
    Strategy("text: by keyword", "sms", by_keyword, policy="byKeyword"),
    Strategy("text: append", "sms", appended_to_sent, ("append",)),
    Strategy("text: rejectThenCode", "sms", second_login, ("reject",)),
    Strategy("text: codeOnly, by name alone", "sms", by_name_alone, ("gateway",), knows_password=False),
    Strategy("text: two services, one state", "sms", to_the_end, services=2),
    Strategy(f"mail: {_THREE}", "email", to_the_end),
    Strategy("mail: 5 challenges open at once", "email", many_open),
    Strategy("mail: beside the person's logons", "email", beside_the_person),
    Strategy(f"authenticator: {_THREE}", "totp", to_the_end),
    Strategy("authenticator: beside the person's", "totp", beside_the_person),
    Strategy("authenticator: restarts", "totp", to_the_end, restarts=True),
    Strategy("authenticator: two services", "totp", many_open, services=2),
    Strategy("authenticator: append", "totp", appended, ("append",)),
    Strategy("authenticator: codeOnly, by name", "totp", by_name_alone, ("gateway",), knows_password=False),
    Strategy("authenticator: codeOnly, CHAP", "totp", by_response, ("gateway",), knows_password=False),
    Strategy(f"counter: {_THREE}", "hotp", to_the_end),
    Strategy("counter: everything at the same time", "hotp", all_at_once),
    Strategy("counter: beside the person's logons", "hotp", beside_the_person),
    Strategy("counter: append", "hotp", appended, ("append",)),
    Strategy("temporary response", "response", to_the_end, policy="temporary", digits=8),
    Strategy("VIP: challenge", "vip", to_the_end),
    Strategy("VIP: everything at the same time", "vip", all_at_once),
    Strategy("PIN of 6 digits instead of a code", "pin6", to_the_end, policy="pin", memorised=True),
    Strategy("PIN of 4 digits instead of a code", "pin4", to_the_end, policy="pin", digits=4, memorised=True),
)
AT_NODES = (
    Strategy("text: two nodes, one Valkey", "sms", all_at_once, services=2),
    Strategy("authenticator: two nodes, one Valkey", "totp", many_open, services=2),
    Strategy("counter: two nodes, one Valkey", "hotp", beside_the_person, services=2),
)
"""Where the services are nodes whose state is on a Valkey."""
