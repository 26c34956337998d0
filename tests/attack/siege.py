"""A strategy for so many hours, and what came of it."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from attack.attacker import Attacker
from attack.people import people
from attack.site import Shared, Site, open_site
from attack.strategies import Strategy
from rig.fixtures import running

LIMIT = 1e-4


@dataclass(frozen=True)
class Outcome:
    """What a strategy has come to.

    Attributes:
        strategy: which one.
        comparisons: guesses that were compared.
        bound: no attacker gets in with a greater probability.
        accepted: whether one got in.
        texts: that were sent.
        mails: likewise.
        locked: whether the person was locked by it meanwhile.
    """

    strategy: Strategy
    comparisons: int
    bound: float
    accepted: int
    texts: int
    mails: int
    locked: bool

    @property
    def holds(self) -> bool:
        """Whether the law holds; of a PIN nobody says that it does."""
        return self.strategy.memorised or self.bound < LIMIT


async def besieged(
    strategy: Strategy, folder: Path, *, hours: float, seed: int, patience: float, shared: Shared | None = None
) -> Outcome:
    """Attack one person for so long.

    Args:
        strategy: how.
        folder: for the site.
        hours: how long.
        seed: of the dice.
        patience: seconds between two rounds of which the first brought no guess.
        shared: the running Valkey that has the state; None for a file.
    """
    entries = people(strategy.kind, 1, strategy.policy)
    async with open_site(folder, entries, seed, services=strategy.services, shared=shared) as site:
        attacker = Attacker(
            site, strategy.kind, 1, tuple(strategy.nodes), strategy.knows_password, None, strategy.digits
        )
        await attack(site, attacker, strategy, hours, patience)
        meter, texts, mails = site.meter, len(site.texts), len(site.out) - len(site.texts)
        return Outcome(strategy, meter.comparisons, meter.bound, attacker.accepted, texts, mails, attacker.locked)


async def besieged_at_nodes(strategy: Strategy, folder: Path, *, hours: float, seed: int, patience: float) -> Outcome:
    """The same, where the services are nodes whose state is on a Valkey of their own."""
    shared = Shared(folder / "shared")
    with running(shared.valkey):
        site = folder / "site"
        return await besieged(strategy, site, hours=hours, seed=seed, patience=patience, shared=shared)


async def attack(site: Site, attacker: Attacker, strategy: Strategy, hours: float, patience: float) -> None:
    """Round after round."""
    begun = restarted = site.hand.now
    while site.hand.now - begun < timedelta(hours=hours):
        before = site.meter.comparisons
        await strategy.play(attacker)
        await site.pass_time(1 if site.meter.comparisons > before else patience)
        if strategy.restarts and site.hand.now - restarted >= timedelta(hours=1):
            restarted = site.hand.now
            await site.restart()
