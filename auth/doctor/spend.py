"""The check of what texts may cost: limits that are none, and limits that a day's logons may reach."""

from collections.abc import Collection, Iterator
from contextlib import closing, suppress
from functools import partial

from auth.doctor.catalogue import Check
from auth.doctor.report import Finding, Status
from auth.doctor.runner import Examination
from auth.settings import Settings
from auth.spend.settings import SpendSettings
from dirsync.errors import ReplicaUnavailable
from dirsync.replica import Replica


def spend_examinations(settings: Settings) -> Iterator[Examination]:
    """The examination of [spend], where there are SMS gateways."""
    yield Examination(Check.SPEND, "", partial(_spend, settings))


def spend_findings(
    spend: SpendSettings, region: str | None, gateways: Collection[str], users: int
) -> Iterator[Finding]:
    """What is not well about the limits.

    Args:
        spend: the [spend] section.
        region: [service] region.
        gateways: names of the SMS gateways.
        users: how many there are, whatever their tokens.
    """
    if not spend.countries and region is None:
        yield Finding(
            Status.WARNING,
            "texts go to every country: neither region nor countries is set",
            "set region of [service], or countries of [spend]",
        )
    if not (spend.per_day or spend.money_per_day):
        yield Finding(Status.WARNING, "texts have no limit for all of them together", "set per_day of [spend]")
    if 0 < spend.per_day < users:
        yield Finding(
            Status.INFO,
            f"after {spend.per_day} texts in 24 hours nobody gets one, and there are {users} users",
            "set per_day and per_prefix_day of [spend] to twice a busy day's logons by SMS",
        )
    unpriced = sorted(set(gateways) - spend.price_of.keys())
    if spend.money_per_day and unpriced:
        yield Finding(
            Status.WARNING,
            f"texts by {', '.join(unpriced)} count as free: prices has no line for them",
            "add their prices to [spend]",
        )


def _spend(settings: Settings) -> Iterator[Finding]:
    if not settings.sms:
        yield Finding(Status.OK, "no text is sent")
        return
    users = 0
    with suppress(ReplicaUnavailable), closing(Replica(settings.service.replica_file)) as replica:
        users = len(replica.users())
    found = list(spend_findings(settings.spend, settings.service.region, settings.sms, users))
    yield from found or [Finding(Status.OK, "texts are limited by country, type of number, and in all")]
