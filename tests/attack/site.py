"""The service as an attacker finds it: real store, replica and policies, shipped defaults; its clock is put forward."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import trustme

from attack.meter import Meter
from auth.app import App, opened
from auth.channels.base import Message, Receipt
from auth.channels.minted import MintedChannel
from auth.clock import Clock, Entropy
from auth.config import read_config
from auth.keys import private_file, ring_file
from auth.keys.ring import KEY_OCTETS, Key, Ring
from auth.request import Door, Origin
from auth.vip.reasons import look_up
from auth.vip.verdict import Verdict
from options.world import Hand, Played, Sent
from rig.faked_time import FakedTime
from rig.valkey import Valkey
from scenarios.company import Company, Entry
from schema.errors import Fault
from schema.secret import Secret
from schema.words import TokenKind

START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
RING = Ring((Key(bytes(range(KEY_OCTETS)), START - timedelta(days=400)),))
NODES = {
    "vpn": "challenge",
    "wlan": "challenge",
    "portal": "challenge",
    "append": "append",
    "reject": "rejectThenCode",
    "gateway": "codeOnly",
}
VIP_SEED, VIP_STEPS = 7, 10
_ITS_MALLOC = "libc.so.6"
_CONFIG = """\
[service]
state_directory = state
region = AT
refusal_seconds = 0
journal_days = 0

[directory]
kind = ldif
file = directory.ldif

[sms:provider]
url = http://127.0.0.1:9/?to={phone}&text={text}
ca_file = ca.pem
success_status = 200

[email:relay]
host = localhost
ca_file = ca.pem
sender = logon@example.org

[vip]
certificate = vip.p12
password = file:shared.secret
"""
_NODE = """
[node:{name}]
dirfactorLoginMode = {mode}
dirfactorAddress = 192.0.2.{number}
secret = file:shared.secret
dirfactorMember = everyone
"""


@dataclass
class GuessedVip:
    """VIP with a credential whose code changes every half minute; those a few minutes away have drifted."""

    hand: Hand
    seed: int

    def code(self, away: int = 0) -> str:
        """That of so many half minutes away."""
        step = int(self.hand.seconds() // 30) + away
        return f"{Random(self.seed * 1_000_003 + step).randrange(10**6):06d}"

    async def validate(self, _credentials, code: Secret) -> Verdict:
        around = {self.code(away) for away in range(-VIP_STEPS, VIP_STEPS + 1)}
        drifted = "4923" if code.text in around else "49B5"
        return Verdict(look_up(reason := "0000" if code.text == self.code() else drifted).kind, reason, "", "")

    async def resynchronise(self, _credentials, _code1, _code2) -> Verdict:
        return Verdict(look_up("49B5").kind, "49B5", "", "")

    async def send(self, _credentials) -> Verdict:
        raise Fault("nothing is sent here", remedy="none")


@dataclass
class Provider(Played):
    """A gateway that knows when it took a text."""

    hand: Hand = field(default_factory=Hand)
    taken: list[tuple[datetime, str]] = field(default_factory=list)

    async def send(self, to, message: Message, *, seconds: float) -> Receipt:
        self.taken.append((self.hand.now, str(to)))
        return await super().send(to, message, seconds=seconds)


class Shared:
    """A Valkey on which the services have their state, as nodes do; its clock is put forward with theirs.

    Args:
        folder: for its files.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._clock = FakedTime(folder / "clock")
        self.put(START)
        environment = self._clock.environment
        # jemalloc, which Debian's servers are linked with, asks for the time before libfaketime can tell it
        environment["LD_PRELOAD"] += f":{_ITS_MALLOC}"
        self.valkey = Valkey(folder / "valkey", environment=environment)

    def put(self, now: datetime) -> None:
        """It is this instant there now."""
        self._clock.put((now - datetime.now(UTC)).total_seconds())

    def section(self, node: str) -> str:
        """Of a node's config.ini."""
        return f"\n[state]\nservers = {self.valkey.place}\ntls = no\nnode = {node}\n"


