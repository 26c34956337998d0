"""One URL of the service examined: TLS, its certificate, ours, and the account, without asking about anybody."""

from dataclasses import dataclass
from datetime import datetime

from auth.clock import Clock
from auth.vip.client import VipClient
from auth.vip.faults import VipUnavailable
from auth.vip.reasons import Kind, look_up

_CLOCKS_APART = 30.0
"""Seconds: the length of a time step, beyond which our clock is not fit to talk about codes."""


@dataclass(frozen=True, slots=True)
class ServiceFinding:
    """What was found at one URL.

    Attributes:
        url: the URL.
        reached: whether it answered in a way that can be used.
        works: whether it also knows our account.
        told: what was found, as a phrase.
        remedy: what helps; empty when nothing has to.
        tls: the protocol's version; empty when it was not reached.
        certificate_ends: when the service's own certificate ends.
        reason_code: what VIP answered.
        clock_seconds: how far VIP's clock is ahead of ours; None when it does not say.
    """

    url: str
    reached: bool
    works: bool
    told: str
    remedy: str = ""
    tls: str = ""
    certificate_ends: datetime | None = None
    reason_code: str = ""
    clock_seconds: float | None = None


async def examined(client: VipClient, url: str, clock: Clock) -> ServiceFinding:
    """Ask for the service's time at one URL.

    Raises:
        Fault: there is no certificate of ours that is valid.
    """
    try:
        there = await client.reach(url)
        answer = await client.server_time(url)
    except VipUnavailable as fault:
        return ServiceFinding(url, reached=False, works=False, told=fault.problem, remedy=fault.remedy)
    told = f"{there.tls}, its certificate is good until {there.certificate_ends:%Y-%m-%d}; "
    apart = None if answer.time is None else round((answer.time - clock.now()).total_seconds(), 1)
    reason = look_up(answer.reason_code)
    works, remedy = answer.kind is Kind.SUCCESS, reason.remedy
    if not works:
        told += f"VIP does not accept us: {reason.meaning} ({reason.code} {answer.message})"
    else:
        told += "certificate, password and URL work together"
    if apart is not None and abs(apart) > _CLOCKS_APART:
        told += f"; the clocks are {abs(apart):g} s apart"
        remedy = remedy or "set this machine's clock"
    return ServiceFinding(
        url,
        reached=True,
        works=works,
        told=told,
        remedy=remedy,
        tls=there.tls,
        certificate_ends=there.certificate_ends,
        reason_code=answer.reason_code,
        clock_seconds=apart,
    )
