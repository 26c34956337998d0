"""How the service is doing, for load balancers, helpdesks and graphs: directories, gateways, certificates, records."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import Protocol

import msgspec

from auth.audit import AuditTrail
from auth.certificate_bell import days
from auth.channels.breaker import Standing
from auth.clock import Clock
from auth.delivery import Delivery
from auth.judges.vip import NoVip
from auth.reloaded_tls import ReloadedTls
from auth.settings import Settings
from auth.state import StateReader
from auth.version import __version__
from auth.vip.client import VipClient
from dirsync.replica import Replica
from dirsync.scheduler import SyncStatus
from schema.errors import Fault


class DirectoryStatus(msgspec.Struct, frozen=True):
    """How fresh the data of one directory are.

    Attributes:
        name: of its section; empty for [directory].
        version: of the replica.
        age_seconds: how old its data are; null before the first sync.
        too_old: whether logons are refused for it when the policy says nothing.
        method: how changes come; empty before the first sync.
        last_attempt: when it was last asked.
        last_success: when the replica was last brought up to date.
        last_error: what went wrong the last time, with its remedy; null when nothing did.
        failures: failures in a row.
        failed: looks that failed since the start.
        done: looks that succeeded since the start.
        held: whether the tripwire holds changes until somebody lets them in.
    """

    name: str
    version: int
    age_seconds: float | None
    too_old: bool
    method: str
    last_attempt: datetime | None
    last_success: datetime | None
    last_error: str | None
    failures: int
    failed: int
    done: int
    held: bool


class GatewayStatus(msgspec.Struct, frozen=True):
    """Whether a gateway is asked.

    Attributes:
        channel: sms or email.
        name: in config.ini.
        standing: closed (it works), open (it is left alone for a while) or half-open (one message tries it).
    """

    channel: str
    name: str
    standing: Standing


class CertificateStatus(msgspec.Struct, frozen=True):
    """One certificate of ours.

    Attributes:
        name: the section that it is of: http, radsec, vip.
        ends: when it ends; null when it cannot be used.
        days: whole days left; negative after its end, null when it cannot be used.
        problem: why it, or what was put in its place, cannot be used; empty when all is well.
    """

    name: str
    ends: datetime | None
    days: int | None
    problem: str = ""


class Status(msgspec.Struct, frozen=True):
    """How the service is doing.

    Attributes:
        service: version of the program.
        worker: which of the service's processes answers; gateways, texts_refused and receipts_unknown are its own.
        ready: whether logons can be decided.
        problems: what is in the way.
        directories: where people are.
        gateways: for texts and mails.
        vip: ready, not configured, or why it cannot be used.
        certificates: of the doors, and the one that VIP is shown.
        challenges_open: challenges that wait for an answer; null when the state cannot be read.
        audit_lines: number of the audit's last line.
        texts_refused: texts that the spend guard has not let go since the start.
        texts_unanswered: beginnings of numbers whose codes are suspiciously rarely answered.
        receipts_unknown: delivery receipts, since the start, about texts that nobody here has sent.
    """

    service: str
    worker: int
    ready: bool
    problems: Sequence[str]
    directories: Sequence[DirectoryStatus]
    gateways: Sequence[GatewayStatus]
    vip: str
    certificates: Sequence[CertificateStatus]
    challenges_open: int | None
    audit_lines: int
    texts_refused: int
    texts_unanswered: Sequence[str]
    receipts_unknown: int


class Sync(Protocol):
    """What carries the changes of one directory into the replica."""

    @property
    def status(self) -> SyncStatus:
        """How it is doing."""
        ...

    def wake(self) -> None:
        """Look at the directory at once, or soon; returns before that."""
        ...


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the service can do its work.

    Attributes:
        problems: what is in the way, without secrets; none means ready.
        details: figures for people, e.g. the replica's version and age.
    """

    problems: Sequence[str]
    details: Mapping[str, float | int | str]


