"""Carries random logins through the real service and the naive one, side by side, until they differ."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from agreement import generator
from agreement.ideal import ideal
from agreement.naive.service import Naive
from agreement.real import ALICE, START, Real, a_store, emptied
from auth.embedded_state import EmbeddedStore
from auth.reason import Reason
from auth.why.explain import explain
from plain_store import in_turn

MOST_MOVES = 9
OVER = 0.6  # of the logins that were let in or turned away end their case, for what comes then was seen before
OF_OTHERS = {
    *("message-delivered", "message-undelivered"),  # a receipt says
    *("password-protocol", "request-incomplete", "request-unreadable"),  # a door declines
    *("forward-accepted", "forward-wanted", "forward-refused", "forward-unavailable"),  # another server decides
    *("audit-unavailable", "replica-unavailable", "state-unavailable", "internal-fault"),  # something has failed
}
"""Reasons that no directory and no person brings about."""
SELDOM = 2000
Moves = Callable[[Naive], Iterable[tuple]]
"""What happens, one after the other; a move may depend on what was sent and asked before it."""


@dataclass
class Difference(Exception):
    """The two do not agree.

    Attributes:
        world: the directory, as it was at the beginning.
        moves: what happened up to the difference.
        what: what is different.
        real: what the service did.
        naive: what the naive one did.
    """

    world: dict
    moves: list[tuple]
    what: str
    real: object
    naive: object

    def __str__(self) -> str:
        lines = [
            f"they differ in {self.what}",
            f"  the service: {self.real}",
            f"  naive:       {self.naive}",
            "  after:",
        ]
        lines += [f"    {number}. {' '.join(map(repr, move))}" for number, move in enumerate(self.moves, 1)]
        return "\n".join([*lines, *odd(self.world)])


@dataclass
class Tally:
    """How many cases there were, and what came of them."""

    cases: int = 0
    moves: int = 0
    reasons: Counter = field(default_factory=Counter)


async def run(numbers: Iterable[int], seed: int, tally: Tally) -> None:
    """Carry the cases with these numbers through both. Raises Difference, with the smallest case that shows it."""
    with a_store() as store:
        for number in numbers:
            world, moves = generated(f"{seed}:{number}")
            try:
                await compare(world, moves, store, tally)
            except Difference as difference:
                raise await smallest(difference, store) from None
            tally.cases += 1


def generated(seed: str) -> tuple[dict, Moves]:
    """A world, and what people do in it."""
    rng = Random(seed)

    def moves(naive: Naive) -> Iterator[tuple]:
        for _ in range(rng.randrange(1, MOST_MOVES)):
            yield generator.move(rng, naive)
            if naive.open is None and not naive.parked and rng.random() < OVER:
                return

    return generator.world(rng), moves


async def compare(world: dict, moves: Moves, store: EmbeddedStore, tally: Tally) -> None:
    """Do the same in both, and look at what each said, sent and counted. Raises Difference."""
    before, done = world, []
    world = copied(world)
    naive, real = Naive(world), Real(await emptied(store, world["failures"]), world)

    def same(what: str, ours: object, theirs: object) -> None:
        if ours != theirs:
            raise Difference(before, done, what, ours, theirs)

    same("what explain says", explained(real), ideal(world))
    for move in moves(naive):
        done.append(move)
        told = await made(move, real, naive)
        if told is not None:
            same("the outcome", *told)
            same("what was sent", real.messages, naive.messages)
            same("what counts as failures", sorted(in_turn(store).failures(ALICE)), strikes(naive))
            tally.reasons[told[0][1]] += 1
            tally.moves += 1


def copied(world: dict) -> dict:
    """An edit changes settings, and no lists in them."""
    policies = {name: dict(policy) for name, policy in world["policies"].items()}
    node = world["node"] and dict(world["node"])
    return {**world, "user": dict(world["user"]), "node": node, "policies": policies}


async def made(move: tuple, real: Real, naive: Naive) -> tuple | None:
    """Do it in both: what each said."""
    match move:
        case ("wait", seconds):
            real.now += seconds
            naive.now += seconds
            return None
        case ("edit", seed):
            generator.edit(Random(seed), naive.world)
            real.edited()
            return None
        case ("again", text):
            return await real.again(text), ("refused", "challenge-unknown", None)
        case ("answer", text):
            return await real.answer(text), naive.answer(text)
        case (_, password, code, caller):
            return await real.begin(password, code, caller), naive.begin(password, code, caller)


def explained(real: Real) -> str:
    """What explain says of a login now."""
    found = tuple(real.person(entry) for entry in real.find(()))
    recalled = in_turn(real.store).recall(real.known.wanted("vpn", found, START), START)
    return explain(real.known.facts("vpn", found, recalled), START).outcome


def strikes(naive: Naive) -> list:
    return sorted(START + timedelta(seconds=at) for at in naive.strikes)


def unmet(tally: Tally) -> list[str]:
    """The reasons that were met fewer than once in so many cases."""
    enough = max(1, tally.cases // SELDOM)
    return sorted(str(reason) for reason in Reason if reason not in OF_OTHERS and tally.reasons[str(reason)] < enough)


# a difference that can be read


async def smallest(difference: Difference, store: EmbeddedStore) -> Difference:
    """The same difference after fewer moves in a world in which less is odd."""
    smaller = True
    while smaller:
        smaller = False
        for world, moves in simpler(difference.world, difference.moves):
            found = await differs(world, moves, store)
            if found is not None:
                difference, smaller = found, True
                break
    return difference


async def differs(world: dict, moves: list[tuple], store: EmbeddedStore) -> Difference | None:
    try:
        await compare(world, lambda _: moves, store, Tally())
    except Difference as difference:
        return difference
    return None


def simpler(world: dict, moves: list[tuple]) -> Iterator[tuple[dict, list[tuple]]]:
    """The case without one of its moves, or with one of its oddities gone."""
    for number in range(len(moves) - 1):
        yield world, moves[:number] + moves[number + 1 :]
    plain = generator.plain()
    for name, value in plain.items():
        if world[name] != value:
            yield {**world, name: value}, moves
    for part in ("user", "node"):
        for name, value in plain[part].items():
            if world[part] and world[part][name] != value:
                yield {**world, part: {**world[part], name: value}}, moves
    for policy, settings in world["policies"].items():
        for name, value in generator.BUILT_IN.items():
            if settings[name] != value:
                policies = {**world["policies"], policy: {**settings, name: value}}
                yield {**world, "policies": policies}, moves


def odd(world: dict) -> Iterator[str]:
    """What of the world is not as it is by default."""
    plain = generator.plain()
    for part in ("user", "node"):
        settings = world[part] or {}
        told = (f"{key}={value!r}" for key, value in settings.items() if value != plain[part].get(key))
        yield f"  {part}: " + (", ".join(told) or "as usual")
    for name in sorted(plain.keys() - {"user", "node"}):
        if world[name] != plain[name]:
            yield f"  {name}: {world[name]!r}"
    for name, settings in world["policies"].items():
        told = {key: value for key, value in settings.items() if value != generator.BUILT_IN[key]}
        if told:
            yield f"  policy {name}: {told}"
