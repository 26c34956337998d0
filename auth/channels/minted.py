"""The one channel for codes that we mint, generic in the kind of address: a phone number does not fit a mailer."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

from auth.channels.base import DeliveryFailed, Gateway, Message, OnUnknown, Receipt

Address = TypeVar("Address")


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
        """Try the gateways one after the other until one takes the message.

        Args:
            to: where it goes.
            message: what is sent.
            gateways: names in the order to try; none means all.
            deadline_seconds: for all of them together.

        Raises:
            DeliveryFailed: none took it; the problem says what each of them said.
        """
        problems: list[str] = []
        try:
            async with asyncio.timeout(deadline_seconds):
                for gateway in self._named(gateways):
                    try:
                        return await gateway.send(to, message)
                    except DeliveryFailed as failure:
                        problems.append(f"{gateway.name}: {failure.problem}")
                        if failure.permanent or (failure.unknown and gateway.on_unknown is OnUnknown.STOP):
                            break
        except TimeoutError:
            problems.append(f"no gateway took the message within {deadline_seconds:g} s")
        raise DeliveryFailed("; ".join(problems), remedy="see each gateway's problem; check it and its settings")

    def _named(self, names: Sequence[str]) -> list[Gateway[Address]]:
        unknown = [name for name in names if name not in self._gateways]
        if unknown:
            known = ", ".join(self._gateways) or "none"
            raise DeliveryFailed(
                f"the policy names gateway {unknown[0]}, which config.ini does not have",
                remedy=f"name one of: {known}",
                permanent=True,
            )
        if not self._gateways:
            raise DeliveryFailed(
                "config.ini has no gateway for this kind of token", remedy="add an [sms:NAME] or [email:NAME] section"
            )
        return [self._gateways[name] for name in names] or list(self._gateways.values())


def render(template: str, codes: Sequence[str], minutes: int) -> str:
    """The template with `{code}` and `{minutes}` filled in; every other brace stays as it is.

    Args:
        template: an administrator's text.
        codes: one or more codes, joined by commas.
        minutes: for how long they are good.
    """
    return template.replace("{minutes}", str(minutes)).replace("{code}", ", ".join(codes))