@dataclass
class Site:
    """The company's service, and those who stand in front of it.

    Attributes:
        folder: configuration, directory and state.
        random: the attackers' dice.
        below: draws the service's codes.
        hand: the clock.
        out: every text and mail that was sent.
        texts: when each text was sent, and where to.
        meter: sees what reaches the judges.
        apps: the services, one or two, which share the state.
        shared: where they have it; None for one file of one host.
    """

    folder: Path
    random: Random
    below: "Below"
    hand: Hand = field(default_factory=lambda: Hand(START))
    out: list[Sent] = field(default_factory=list)
    texts: list[tuple[datetime, str]] = field(default_factory=list)
    meter: Meter = field(default_factory=Meter)
    apps: list[App] = field(default_factory=list)
    services: int = 1
    shared: Shared | None = None
    logins: int = 0
    counters: dict[str, int] = field(default_factory=dict)
    _synced: datetime = START
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def open(self) -> None:
        """Start the services."""
        clock = Clock(lambda: self.hand.now, self.hand.seconds)
        entropy = Entropy(self.random.randbytes, self.below)
        for number in range(self.services):
            settings = read_config(self.folder / (f"node-{number}.ini" if self.shared else "config.ini"), {})
            app = await self._stack.enter_async_context(opened(settings, clock, entropy))
            self._play(app)
            self.apps.append(app)
        await self.sync()

    async def close(self) -> None:
        """Stop the services."""
        self.apps.clear()
        await self._stack.aclose()

    async def restart(self) -> None:
        """Stop the services and start them again, over the state that they had."""
        await self.close()
        await self.open()

    async def sync(self) -> None:
        """Read the directory."""
        for app in self.apps if self.shared else self.apps[:1]:  # of one host one does
            await asyncio.to_thread(app.syncs[""].run_once)
        self._synced = self.hand.now

    async def unlock(self, uid: str) -> None:
        """What a helpdesk does for somebody who is locked."""
        file = self.folder / "directory.ldif"
        line = f"dirfactorUnlockedAt: {self.hand.now:%Y%m%d%H%M%S}.0Z\n"
        file.write_text(file.read_text().replace(f"uid: {uid}\n", f"uid: {uid}\n{line}"))
        await self.sync()

    async def pass_time(self, seconds: float) -> None:
        """Put the clock forward; what the service does by itself in an hour is done."""
        self.hand.move(seconds=seconds)
        if self.shared is not None:
            self.shared.put(self.hand.now)
        if self.hand.now - self._synced >= timedelta(hours=1):
            await self.sync()
            for app in self.apps:
                await app.store.purge(self.hand.now)
                await app.store.settled()  # of two services on one loop each waits for the other's transaction

    def origin(self, node: str, door: Door | None = None, caller: str | None = None) -> Origin:
        """Where a request comes from: a caller of its own, by either door."""
        self.logins += 1
        at = f"10.{self.logins >> 16}.{self.logins >> 8 & 255}.{self.logins & 255}" if caller is None else caller
        door = door or self.random.choice(tuple(Door))
        return Origin(door, node, f"{self.logins:016x}", "192.0.2.1", caller=at, station=at)

    @property
    def app(self) -> App:
        """One of the services."""
        return self.random.choice(self.apps)

    def codes_to(self, address: str) -> list[str]:
        """Codes that were sent to an address, oldest first."""
        return [
            code for sent in self.out if sent.to == address for code in re.findall(r"\b\d{6,10}\b", sent.message.text)
        ]

    def _play(self, app: App) -> None:
        """Gateways and VIP are played, judges are watched; all else is the service's own."""
        vip = GuessedVip(self.hand, VIP_SEED)
        performer = app.service._parts.performer
        codes = performer.codes
        judges = codes.judges | {TokenKind.VIP: replace(codes.judges[TokenKind.VIP], service=vip)}
        watched = replace(
            codes,
            judges={kind: self.meter.judge(kind, judge, app) for kind, judge in judges.items()},
            comparers={kind: self.meter.judge(kind, judge, app) for kind, judge in codes.comparers.items()},
            temporary=self.meter.temporary(codes.temporary),
        )
        texts = MintedChannel([Provider("provider", self.out, hand=self.hand, taken=self.texts)], self.hand.seconds)
        mails = MintedChannel([Played("relay", self.out)], self.hand.seconds)
        performer = replace(
            performer,
            delivery=replace(performer.delivery, sms=texts, mail=mails),
            codes=watched,
            pins=self.meter.pins(performer.pins),
            vip=vip,
        )
        app.service._parts = replace(app.service._parts, performer=performer)


@dataclass
class Below:
    """Draws codes; rigged, so few different ones that guesses meet them often.

    Attributes:
        random: the dice.
        most: how many different codes there are at most; None for all.
    """

    random: Random
    most: int | None = None

    def __call__(self, limit: int) -> int:
        return self.random.randrange(min(limit, self.most) if self.most and limit >= 10**6 else limit)


@asynccontextmanager
async def open_site(
    folder: Path,
    people: Iterable[Entry],
    seed: int,
    *,
    most: int | None = None,
    services: int = 1,
    shared: Shared | None = None,
) -> AsyncIterator[Site]:
    """The site with these people, who may use every node.

    Args:
        folder: where its files are to be.
        people: and their policies.
        seed: of all dice.
        most: how many different codes are sent at most, see `Below`.
        services: how many share the state.
        shared: on which running Valkey they do; None for one file of one host.
    """
    (folder / "state").mkdir(mode=0o700, parents=True)
    (folder / "shared.secret").write_text("correct horse battery staple\n")
    (folder / "shared.secret").chmod(0o600)
    (folder / "vip.p12").touch()
    (folder / "ca.pem").write_bytes(_authority)
    (folder / "directory.ldif").write_text(Company(people).text())
    nodes = (_NODE.format(name=name, mode=mode, number=n) for n, (name, mode) in enumerate(NODES.items(), 1))
    config = _CONFIG + "".join(nodes)
    (folder / "config.ini").write_text(config)
    private_file.make(folder / "state" / "keys.ring", ring_file._written(RING))
    random = Random(seed)
    site = Site(folder, random, Below(random, most), services=services, shared=shared)
    if shared is not None:
        shared.put(site.hand.now)
        for number in range(services):
            state = folder / f"state-{number}"
            state.mkdir(mode=0o700)
            private_file.make(state / "keys.ring", ring_file._written(RING))
            private_file.make(state / "server.key", bytes(range(KEY_OCTETS)))
            own = config.replace("state_directory = state\n", f"state_directory = {state.name}\n")
            (folder / f"node-{number}.ini").write_text(own + shared.section(f"node-{number}"))
    await site.open()
    try:
        yield site
    finally:
        await site.close()


_authority = trustme.CA().cert_pem.bytes()
