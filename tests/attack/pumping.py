"""Who earns by texts, and has as many sent as [spend] lets: how many, and what they cost."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from attack.attacker import Attacker
from attack.people import people
from attack.site import Site, open_site
from auth.spend.limits import Limits
from auth.spend.settings import SpendSettings

_PAUSE = 180


@dataclass(frozen=True)
class Pumping:
    """One who has texts sent.

    Attributes:
        name: what they have.
        persons: whose names, or passwords, they know.
        node: through which node.
        knows_passwords: whether they know passwords as well.
        apart: whether the numbers begin in many ways; else all are of one block.
    """

    name: str
    persons: int
    node: str
    knows_passwords: bool
    apart: bool = False


PUMPINGS = (
    Pumping("one password", 1, "vpn", knows_passwords=True),
    Pumping("100 passwords, one block of numbers", 100, "vpn", knows_passwords=True),
    Pumping("100 passwords, numbers all over", 100, "vpn", knows_passwords=True, apart=True),
    Pumping("300 names at a codeOnly node", 300, "gateway", knows_passwords=False, apart=True),
)


@dataclass(frozen=True)
class Pumped:
    """What came of it.

    Attributes:
        pumping: who.
        texts: how many in all.
        per_user_hour: most to one of them within an hour.
        per_number_day: most to one of them.
        per_prefix_day: most to numbers that begin alike.
        most: what the limits let be sent at most in a day.
        spend: the limits.
    """

    pumping: Pumping
    texts: int
    per_user_hour: int
    per_number_day: int
    per_prefix_day: int
    most: int
    spend: SpendSettings

    @property
    def holds(self) -> bool:
        """No limit was passed, and the one that was in the way was used up, so that this says something."""
        spend = self.spend
        return (
            0 < self.texts <= self.most
            and self.per_user_hour <= spend.per_user_hour
            and self.per_number_day <= min(spend.per_number_day, spend.per_user_day)
            and self.per_prefix_day <= spend.per_prefix_day
        )


async def pumped(pumping: Pumping, folder: Path, *, hours: float, seed: int) -> Pumped:
    """As many texts as can be had in so many hours, a day at most."""
    async with open_site(folder, people("sms", pumping.persons, apart=pumping.apart), seed) as site:
        spend = site.app.settings.spend
        begun = site.hand.now
        attackers = [
            Attacker(site, "sms", n, (pumping.node,), knows_password=True) for n in range(1, pumping.persons + 1)
        ]
        while site.hand.now - begun < timedelta(hours=hours):
            before = len(site.texts)
            for attacker in attackers:
                await attacker.begin(attacker.password if pumping.knows_passwords else None)
            await site.pass_time(1 if len(site.texts) > before else _PAUSE)
        return _counted(pumping, site, spend)


def _counted(pumping: Pumping, site: Site, spend: SpendSettings) -> Pumped:
    numbers = Counter(number for _, number in site.texts)
    limits = Limits(spend, b"")
    prefixes = Counter(limits.prefix(number) for _, number in site.texts)
    blocks = len({limits.prefix(number) for number in numbers})
    most = min(
        pumping.persons * min(spend.per_user_day, spend.per_number_day), blocks * spend.per_prefix_day, spend.per_day
    )
    per_hour = max(
        _most_within(timedelta(hours=1), [at for at, to in site.texts if to == number]) for number in numbers
    )
    return Pumped(pumping, len(site.texts), per_hour, max(numbers.values()), max(prefixes.values()), most, spend)


def _most_within(window: timedelta, instants: list[datetime]) -> int:
    return max(sum(at - window < each <= at for each in instants) for at in instants)
