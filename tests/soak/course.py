"""Mixed traffic with faults, at a rate that leaves room: what went wrong, and how the process is doing meanwhile."""

import asyncio
import contextlib
import random
import re
import signal
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from auth.otp.token import SoftwareToken
from faults.way import Fault, Way, ways
from races.node_link import NodeLink
from races.race import outcome
from rig.certificates import issue
from scenarios.company import NODE_MEMBERS, password_of, policy, policy_dn, texted
from scenarios.office import Office, another, beside, calling, open_office
from scenarios.sealed import SealedPeople
from schema.words import TokenKind

HOLDERS, TEXTED = 200, 100
NODES = f"""
[node:vpn]
dirfactorAddress = 127.0.0.1
secret = file:radius.secret
dirfactorApiKeyHash = {{api_key_hash}}
dirfactorMember = {NODE_MEMBERS}
"""
TOKENS = {
    f"holly{number}": SoftwareToken(TokenKind.HOTP, f"T-{number}", bytes([number % 251, 7]) * 10)
    for number in range(HOLDERS)
}
WEIGHTS = {"code": 60, "text": 12, "wrong": 4, "http": 8, "away": 3, "status": 5, "metrics": 2}


@dataclass
class Sample:
    """How the process is doing at an instant.

    Attributes:
        at: seconds since the beginning.
        kilobytes: proportional set size.
        files: open ones.
        threads: of the process.
        took: seconds of each good logon since the sample before.
    """

    at: float
    kilobytes: int
    files: int
    threads: int
    took: list[float]

    @property
    def p50(self) -> float:
        return statistics.median(self.took) if self.took else 0.0

    @property
    def p99(self) -> float:
        return sorted(self.took)[int(len(self.took) * 0.99)] if self.took else 0.0


@dataclass
class Seen:
    """All of it."""

    samples: list[Sample] = field(default_factory=list)
    done: dict[str, int] = field(default_factory=lambda: dict.fromkeys(WEIGHTS, 0))
    edits: int = 0
    reloads: int = 0
    faults: int = 0
    wrong: list[str] = field(default_factory=list)


