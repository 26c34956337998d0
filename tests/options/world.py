"""A directory in a file, the real service on it, and what is outside played: gateways, VIP, passwords, the clock."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import trustme

from auth.app import App, opened
from auth.channels.base import DeliveryFailed, Message, OnUnknown, Receipt
from auth.channels.minted import MintedChannel
from auth.clock import SYSTEM_ENTROPY, Clock
from auth.config import read_config
from auth.keys import private_file, ring_file
from auth.request import Accepted, AnswerRequest, Challenged, Door, LoginRequest, Origin, Outcome
from auth.vip.reasons import look_up
from auth.vip.verdict import Verdict
from dirsync.password import PasswordVerdict
from options.people import Setup, directory
from options.sealed import RING, START
from schema.secret import Secret
from schema.words import TokenKind

PASSWORD = "Teapot-41"
EXPIRED_PASSWORD = "Kettle-40"
CREDENTIAL = "VSST12345678"
VIP_CODE = "513270"
DRIFTED = ("662607", "015893")
"""Two codes of the credential one after the other, too far ahead to be accepted alone."""
_CONFIG = """\
[service]
state_directory = state
region = AT
refusal_seconds = 0

[directory]
kind = ldif
file = directory.ldif

[sync]
expired_after_seconds = 864000
tripwire_users = 0

[secret:vpn]
value = file:vpn.secret

[sms:first]
url = http://127.0.0.1:9/
ca_file = ca.pem
success_status = 200
body = json
fields =
    to = {phone}
    text = {text}

[sms:second]
url = http://127.0.0.1:9/
ca_file = ca.pem
success_status = 200
body = json
fields =
    to = {phone}
    text = {text}

[email:first]
host = localhost
ca_file = ca.pem
sender = logon@example.org

[email:second]
host = localhost
ca_file = ca.pem
sender = logon@example.org

[spend]
per_user_hour = 0
per_user_day = 0
per_number_day = 0

