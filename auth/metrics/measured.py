"""Stands in front of what is measured, and passes everything on: the service, gateways, VIP."""

import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from auth.channels.base import DeliveryFailed, Gateway, Message, OnUnknown, Receipt
from auth.judges.vip import Validator
from auth.metrics.catalogue import Metric
from auth.metrics.tally import Tally
from auth.reason import Reason
from auth.request import Accepted, AnswerRequest, Challenged, Door, LoginRequest, Origin, Outcome, Refused, Service
from auth.vip.faults import VipUnavailable
from auth.vip.verdict import Verdict
from schema.errors import Fault
from schema.secret import Secret

_Address = TypeVar("_Address")
_Told = TypeVar("_Told", bound=Outcome)
_OUTCOMES: dict[type, str] = {Accepted: "accepted", Challenged: "challenged", Refused: "refused"}


class MeasuredService:
    """`auth.request.Service`, with what each step came to and how long it took.

    Args:
        service: decides.
        tally: where it is counted.
        monotonic: seconds that never run backwards.
    """

    def __init__(self, service: Service, tally: Tally, monotonic: Callable[[], float]) -> None:
        self._service = service
        self._tally = tally
        self._monotonic = monotonic

    async def begin(self, request: LoginRequest) -> Outcome:
        """See `auth.request.Service.begin`."""
        return await self._measured(request.origin.door, self._service.begin(request))

    async def answer(self, request: AnswerRequest) -> Outcome:
        """See `auth.request.Service.answer`."""
        return await self._measured(request.origin.door, self._service.answer(request))

    async def decline(self, origin: Origin, user: str, reason: Reason) -> Refused:
        """See `auth.request.Service.decline`."""
        return await self._measured(origin.door, self._service.decline(origin, user, reason))

    async def _measured(self, door: Door, step: Awaitable[_Told]) -> _Told:
        tally, begun = self._tally, self._monotonic()
        tally.count(Metric.LOGONS_OPEN, (door,))
        try:
            told = await step
        except Exception:
            tally.count(Metric.FAULTS, (door,))
            raise
        finally:
            tally.count(Metric.LOGONS_OPEN, (door,), -1)
        outcome = _OUTCOMES[type(told)]
        tally.count(Metric.LOGONS, (door, outcome, told.reason))
        tally.observe(Metric.LOGON_SECONDS, (door, outcome), self._monotonic() - begun)
        return told


class MeasuredGateway(Generic[_Address]):
    """`auth.channels.base.Gateway`, with what became of each message and how long it took.

    Args:
        channel: sms or email.
        gateway: sends.
        tally: where it is counted.
        monotonic: seconds that never run backwards.
    """

    def __init__(self, channel: str, gateway: Gateway[_Address], tally: Tally, monotonic: Callable[[], float]) -> None:
        self._gateway = gateway
        self._tally = tally
        self._monotonic = monotonic
        self._labels = (channel, gateway.name)

    @property
    def name(self) -> str:
        """See `auth.channels.base.Gateway.name`."""
        return self._gateway.name

    @property
    def on_unknown(self) -> OnUnknown:
        """See `auth.channels.base.Gateway.on_unknown`."""
        return self._gateway.on_unknown

    async def send(self, to: _Address, message: Message, *, seconds: float = math.inf) -> Receipt:
        """See `auth.channels.base.Gateway.send`."""
        begun, result = self._monotonic(), "unknown"  # also when a deadline cuts it
        try:
            receipt = await self._gateway.send(to, message, seconds=seconds)
            result = "taken"
        except DeliveryFailed as failure:
            result = "unknown" if failure.unknown else "refused" if failure.answered else "failed"
            raise
        finally:
            self._tally.count(Metric.DELIVERIES, (*self._labels, result))
            self._tally.observe(Metric.DELIVERY_SECONDS, self._labels, self._monotonic() - begun)
        return receipt

    async def aclose(self) -> None:
        """See `auth.channels.base.Gateway.aclose`."""
        await self._gateway.aclose()


class MeasuredVip:
    """`auth.judges.vip.Validator`, with whose business each answer was and how long it took.

    Args:
        vip: asks.
        tally: where it is counted.
        monotonic: seconds that never run backwards.
    """

    def __init__(self, vip: Validator, tally: Tally, monotonic: Callable[[], float]) -> None:
        self._vip = vip
        self._tally = tally
        self._monotonic = monotonic

    async def validate(self, credentials: Sequence[str], code: Secret) -> Verdict:
        """See `auth.judges.vip.Validator.validate`."""
        return await self._measured("validate", self._vip.validate(credentials, code))

    async def resynchronise(self, credentials: Sequence[str], code1: Secret, code2: Secret) -> Verdict:
        """See `auth.judges.vip.Validator.resynchronise`."""
        return await self._measured("resynchronise", self._vip.resynchronise(credentials, code1, code2))

    async def send(self, credentials: Sequence[str]) -> Verdict:
        """See `auth.judges.vip.Validator.send`."""
        return await self._measured("send", self._vip.send(credentials))

    async def _measured(self, question: str, asked: Awaitable[Verdict]) -> Verdict:
        begun, outcome = self._monotonic(), "unavailable"
        try:
            verdict = await asked
            outcome = verdict.kind
        except VipUnavailable:
            raise
        except Fault:  # of ours: no certificate, no credential
            outcome = "configuration"
            raise
        finally:
            self._tally.count(Metric.VIP_QUESTIONS, (question, outcome))
            self._tally.observe(Metric.VIP_SECONDS, (question,), self._monotonic() - begun)
        return verdict