class Course:
    """The traffic.

    Args:
        office: the service.
        gateway: the way to the SMS gateway.
        dice: for what comes when.
        seen: what is found.
    """

    def __init__(self, office: Office, gateway: Way, dice: random.Random, seen: Seen) -> None:
        self._office = office
        self._gateway = gateway
        self._dice = dice
        self._seen = seen
        self._link = NodeLink(office.service.radius_port, office.service.secret.octets)
        self._counters = dict.fromkeys(TOKENS, 0)
        self._free = list(TOKENS)
        self._free_texted = [f"tess{number}" for number in range(TEXTED)]
        self._took: list[float] = []
        self._ill_until = 0.0
        self._begun = time.monotonic()
        self._number = 0

    async def run(self, seconds: float, rate: float, sample_seconds: float) -> None:
        """So many requests a second for so long."""
        others = [
            asyncio.ensure_future(work)
            for work in (self._sampling(sample_seconds), self._editing(), self._reloading(), self._failing())
        ]
        running: set[asyncio.Task[None]] = set()
        kinds: dict[str, Callable[[], Awaitable[bool]]] = {
            "code": self._code,
            "text": self._text,
            "wrong": self._wrong,
            "http": self._http,
            "away": self._away,
            "status": self._status,
            "metrics": self._metrics,
        }
        due = time.monotonic()
        while time.monotonic() - self._begun < seconds:
            (kind,) = self._dice.choices(list(WEIGHTS), WEIGHTS.values())
            task = asyncio.ensure_future(self._one(kind, kinds[kind]))
            running.add(task)
            task.add_done_callback(running.discard)
            due += 1 / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        await asyncio.gather(*running)
        for other in others:
            other.cancel()
        for ended in await asyncio.gather(*others, return_exceptions=True):
            if isinstance(ended, Exception):
                self._seen.wrong.append(f"{type(ended).__name__}: {ended}")
        self._link.close()

    async def _one(self, kind: str, act: Callable[[], Awaitable[bool]]) -> None:
        try:
            self._seen.done[kind] += await act()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            self._seen.wrong.append(f"{kind}: {type(error).__name__}: {error}")

    def _is_well(self) -> bool:
        return time.monotonic() > self._ill_until

    async def _code(self) -> bool:
        """Whether somebody was free to do it, as for the others."""
        if not self._free:
            return False
        user = self._free.pop(self._dice.randrange(len(self._free)))
        try:
            await self._good(user, TOKENS[user].code(self._counters[user]).text)
            self._counters[user] += 1
        finally:
            self._free.append(user)
        return True

    async def _good(self, user: str, code: str) -> None:
        begun = time.monotonic()
        found = outcome(await self._link.ask(user, code, extra=[calling(self._station())], seconds=10.0))
        self._took.append(time.monotonic() - begun)
        if found != "accepted":
            self._seen.wrong.append(f"a right code was {found}")

    async def _text(self) -> bool:
        if not self._free_texted:
            return False
        user = self._free_texted.pop(0)
        try:
            mark, was_well = self._office.site.mark(), self._is_well()
            reply = await self._office.service.http(user, password=password_of(user))
            if reply.outcome != "challenged":
                if was_well and self._is_well():
                    self._seen.wrong.append(f"a first step was {reply.outcome}")
                return False
            number = int(user.removeprefix("tess"))
            event = await self._office.site.texts.event(
                lambda seen: seen["event"] == "text" and seen["to"] == f"+43664{number:07d}", since=mark % 1_000_000
            )
            code = event["body"].split(" ")[0]
            answered = await self._office.service.http(user, passcode=code, state=reply.state)
            if answered.outcome != "accepted":
                self._seen.wrong.append(f"the code of a text was {answered.outcome}")
        finally:
            self._free_texted.append(user)
        return True

    async def _wrong(self) -> bool:
        user = self._dice.choice(list(TOKENS))
        typed = another(TOKENS[user].code(self._counters[user] + 700).text)
        found = outcome(await self._link.ask(user, typed, extra=[calling(self._station())], seconds=10.0))
        if found not in {"refused", "challenged"}:  # challenged: it may be typed again
            self._seen.wrong.append(f"a wrong code was {found}")
        return True

    async def _http(self) -> bool:
        if not self._free:
            return False
        user = self._free.pop()
        try:
            code = TOKENS[user].code(self._counters[user]).text
            if (await self._office.service.http(user, passcode=code)).outcome != "accepted":
                self._seen.wrong.append("a right code over HTTP was refused")
            self._counters[user] += 1
        finally:
            self._free.append(user)
        return True

    async def _away(self) -> bool:
        """A client that goes away in the middle of its request."""
        _, writer = await asyncio.open_connection("127.0.0.1", self._office.service.http_port)
        writer.write(b"POST /v1/authenticate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\n{")
        await writer.drain()
        writer.close()
        return True

    async def _status(self) -> bool:
        answer = await self._office.service.get("/healthz")
        if answer.status_code != httpx.codes.OK:
            self._seen.wrong.append(f"/healthz said {answer.status_code}")
        return True

    async def _metrics(self) -> bool:
        answer = await self._office.service.get("/metrics")
        if answer.status_code != httpx.codes.OK:
            self._seen.wrong.append(f"/metrics said {answer.status_code}")
        return True

    def _station(self) -> str:
        self._number += 1
        return f"192.0.2.{self._number % 250}-{self._number}"

    async def _sampling(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            took, self._took = self._took, []
            self._seen.samples.append(self._sample(took))

    def _sample(self, took: list[float]) -> Sample:
        process = Path("/proc", str(self._office.service.program.process.pid))
        rollup = (process / "smaps_rollup").read_text()
        found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
        threads = re.search(r"^Threads:\s+(\d+)", (process / "status").read_text(), re.MULTILINE)
        assert found is not None
        assert threads is not None
        files = sum(1 for _ in (process / "fd").iterdir())
        return Sample(time.monotonic() - self._begun, int(found[1]), files, int(threads[1]), took)

    async def _editing(self) -> None:
        while True:
            await asyncio.sleep(self._dice.uniform(3.0, 6.0))
            self._office.edit(f"uid=tess{self._dice.randrange(TEXTED)}", mail=f"mail-{self._seen.edits}@demo.example")
            self._seen.edits += 1

    async def _reloading(self) -> None:
        while True:
            await asyncio.sleep(self._dice.uniform(20.0, 40.0))
            self._office.service.program.process.send_signal(signal.SIGHUP)
            self._seen.reloads += 1

    async def _failing(self) -> None:
        """The gateway hangs, or is down, for a few seconds now and then."""
        while True:
            await asyncio.sleep(self._dice.uniform(10.0, 30.0))
            self._ill_until = time.monotonic() + 60.0
            self._gateway.become(self._dice.choice([Fault.DOWN, Fault.HALF_OPEN, Fault.GARBAGE]))
            await asyncio.sleep(self._dice.uniform(1.0, 4.0))
            self._gateway.become(Fault.NONE)
            self._ill_until = time.monotonic() + 6.0  # its pause after failures
            self._seen.faults += 1


@asynccontextmanager
async def opened(folder: Path, dice: random.Random, seen: Seen) -> AsyncIterator[Course]:
    """The service, with a way to its gateway."""
    sealed = SealedPeople(folder)
    entries = [
        *(sealed.with_token(uid, token, dirfactorPolicy=policy_dn("codes")) for uid, token in TOKENS.items()),
        *(texted(f"tess{number}", number, dirfactorPolicy=policy_dn("texts")) for number in range(TEXTED)),
        policy(
            "codes",
            dirfactorFirstMethod="token",
            dirfactorSecondMethod="none",
            dirfactorLogonAttempts="10",
            dirfactorViolationLimit="100",
        ),
        policy("texts", dirfactorFirstMethod="password", dirfactorSecondMethod="token", dirfactorCodesPerWindow="100"),
    ]
    limits = ("per_user_hour", "per_user_day", "per_number_day", "per_prefix_day", "per_day")
    spend = "\n[spend]\n" + "".join(f"{name} = 1000000\n" for name in limits)
    async with open_office(folder, *entries, nodes=NODES, more_config=spend) as office:
        text = office.service.config.read_text()
        found = re.search(r"url = http://127\.0\.0\.1:(\d+)/messages", text)
        assert found is not None
        with ExitStack() as stack:
            gateway = stack.enter_context(ways({"gateway": int(found[1])}, issue(folder / "other", "localhost")))[
                "gateway"
            ]
            (folder / "beside" / "state").mkdir(parents=True, mode=0o700)
            for key in ("server.key", "keys.ring"):
                (folder / "beside" / "state" / key).write_bytes((folder / "state" / key).read_bytes())
                (folder / "beside" / "state" / key).chmod(0o600)
            async with beside(office, f":{found[1]}/messages", f":{gateway.port}/messages") as faulty:
                await office.service.kill()
                yield Course(faulty, gateway, dice, seen)
                with contextlib.suppress(Exception):
                    await office.service.start()
