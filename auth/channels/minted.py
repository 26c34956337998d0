"""The one channel for codes that we mint, generic in the kind of address: a phone number does not fit a mailer."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

from auth.channels.base import DeliveryFailed, Gateway, Message, OnUnknown, Receipt
from auth.channels.breaker import Standing
from auth.channels.gateway_health import GatewayHealth

Address = TypeVar("Address")

Counted = Callable[[int], Awaitable[None]]
"""Sees that so many messages are counted, no more and no fewer; raises DeliveryFailed where a limit forbids it."""

_SHARED_OUT = 0.95  # of the time for all; the rest is for gateways to say that theirs was over
_log = logging.getLogger("dirfactor.channels")
_PLACE = re.compile(r"(?P<own_line>^[ \t]*\{code\}[ \t]*(?=\r?$))|\{code\}|\{minutes\}", re.MULTILINE)


async def _uncounted(_number: int) -> None:
    """For messages that cost nothing."""


class MintedChannel(Generic[Address]):
    """Hands a message to the first gateway that takes it.

    Args:
        gateways: in the order of config.ini.
        monotonic: seconds that never run backwards.
    """

    def __init__(self, gateways: Iterable[Gateway[Address]], monotonic: Callable[[], float]) -> None:
        self._gateways = {gateway.name: gateway for gateway in gateways}
        self._monotonic = monotonic
        self._health = GatewayHealth(self._gateways, monotonic)

    async def deliver(
        self,
        to: Address,
        message: Message,
        *,
        gateways: Sequence[str],
        deadline_seconds: float,
        counted: Counted = _uncounted,
    ) -> Receipt:
        """Try gateways one after the other until one takes the message.

        What is left of the time is shared out evenly among those still to be asked, so that one that hangs leaves
        time for the next. A gateway that failed several times in a row comes last for a while, and has only what time
        the others leave, unless none of them is known to work.

        It ends early when the address itself is refused, and when a gateway may have taken the message without saying
        so, unless that gateway's `on_unknown` prefers two messages to none.

        Args:
            to: where it goes.
            message: what is sent.
            gateways: names in the order to try; none means all, in the order of config.ini.
            deadline_seconds: for all of them together.
            counted: is told, before each gateway is asked, how many may have taken the message after that, and in the
                end, when none took it, how many may have.

        Raises:
            DeliveryFailed: none took it; the problem says what became of it at each gateway.
        """
        turns = self._health.turns(self._named(gateways))
        failures: list[DeliveryFailed] = []
        left_out = list(turns.last)
        over = self._monotonic() + deadline_seconds * _SHARED_OUT
        name = ""
        try:
            async with asyncio.timeout(deadline_seconds):
                for place, name in enumerate(turns.first + turns.last):
                    left = max(0.0, over - self._monotonic())
                    if place >= turns.sharing and not left:
                        break
                    left_out = [other for other in left_out if other != name]
                    try:
                        await counted(_perhaps_taken(failures) + 1)
                    except DeliveryFailed as refusal:
                        failures.append(refusal.about(name))
                        break
                    share = left / max(1, turns.sharing - place)
                    try:
                        receipt = await self._ask(self._gateways[name], to, message, share)
                    except DeliveryFailed as failure:
                        failures.append(failure.about(name))
                        if failure.permanent or (failure.unknown and self._stops(name)):
                            break
                    else:
                        _report(failures)
                        return receipt
        except TimeoutError:
            failures.append(_too_late(name, deadline_seconds))
        await counted(_perhaps_taken(failures))
        raise _together([*map(_left_out, left_out), *failures])

    @property
    def names(self) -> Sequence[str]:
        """The gateways in the order of config.ini."""
        return tuple(self._gateways)

    def standings(self) -> Mapping[str, Standing]:
        """How each gateway's circuit breaker stands now."""
        return self._health.standings()

    async def aclose(self) -> None:
        """Close every gateway."""
        for gateway in self._gateways.values():
            await gateway.aclose()

    async def _ask(self, gateway: Gateway[Address], to: Address, message: Message, seconds: float) -> Receipt:
        """One attempt, and what it says about the gateway. That it refuses just this message is not its fault."""
        self._health.asked(gateway.name)
        worked = False
        try:
            receipt = await gateway.send(to, message, seconds=seconds)
            worked = True
        except DeliveryFailed as failure:
            worked = failure.answered
            raise
        finally:
            (self._health.worked if worked else self._health.failed)(gateway.name)
        return receipt

    def _stops(self, name: str) -> bool:
        return self._gateways[name].on_unknown is OnUnknown.STOP

    def _named(self, names: Sequence[str]) -> Sequence[str]:
        missing = next((name for name in names if name not in self._gateways), None)
        if missing is not None:
            known = ", ".join(self._gateways) or "none"
            raise DeliveryFailed(
                f"the policy names gateway {missing}, which config.ini does not have", remedy=f"known are: {known}"
            )
        if not self._gateways:
            raise DeliveryFailed(
                "config.ini has no gateway for this kind of token", remedy="add an [sms:NAME] or [email:NAME] section"
            )
        return tuple(names or self._gateways)


def render(template: str, codes: Sequence[str], minutes: int) -> str:
    """The template with `{code}` and `{minutes}` filled in; every other brace stays as it is.

    Args:
        template: an administrator's text.
        codes: one or more; joined by commas, or one a line where `{code}` has a line to itself.
        minutes: for how long they are good.
    """

    def value(place: re.Match[str]) -> str:
        if place[0] == "{minutes}":
            return str(minutes)
        return ("\n" if place["own_line"] is not None else ", ").join(codes)

    return _PLACE.sub(value, template)


def _report(failures: Iterable[DeliveryFailed]) -> None:
    """Tell the operator of gateways that failed, though the message was taken and nobody else will hear of it."""
    for failure in failures:
        _log.warning("%s", failure)


def _perhaps_taken(failures: Iterable[DeliveryFailed]) -> int:
    return sum(failure.unknown for failure in failures)


def _left_out(gateway: str) -> DeliveryFailed:
    return DeliveryFailed(
        f"{gateway}: not asked, it failed several times in a row", remedy="see the log; check the gateway"
    )


def _too_late(gateway: str, seconds: float) -> DeliveryFailed:
    return DeliveryFailed(
        f"{gateway}: the time for delivery, {seconds:g} s, was over before it answered",
        remedy="check the gateway; give it a timeout_seconds that leaves time for the next one",
        unknown=True,
    )


def _together(failures: Sequence[DeliveryFailed]) -> DeliveryFailed:
    return DeliveryFailed(
        "; ".join(failure.problem for failure in failures),
        remedy="; ".join(dict.fromkeys(failure.remedy for failure in failures)),
        permanent=any(failure.permanent for failure in failures),
        unknown=any(failure.unknown for failure in failures),
    )