@dataclass(frozen=True, slots=True)
class Overview:
    """What is looked at.

    Attributes:
        settings: config.ini.
        clock: where time comes from.
        replica: the directory, to read.
        syncs: carry changes into the replica, by the name of the directory.
        delivery: the channels for codes that we mint.
        vip: asks VIP, or says why nobody can.
        tls: what the doors show, by the name of their section.
        audit: what is recorded.
        state: open logins.
        worker: which of the service's processes this is.
    """

    settings: Settings
    clock: Clock
    replica: Replica
    syncs: Mapping[str, Sync]
    delivery: Delivery
    vip: VipClient | NoVip
    tls: Mapping[str, ReloadedTls]
    audit: AuditTrail
    state: StateReader
    worker: int = 0

    def health(self) -> Health:
        """Whether the service can decide now."""
        problems: list[str] = []
        now = self.clock.now()
        version, age = 0, 0.0
        details: dict[str, float | int | str] = {}
        try:
            for name, sync in self.syncs.items():
                freshness = self.replica.freshness(name)
                version, age = freshness.version, max(age, freshness.age(now))
                if freshness.age(now) > self.settings.sync.expired_after_seconds:
                    prefix = f"{name}: " if name else ""
                    problem = "the directory's data is too old" if freshness.as_of else "no sync has succeeded yet"
                    problems += [f"{prefix}{problem}"]
                    problems += [f"{prefix}last sync: {sync.status.last_error}"] if sync.status.last_error else []
                if sync.status.last_error:
                    details[f"{name or 'directory'}_sync_error"] = sync.status.last_error
        except Fault as fault:
            problems.append(fault.problem)
        details["directory_version"] = version
        for certificate in self.certificates():
            details[f"{certificate.name}_certificate_days"] = -1 if certificate.days is None else certificate.days
            if certificate.problem and certificate.name in self.tls:
                details[f"{certificate.name}_certificate_problem"] = certificate.problem
        if age != inf:
            details["directory_age_seconds"] = round(age, 1)
        details |= self.delivery.report()
        return Health(problems, details)

    def status(self) -> Status:
        """All of it."""
        problems = self.health().problems
        return Status(
            service=__version__,
            worker=self.worker,
            ready=not problems,
            problems=problems,
            directories=tuple(self.directories()),
            gateways=tuple(GatewayStatus(*which, standing) for which, standing in self.delivery.standings().items()),
            vip=self.vip.why.problem if isinstance(self.vip, NoVip) else "ready",
            certificates=tuple(self.certificates()),
            challenges_open=self.challenges(),
            audit_lines=self.audit.lines,
            texts_refused=self.delivery.guard.refused,
            texts_unanswered=tuple(f"+{prefix}" for prefix in self.delivery.guard.alarms),
            receipts_unknown=self.delivery.book.unknown,
        )

    def directories(self) -> Iterator[DirectoryStatus]:
        """Each directory; none when the replica cannot be read."""
        now, limit = self.clock.now(), self.settings.sync.expired_after_seconds
        for name, sync in self.syncs.items():
            try:
                freshness = self.replica.freshness(name)
            except Fault:
                return
            age, said = freshness.age(now), sync.status
            yield DirectoryStatus(
                name=name,
                version=freshness.version,
                age_seconds=None if age == inf else round(age, 1),
                too_old=age > limit,
                method=said.method,
                last_attempt=said.last_attempt,
                last_success=said.last_success,
                last_error=said.last_error,
                failures=said.failures,
                failed=said.failed,
                done=said.runs,
                held=said.is_held,
            )

    def certificates(self) -> Iterator[CertificateStatus]:
        """The certificates of the doors, and the one that VIP is shown."""
        for name, tls in self.tls.items():
            yield CertificateStatus(name, tls.ends, tls.days, tls.problem)
        if isinstance(self.vip, VipClient):
            states = self.vip.certificates()
            shown = next((state for state in states if state.shown), None)
            if shown is None or shown.expires is None:
                yield CertificateStatus("vip", None, None, next((state.problem for state in states), ""))
            else:
                yield CertificateStatus("vip", shown.expires, days(shown.expires, self.clock.now()), shown.problem)

    def challenges(self) -> int | None:
        """How many challenges wait for an answer; None when the state cannot be read."""
        try:
            return self.state.open_challenges(self.clock.now())
        except Fault:
            return None
