"""Asks the store before each text whether it may be sent, and raises the alarm for texts that nobody answers."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from auth.addresses import PhoneNumber
from auth.channels.base import DeliveryFailed
from auth.spend.conversion import SETTLING_SECONDS, WINDOW_SECONDS, Conversion
from auth.spend.limits import Limits
from auth.state import Limit, Store
from schema.entry import EntryId

_log = logging.getLogger("dirfactor.spend")


class SpendRefused(DeliveryFailed):
    """A limit of [spend] keeps a text from being sent; nobody was asked to send it."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text that is about to be sent.

    Attributes:
        user: who gets it.
        number: where it goes.
        gateways: who may carry it.
        parts: how many it has.
        answered_now: whether its code is asked for at this logon; one on stock may be answered much later.
    """

    user: EntryId
    number: PhoneNumber
    gateways: Sequence[str]
    parts: int
    answered_now: bool


class SpendGuard:
    """The limits in force.

    Args:
        limits: of config.ini.
        store: counts.

    Attributes:
        refused: how many texts the limits have kept from being sent since the start.
    """

    def __init__(self, limits: Limits, store: Store) -> None:
        self._limits = limits
        self._store = store
        self._alarms: set[str] = set()
        self.refused = 0

    @property
    def alarms(self) -> Sequence[str]:
        """Prefixes whose codes are not answered."""
        return sorted(self._alarms)

    async def reserve(self, text: Text, at: datetime) -> tuple[Limit, ...]:
        """Count a text against all limits.

        Returns:
            What was counted, for `give_back`.

        Raises:
            SpendRefused: a limit is reached, and nothing was counted.
            StateUnavailable: it could not be counted.
        """
        prefix = self._limits.prefix(text.number)
        await self._judge(prefix, at)
        limits = tuple(self._limits.of(text.user, text.number, text.gateways, text.parts))
        if text.answered_now:
            limits += (_uncapped(_sent(prefix)),)
        reached = await self._store.reserve(limits, at)
        if reached is not None:
            self.refused += 1
            raise SpendRefused(
                f"the limit {reached.name} of [spend] is reached",
                remedy="find out who keeps asking for texts; if all is as it should be, raise the limit in config.ini",
            )
        return limits

    async def settled(self) -> None:
        """Wait until what was reserved is counted for good. Raises StateUnavailable."""
        await self._store.settled()

    async def give_back(self, limits: Sequence[Limit], at: datetime) -> None:
        """No gateway took the text, and none can have."""
        await self._store.give_back(limits, at)

    async def answered(self, number: PhoneNumber, at: datetime) -> None:
        """A code that was texted to this number has come back."""
        await self._store.reserve((_uncapped(_answered(self._limits.prefix(number))),), at)

    async def _judge(self, prefix: str, at: datetime) -> None:
        """Raise or end the alarm. Raises SpendRefused where it stops texts."""
        spend = self._limits.spend
        seconds = WINDOW_SECONDS + SETTLING_SECONDS
        sent = await self._store.tally(_sent(prefix), at, seconds)
        sent -= await self._store.tally(_sent(prefix), at, SETTLING_SECONDS)
        found = Conversion(sent, await self._store.tally(_answered(prefix), at, seconds))
        if not found.suspicious(spend):
            if prefix in self._alarms:
                self._alarms.discard(prefix)
                _log.warning("texts to +%s...: %s, the alarm is over", prefix, found)
            return
        if prefix not in self._alarms:
            self._alarms.add(prefix)
            _log.error("texts to +%s...: %s; somebody may be earning by them", prefix, found)
        if spend.alarm_stops:
            self.refused += 1
            raise SpendRefused(
                f"alarm_stops of [spend]: of those to +{prefix}... {found}",
                remedy="find out who asks for these texts; it ends when the hour is over",
            )


def _sent(prefix: str) -> str:
    return f"spend sent {prefix}"


def _answered(prefix: str) -> str:
    return f"spend answered {prefix}"


def _uncapped(key: str) -> Limit:
    """Something that is counted, and has no limit."""
    return Limit("", key, WINDOW_SECONDS, None)