[vip]
certificate = vip.p12
password = file:vpn.secret
"""


@dataclass
class Hand:
    """A clock whose hand a test moves."""

    now: datetime = START

    def move(self, **time: float) -> None:
        self.now += timedelta(**time)

    def seconds(self) -> float:
        return (self.now - START).total_seconds()


@dataclass(frozen=True)
class Sent:
    """A message that a gateway took."""

    gateway: str
    to: str
    message: Message

    @property
    def codes(self) -> list[str]:
        return re.findall(r"\b\d{6,10}\b", self.message.text)


@dataclass
class Played:
    """A gateway that takes everything, or nothing."""

    name: str
    out: list[Sent]
    broken: bool = False
    on_unknown: OnUnknown = OnUnknown.STOP

    async def send(self, to, message: Message, *, seconds: float) -> Receipt:
        if self.broken:
            raise DeliveryFailed(f"{self.name} is down", remedy="wait")
        self.out.append(Sent(self.name, str(to), message))
        return Receipt(self.name, "1")

    async def aclose(self) -> None:
        """Nothing is open."""


@dataclass
class PlayedVip:
    """Knows one code of one credential, and the two after it; and sends it."""

    sent: list[str] = field(default_factory=list)

    async def validate(self, credentials: Sequence[str], code: Secret) -> Verdict:
        numbers = {VIP_CODE: "0000", DRIFTED[0]: "4923"}
        return _verdict(numbers.get(code.text, "49B5") if CREDENTIAL in credentials else "49B5")

    async def resynchronise(self, credentials: Sequence[str], code1: Secret, code2: Secret) -> Verdict:
        return _verdict("0000" if (code1.text, code2.text) == DRIFTED else "49B5")

    async def send(self, credentials: Sequence[str]) -> Verdict:
        self.sent.extend(credentials)
        return _verdict("0000")


def _verdict(reason_code: str) -> Verdict:
    return Verdict(look_up(reason_code).kind, reason_code, CREDENTIAL, "")


@dataclass
class PlayedPasswords:
    """Knows two passwords for everybody; one of them has expired."""

    async def ask(self, _directory: str, _dn: str, password: Secret) -> PasswordVerdict:
        known = {PASSWORD: PasswordVerdict.RIGHT, EXPIRED_PASSWORD: PasswordVerdict.EXPIRED}
        return known.get(password.text, PasswordVerdict.WRONG)


@dataclass(frozen=True)
class Reply:
    """What a client was told, and what the audit has of it."""

    outcome: Outcome

    @property
    def state(self) -> Secret:
        assert isinstance(self.outcome, Challenged), f"{self} is no challenge"
        return self.outcome.state

    @property
    def message(self) -> str:
        assert isinstance(self.outcome, Challenged), f"{self} is no challenge"
        return self.outcome.message

    @property
    def attributes(self) -> Mapping[str, str]:
        assert isinstance(self.outcome, Accepted), f"{self} is no accept"
        return {each.name: each.value for each in self.outcome.reply_attributes}

    def __str__(self) -> str:
        return str(self.outcome.reason)


@dataclass
class World:
    """The company, and those who try to get in."""

    app: App
    hand: Hand
    vip: PlayedVip
    gateways: Mapping[str, Played]
    out: list[Sent]
    callers: int = 0

    async def log_on(
        self,
        password: str | None = PASSWORD,
        code: str | None = None,
        *,
        user: str = "alice",
        caller: str | None = None,
        session: str = "",
    ) -> Reply:
        """A first step, with a caller of its own unless one is named."""
        self.callers += 1
        origin = self._origin(f"10.0.0.{self.callers}" if caller is None else caller, session)
        typed = [None if text is None else Secret(text) for text in (password, code)]
        return Reply(await self.app.service.begin(LoginRequest(origin, user, typed[0], typed[1])))

    async def answer(self, to: Reply, typed: str) -> Reply:
        """The answer to a challenge."""
        return Reply(await self.app.service.answer(AnswerRequest(self._origin(""), to.state, Secret(typed), None)))

    async def whole(self, **first: str) -> Reply:
        """A first step, and the code that was sent for it."""
        asked = await self.log_on(**first)
        return await self.answer(asked, self.code()) if isinstance(asked.outcome, Challenged) else asked

    def _origin(self, caller: str, session: str = "") -> Origin:
        return Origin(
            Door.RADIUS, "vpn", f"{self.callers:016x}", "127.0.0.1", caller=caller, station=caller, session=session
        )

    def code(self) -> str:
        """The first code of the last message."""
        return self.out[-1].codes[0]

    def wrong(self) -> str:
        """As long as the code that was sent last, and another."""
        code = self.code()
        return f"{(int(code) + 1) % 10 ** len(code):0{len(code)}d}"


@asynccontextmanager
async def open_world(folder: Path, setup: Setup) -> AsyncIterator[World]:
    """The world as an administrator has set it up."""
    (folder / "vpn.secret").write_text("correct horse battery staple\n")
    (folder / "vpn.secret").chmod(0o600)
    (folder / "long.secret").write_text("correct horse battery staple, and again\n")
    (folder / "long.secret").chmod(0o600)
    (folder / "vip.p12").touch()
    (folder / "ca.pem").write_bytes(_some_authority())
    (folder / "config.ini").write_text(_CONFIG + setup.config)
    (folder / "directory.ldif").write_text(directory(setup))
    (folder / "state").mkdir(mode=0o700)
    private_file.make(folder / "state" / "keys.ring", ring_file._written(RING))
    hand, out = Hand(), []
    clock = Clock(lambda: hand.now, hand.seconds)
    async with opened(read_config(folder / "config.ini", {}), clock, SYSTEM_ENTROPY) as app:
        gateways = {name: Played(name.partition(" ")[2], out) for name in _GATEWAYS}
        vip = PlayedVip()
        texts, mails = (
            MintedChannel([each for name, each in gateways.items() if name.startswith(kind)], hand.seconds)
            for kind in ("sms", "email")
        )
        performer = app.service._parts.performer
        judges = performer.codes.judges
        performer = replace(
            performer,
            passwords=PlayedPasswords(),
            delivery=replace(performer.delivery, sms=texts, mail=mails),
            codes=replace(
                performer.codes, judges=judges | {TokenKind.VIP: replace(judges[TokenKind.VIP], service=vip)}
            ),
            vip=vip,
        )
        app.service._parts = replace(app.service._parts, performer=performer)
        await asyncio.to_thread(app.syncs[""].run_once)
        yield World(app, hand, vip, gateways, out)


@cache
def _some_authority() -> bytes:
    """Nothing is asked over TLS here; but to read all that the system trusts takes as long as a scenario."""
    return trustme.CA().cert_pem.bytes()


_GATEWAYS = ("sms first", "sms second", "email first", "email second")
