"""The real service in one process, whose clock is moved by whoever attacks it, and whose messages are kept."""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from auth.app import App, opened
from auth.channels.base import Message, Receipt
from auth.channels.minted import MintedChannel
from auth.clock import Clock, Entropy
from auth.config import read_config
from auth.delivery import Delivery
from auth.judges.base import Asked, Checked, Judge
from auth.request import AnswerRequest, Challenged, Door, LoginRequest, Origin, Outcome
from auth.service import LoginService
from scenarios.company import Company, Entry
from schema.secret import Secret
from schema.words import TokenKind

START = datetime(2026, 11, 26, 0, 0, tzinfo=UTC)
CONFIG = """
[service]
state_directory = state
refusal_seconds = 0
region = AT

[directory]
kind = ldif
file = directory.ldif

[sms:gateway]
url = http://127.0.0.1:9/
body = json
fields =
    to = {phone}
    body = {text}
success_status = 200

[email:relay]
host = localhost
sender = codes@demo.example

[sync]
expired_after_seconds = 1000000
"""


@dataclass
class Time:
    """Of the attack."""

    now: datetime = START

    def clock(self) -> Clock:
        return Clock(lambda: self.now, self.elapsed)

    def elapsed(self) -> float:
        return (self.now - START).total_seconds()

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Outbox:
    """Takes every message, and keeps it."""

    name: str
    sent: list[tuple[str, str]] = field(default_factory=list)
    on_unknown: str = "stop"

    async def send(self, to: object, message: Message, *, seconds: float = 0.0) -> Receipt:
        self.sent.append((str(to), message.text))
        return Receipt(self.name, None)

    async def aclose(self) -> None:
        """Nothing is open."""


@dataclass
class Meter:
    """Stands in front of a judge, and adds up what each guess was worth.

    `worth` is how many codes would have been right at that moment, among how many there are.
    """

    judge: Judge
    worth: Callable[[Asked], float]
    likely: float = 0.0
    compared: int = 0

    async def check(self, asked: Asked, typed: Secret, now: datetime) -> Checked:
        self.compared += 1
        self.likely += self.worth(asked)
        return await self.judge.check(asked, typed, now)

    async def compare(self, asked: Asked, response: object, now: datetime) -> Checked:
        self.compared += 1
        self.likely += self.worth(asked)
        return await self.judge.compare(asked, response, now)


@dataclass
class House:
    """The service and what was sent."""

    app: App
    time: Time
    texts: Outbox
    mails: Outbox
    meters: dict[TokenKind, Meter]
    requests: int = 0

    async def begin(
        self,
        user: str,
        *,
        password: str | None = None,
        code: str | None = None,
        node: str = "vpn",
        door: Door = Door.RADIUS,
    ) -> Outcome:
        """A first step of somebody else each time."""
        self.requests += 1
        origin = Origin(door, node, f"{self.requests:016x}", "192.0.2.7", f"Calling-Station-Id={self.requests}")
        typed = [None if text is None else Secret(text) for text in (password, code)]
        return await self.app.service.begin(LoginRequest(origin, user, *typed))

    async def answer(self, asked: Challenged, text: str, *, node: str = "vpn", door: Door = Door.RADIUS) -> Outcome:
        """The answer to a challenge."""
        self.requests += 1
        origin = Origin(door, node, f"{self.requests:016x}", "192.0.2.7")
        return await self.app.service.answer(AnswerRequest(origin, asked.state, Secret(text)))

    def reason(self, outcome: Outcome) -> str:
        return str(outcome.reason)


def _laid_out(folder: Path, directory: str, config: str) -> None:
    (folder / "directory.ldif").write_text(directory)
    (folder / "radius.secret").write_text("canary-of-a-shared-secret")
    (folder / "radius.secret").chmod(0o600)
    (folder / "config.ini").write_text(config)


@asynccontextmanager
async def open_house(
    folder: Path, entries: list[Entry], nodes: str, dice: random.Random, time: Time, more: str = ""
) -> AsyncIterator[House]:
    """The parts of the service, put together by the service itself; only the gateways are ours."""
    _laid_out(folder, Company(entries, ()).text(), CONFIG + nodes + more)
    entropy = Entropy(dice.randbytes, dice.randrange)
    settings = read_config(folder / "config.ini")
    async with opened(settings, time.clock(), entropy) as app:
        for sync in app.syncs.values():
            sync.run_once()
        texts, mails = Outbox("gateway"), Outbox("relay")
        old = app.delivery
        delivery = Delivery(
            MintedChannel([texts], time.clock().monotonic),
            MintedChannel([mails], time.clock().monotonic),
            4.0,
            old.guard,
            old.book,
            lambda: time.now,
        )
        parts = app.service._parts
        meters = {kind: Meter(judge, _worth(kind)) for kind, judge in parts.performer.codes.judges.items()}
        codes = replace(parts.performer.codes, judges=meters, comparers={})
        performer = replace(parts.performer, delivery=delivery, codes=codes)
        service = LoginService(replace(parts, performer=performer))
        yield House(replace(app, service=service), time, texts, mails, meters)


def _worth(kind: TokenKind) -> Callable[[Asked], float]:
    def worth(asked: Asked) -> float:
        policy = asked.policy
        if kind is TokenKind.TOTP:
            return (2 * policy.totp_window + 1) / 10**6
        if kind is TokenKind.HOTP:
            return (policy.hotp_look_ahead + 1) / 10**6
        if kind is TokenKind.VIP:
            return 1 / 10**6
        return 1 / 10**policy.code_length if asked.challenge is not None else 0.0

    return worth
