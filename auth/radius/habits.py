"""What each access node sends, counted: a setting is tightened because of what was seen, and by a person. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date

import msgspec

from auth.radius.attributes import Attribute
from auth.radius.chap import chap_protocol
from auth.radius.packet import Packet, Proof

_MOST_NODES = 10_000
_FIRST_DAYS = 30
"""For how many days counts are kept, day by day."""


class Day(msgspec.Struct, omit_defaults=True):
    """What a node sent in one day: how many packets, and of them, how many had what.

    Attributes:
        packets: Access-Requests that were proven, or had nothing that proves.
        proven: those with a Message-Authenticator.
        unproven_proxied: those with Proxy-State and no Message-Authenticator.
        pap: those with User-Password.
        chap: those with a response of CHAP or MS-CHAP.
        eap: those with EAP-Message.
        refused: those that were discarded for want of a Message-Authenticator.
        by_tls: those in RADIUS/1.1, which has none.
    """

    packets: int = 0
    proven: int = 0
    unproven_proxied: int = 0
    pap: int = 0
    chap: int = 0
    eap: int = 0
    refused: int = 0
    by_tls: int = 0


class Habit(msgspec.Struct):
    """What a node sends, by day (ISO 8601), the last thirty at most."""

    days: dict[str, Day] = {}


def together(counted: Iterable[Mapping[str, Habit]]) -> Mapping[str, Habit]:
    """What several have counted, each of its own packets."""
    nodes: dict[str, Habit] = {}
    for known in counted:
        for node, habit in known.items():
            days = nodes.setdefault(node, Habit({})).days
            for name, day in habit.days.items():
                days[name] = _total((days.get(name, Day()), day))
    return nodes


def _total(days: Iterable[Day]) -> Day:
    total = Day()
    for day in days:
        for name in Day.__struct_fields__:
            setattr(total, name, getattr(total, name) + getattr(day, name))
    return total


class Habits:
    """Counts; nothing follows from it by itself.

    Args:
        known: what was counted before, by the name of the node.
    """

    def __init__(self, known: Mapping[str, Habit] | None = None) -> None:
        self._nodes: dict[str, Habit] = dict(known or {})
        self.changed = False

    @property
    def nodes(self) -> Mapping[str, Habit]:
        """What was counted."""
        return self._nodes

    def note(self, node: str, packet: Packet, proof: Proof, today: date, *, served: bool) -> None:
        """Count an Access-Request.

        Args:
            node: its access node.
            packet: the request.
            proof: what proves it; a Message-Authenticator that is wrong is nobody's habit.
            today: the day, in UTC.
            served: whether it was answered.
        """
        if proof is Proof.WRONG:
            return
        habit = self._nodes.get(node)
        if habit is None:
            if len(self._nodes) >= _MOST_NODES:
                return
            habit = self._nodes[node] = Habit({})
        name = today.isoformat()
        day = habit.days.get(name)
        if day is None:
            day = habit.days[name] = Day()
            for old in sorted(habit.days)[:-_FIRST_DAYS]:
                del habit.days[old]
        numbers = {number for number, _ in packet.attributes}
        day.packets += 1
        day.proven += proof is Proof.VALID
        day.unproven_proxied += proof is Proof.ABSENT and Attribute.PROXY_STATE in numbers
        day.pap += Attribute.USER_PASSWORD in numbers
        day.eap += Attribute.EAP_MESSAGE in numbers
        day.chap += bool(chap_protocol(packet))
        day.refused += not served
        day.by_tls += proof is Proof.BY_TLS
        self.changed = True


class Advice(msgspec.Struct, frozen=True):
    """What follows for one node.

    Attributes:
        node: its name.
        since: the first day that was counted; None when it has sent nothing.
        last: the last day.
        days: on how many days it sent anything.
        counts: all days together.
        setting: which attribute could have another value, and which; empty when all is as it should be.
        why: in words.
    """

    node: str
    since: date | None
    last: date | None
    days: int
    counts: Day
    setting: str
    why: str


def advice(node: str, habit: Habit | None, *, requires: bool, limits: bool) -> Advice:
    """What a node's habit says about its settings.

    Args:
        node: its name.
        habit: what it sent; None for nothing.
        requires: its dirfactorRequireMessageAuthenticator.
        limits: its dirfactorLimitProxyState.
    """
    days = habit.days if habit else {}
    total = _total(days.values())
    setting, why = _follows(total, requires=requires, limits=limits)
    dates = sorted(map(date.fromisoformat, days))
    return Advice(node, dates[0] if dates else None, dates[-1] if dates else None, len(dates), total, setting, why)


def _follows(total: Day, *, requires: bool, limits: bool) -> tuple[str, str]:
    if not total.packets:
        return "", "it has sent nothing"
    wanting = total.packets - total.by_tls
    if not wanting:
        return "", "it speaks RADIUS/1.1, where TLS proves who sends, and nothing else has to"
    if total.proven == wanting:
        if requires:
            return "", "it always sends a Message-Authenticator, and must"
        return (
            "dirfactorRequireMessageAuthenticator: TRUE",
            "it has always sent a Message-Authenticator, and need not: forged requests would be taken",
        )
    missing = f"{wanting - total.proven} of {wanting} requests had no Message-Authenticator"
    if requires:
        remedy = "update the client; only if it cannot send one, set dirfactorRequireMessageAuthenticator to FALSE"
        return "", f"{missing} and were not answered: {remedy}"
    if not limits and not total.unproven_proxied:
        why = "it sends no Message-Authenticator, and no Proxy-State either: that at least need not be taken"
        return "dirfactorLimitProxyState: TRUE", why
    return "", f"{missing}: update the client, then require one"
