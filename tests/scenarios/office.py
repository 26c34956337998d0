"""The company at work: its people at both doors, its administrator at the directory, its auditor at the audit."""

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import pytest

from auth.clock import SYSTEM_ENTROPY
from auth.demo.service import Reply, RunningService, audit_lines
from auth.demo.site import Site, open_site
from auth.radius.attributes import Attribute
from scenarios.company import Company, Entry, Value, password_of
from schema.secret import Secret

DOORS = ("radius", "http")
each_door = pytest.mark.parametrize("door", DOORS)
EFFECT_SECONDS = 5.0
"""Within how many seconds an edit is to be effective."""


@dataclass
class Office:
    """A site whose directory is a `Company`."""

    site: Site
    company: Company
    callers: int = field(default=0)

    @property
    def service(self) -> RunningService:
        return self.site.service

    async def log_on(self, door: str, user: str, *, password: str | None = None) -> Reply:
        """A first step with a caller of its own, so that it joins no other."""
        typed = password_of(user) if password is None else password
        if door == "http":
            return await self.service.http(user, password=typed)
        self.callers += 1
        return await self.service.radius(user, typed, extra=[calling(f"10.0.0.{self.callers}")])

    async def answer(self, door: str, user: str, state: Secret | None, typed: str) -> Reply:
        """The answer to a challenge."""
        assert state is not None, "there must be a challenge to answer"
        if door == "http":
            return await self.service.http(user, passcode=typed, state=state)
        return await self.service.radius(user, typed, state)

    async def texted(self, door: str, user: str) -> tuple[Reply, str]:
        """A first step, and the code that was texted."""
        mark = self.site.mark()
        reply = await self.log_on(door, user)
        assert (reply.outcome, self.reason()) == ("challenged", "code-sent")
        return reply, await self.site.text_code(mark)

    def texts_since(self, mark: int) -> int:
        return len(self.site.texts.lines) - mark % 1_000_000

    def audit(self, **wanted: str) -> list[dict[str, Any]]:
        """The audit's lines that have these values."""
        lines = audit_lines(self.site.audit)
        return [line for line in lines if all(line.get(name) == value for name, value in wanted.items())]

    def last(self) -> dict[str, Any]:
        """What the audit says of the last outcome."""
        return self.audit()[-1]

    def reason(self) -> str:
        reason: str = self.last()["reason"]
        return reason

    def reasons(self, user: str) -> list[str]:
        return [line["reason"] for line in self.audit(name=user)]

    def asked_of_vip(self, credential: str) -> list[dict[str, Any]]:
        """What the VIP service logged about this credential."""
        return [event for event in self.site.vip.events() if event.get("credential") == credential]

    async def change(self, rdn: str, **attributes: Value) -> None:
        """Change an entry, save the file, and wait until the replica shows it."""
        before = await self.version()
        self.edit(rdn, **attributes)
        await until(lambda: self.later_than(before))

    def edit(self, rdn: str, **attributes: Value) -> None:
        """Change an entry and save the file, as an administrator does."""
        self.company[rdn].attributes |= attributes
        self.site.save(self.company.text())

    async def version(self) -> int:
        version: int = (await self.service.get("/readyz")).json()["directory_version"]
        return version

    async def later_than(self, version: int) -> bool:
        return await self.version() > version


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = EFFECT_SECONDS) -> float:
    """Wait until something holds, for so long at most; after how many seconds it did."""
    begun = time.monotonic()
    while not await holds():
        assert time.monotonic() - begun < seconds, f"not within {seconds} s"
        await asyncio.sleep(0.05)
    return time.monotonic() - begun


def calling(station: str) -> tuple[int, bytes]:
    """The attribute by which a RADIUS client tells two logins of one person apart."""
    return Attribute.CALLING_STATION_ID, station.encode()


def another(code: str) -> str:
    """A code of the same length that is not this one."""
    return f"{(int(code) + 1) % 10 ** len(code):0{len(code)}d}"


@asynccontextmanager
async def open_office(
    folder: Path, *entries: Entry, outsiders: tuple[str, ...] = (), **arguments: Any
) -> AsyncIterator[Office]:
    """A company with these entries; further arguments are those of `open_site`."""
    company = Company(entries, outsiders)
    quick = {"sync_seconds": 0.1, "refusal_seconds": 0.05, "log_level": "debug"}
    async with open_site(folder, directory=company.text(), **(quick | arguments)) as site:
        yield Office(site, company)
        # what it told until now is looked through for secrets when the run ends (tests/canary)
        with contextlib.suppress(httpx.HTTPError):  # a scenario may have ended it
            (folder / "metrics.txt").write_bytes((await site.service.get("/metrics")).content)


@asynccontextmanager
async def beside(
    office: Office,
    old: str,
    new: str,
    name: str = "beside",
    *,
    environment: Mapping[str, str] = MappingProxyType({}),
    under: Sequence[str] = (),
) -> AsyncIterator[Office]:
    """A second service of the same company, with something changed in config.ini; its files are in a folder `name`."""
    site = office.site
    folder = site.folder / name
    folder.mkdir(exist_ok=True)
    text = site.service.config.read_text()
    assert old in text
    text = re.sub(r"(?m)^port = \d+$", "port = 0", text.replace(old, new), count=2)  # of the two doors
    text = text.replace("state_directory = state", f"state_directory = {name}/state")
    config = site.folder / f"{name}.ini"
    config.write_text(text)
    log = folder / "service.log"
    service = RunningService(config, site.service.secret, site.service.api_key, SYSTEM_ENTROPY, log, environment, under)
    other = replace(site, folder=folder, service=service)
    try:
        await service.start()
        await service.until_ready()
        yield Office(other, office.company)
    finally:
        await service.stop()
        folder.rename(site.folder / f"{name}-{service.http_port}")
