"""The one channel for codes that we mint, generic in the kind of address: a phone number does not fit a mailer."""

import asyncio
import logging
import re
from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

from auth.channels.base import DeliveryFailed, Gateway, Message, OnUnknown, Receipt

Address = TypeVar("Address")

_log = logging.getLogger("dirfactor.channels")
_PLACE = re.compile(r"(?P<own_line>^[ \t]*\{code\}[ \t]*(?=\r?$))|\{code\}|\{minutes\}", re.MULTILINE)


class MintedChannel(Generic[Address]):
    """Hands a message to the first gateway that takes it.

    Args:
        gateways: in the order of config.ini.
    """

    def __init__(self, gateways: Iterable[Gateway[Address]]) -> None:
        self._gateways = {gateway.name: gateway for gateway in gateways}

    async def deliver(
        self, to: Address, message: Message, *, gateways: Sequence[str], deadline_seconds: float
    ) -> Receipt:
        """Try gateways one after the other until one takes the message.

        It ends early when the address itself is refused, and when a gateway may have taken the message without saying
        so, unless that gateway's `on_unknown` prefers two messages to none.

        Args:
            to: where it goes.
            message: what is sent.
            gateways: names in the order to try; none means all, in the order of config.ini.
            deadline_seconds: for all of them together.

        Raises:
            DeliveryFailed: none took it; the problem says what became of it at each gateway.
        """
        failures: list[DeliveryFailed] = []
        asked = ""
        try:
            async with asyncio.timeout(deadline_seconds):
                for gateway in self._named(gateways):
                    asked = gateway.name
                    try:
                        receipt = await gateway.send(to, message)
                    except DeliveryFailed as failure:
                        failures.append(failure.about(gateway.name))
                        if failure.permanent or (failure.unknown and gateway.on_unknown is OnUnknown.STOP):
                            break
                    else:
                        _report(failures)
                        return receipt
        except TimeoutError:
            failures.append(_too_late(asked, deadline_seconds))
        raise _together(failures)

    async def aclose(self) -> None:
        """Close every gateway."""
        for gateway in self._gateways.values():
            await gateway.aclose()

    def _named(self, names: Sequence[str]) -> list[Gateway[Address]]:
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
        return [self._gateways[name] for name in names or self._gateways]


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
