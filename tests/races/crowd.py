"""Many people at once, and every server is a random while away: each has the answers to requests of their own.

They are asked for texts, mails and codes of VIP, at both doors, their passwords are the directory's to know, and some
mistype theirs. Directory, state store, SMS gateway, mail server, VIP and the HTTP door itself are behind `delayed`.
"""

import asyncio
import random
import re
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from auth.demo.service import Reply, reply_of
from auth.demo.site import Site
from auth.radius.attributes import Attribute, Pair
from cluster.nodes import state_section
from races.delays import delayed
from races.node_link import NodeLink
from rig.fixtures import OPENLDAP_SCHEMA, running
from rig.slapd import Slapd
from scenarios.at_slapd import fill_directory, following, write_password
from scenarios.company import (
    ONE_ACCESS_NODE,
    Entry,
    password_of,
    person,
    phone,
    policy,
    policy_dn,
    texted,
    with_vip,
)
from scenarios.office import DOORS, Office, beside, calling, open_office

CROWD = 64
MOST_DELAY = 0.02
_NUMBER = 2000
_PATIENCE = 20.0
_SPREAD = 0.2
"""Seconds within which all come."""
_SPEND = "\n[spend]\nper_user_hour = 1000\nper_user_day = 1000\nper_number_day = 1000\nper_prefix_day = 100000\n"
_PORTS = (
    r"url = http://127\.0\.0\.1:(\d+)/messages",
    r"\[email:relay\]\nhost = localhost\nport = (\d+)",
    r"url = https://localhost:(\d+)",
)
"""Where config.ini has those of SMS gateway, mail server and VIP."""
_DIRECTORY_SECONDS = 4.0


@dataclass(frozen=True)
class Member:
    """One of the crowd.

    Attributes:
        number: which.
    """

    number: int

    @property
    def uid(self) -> str:
        return f"c{self.number}"

    @property
    def kind(self) -> str:
        return ("text", "mail", "VIP")[self.number % 3]

    @property
    def door(self) -> str:
        """Where the password is typed; the code is typed at the other door."""
        return DOORS[self.number // 3 % 2]

    @property
    def mistypes(self) -> bool:
        return self.number % 8 == 7

    @property
    def credential(self) -> str:
        return f"CROWD{self.number}"

    @property
    def address(self) -> str:
        """Where a code is sent."""
        return phone(_NUMBER + self.number) if self.kind == "text" else f"{self.uid}@demo.example"

    def entries(self) -> tuple[Entry, Entry]:
        """The person, and the policy that is theirs alone."""
        governed = {"dirfactorPolicy": policy_dn(f"of-{self.uid}")}
        entry = {
            "text": lambda: texted(self.uid, _NUMBER + self.number, **governed),
            "mail": lambda: person(self.uid, "email", **governed),
            "VIP": lambda: with_vip(self.uid, self.credential, **governed),
        }[self.kind]()
        return entry, policy(f"of-{self.uid}", dirfactorReplyAttribute=f"Filter-Id=of-{self.uid}")


MEMBERS = [Member(number) for number in range(CROWD)]


@dataclass
class Crowd:
    """All of them, in front of the nodes.

    Attributes:
        site: SMS gateway, mail server and VIP.
        nodes: where they log on.
        dice: for when each comes, and whereto.
        wrong: what nobody may be told.
    """

    site: Site
    nodes: Sequence[Office]
    dice: random.Random
    wrong: list[str] = field(default_factory=list)
    links: list[NodeLink] = field(default_factory=list)

    async def log_on(self) -> None:
        """Everybody types the password at once, and when all codes have come, everybody the code."""
        self.links = [NodeLink(node.service.radius_port, node.service.secret.octets) for node in self.nodes]
        try:
            asked = await asyncio.gather(*map(self._first_step, MEMBERS))
            codes = await self._codes()
            steps = zip(MEMBERS, asked, strict=True)
            await asyncio.gather(*(self._second_step(member, reply, codes) for member, reply in steps))
        finally:
            for link in self.links:
                link.close()
        self._audited()

    async def _first_step(self, member: Member) -> Reply | None:
        password = "not the password" if member.mistypes else password_of(member.uid)
        reply = await self._typed(member, member.door, {"password": password})
        wanted = "refused" if member.mistypes else "challenged"
        if reply is None or reply.outcome != wanted or (reply.state is None) is not member.mistypes:
            self.wrong.append(f"the first step of {member} came to {reply}")
        return reply

    async def _second_step(self, member: Member, asked: Reply | None, codes: dict[str, str]) -> None:
        if member.mistypes or asked is None or asked.state is None:
            return
        code = self.site.vip_code(member.credential) if member.kind == "VIP" else codes.get(member.address, "none came")
        door = DOORS[1 - DOORS.index(member.door)]
        typed = {"passcode": code, "state": asked.state}
        reply = await self._typed(member, door, typed)
        if reply is None or (reply.outcome, reply.filter_id) != ("accepted", f"of-{member.uid}"):
            self.wrong.append(f"the code of {member} came to {reply}")

    async def _typed(self, member: Member, door: str, typed: dict) -> Reply | None:
        await asyncio.sleep(self.dice.random() * _SPREAD)
        at = self.dice.randrange(len(self.nodes))
        if door == "http":
            try:
                return await self.nodes[at].service.http(member.uid, **typed)
            except httpx.HTTPError:
                return None
        extra: list[Pair] = [calling(f"203.0.113.{member.number}")]
        if "state" in typed:
            extra.append((Attribute.STATE, typed["state"].octets))
        text = typed.get("passcode") or typed["password"]
        packet = await self.links[at].ask(member.uid, text, extra=extra, seconds=_PATIENCE)
        return None if packet is None else reply_of(packet)

    async def _codes(self) -> dict[str, str]:
        """Address -> the code that was sent there, when all have one, or it has taken too long."""
        addresses = {member.address for member in MEMBERS if member.kind != "VIP" and not member.mistypes}
        codes: dict[str, str] = {}
        for _ in range(500):
            for event in (*self.site.texts.events(), *self.site.mails.events()):
                if found := re.search(r"\b\d{6,10}\b", event.get("body") or event.get("text") or ""):
                    codes[event["to"]] = found[0]
            if codes.keys() >= addresses:
                break
            await asyncio.sleep(0.02)
        if codes.keys() != addresses:
            self.wrong.append(f"codes were sent to {sorted(codes.keys() ^ addresses)}, or not")
        return codes

    def _audited(self) -> None:
        """Each was accepted once, under a policy of their own."""
        lines = [line for node in self.nodes for line in node.audit()]
        accepted = Counter(line["name"] for line in lines if line["outcome"] == "accepted")
        self.wrong += [
            f"say the audits, {member} was accepted {accepted[member.uid]} times"
            for member in MEMBERS
            if accepted[member.uid] != (not member.mistypes)
        ]
        self.wrong += [
            f"say the audits, {line['name']} was {line['user']} under {line['policy']}"
            for line in lines
            if not line["user"].startswith(f"uid={line['name']},")
            or not line["policy"].startswith(f"cn=of-{line['name']},")
        ]


@asynccontextmanager
async def open_crowd(
    folder: Path, dice: random.Random, *, server: int | None = None, nodes: int = 1, workers: int = 1
) -> AsyncIterator[Crowd]:
    """The nodes, everything around which is a random while away.

    Args:
        folder: empty, for everything.
        dice: for the delays.
        server: the port of the Valkey on which their state is; None for one node with an embedded store.
        nodes: how many.
        workers: of each.
    """
    site = folder / "company"
    site.mkdir()
    entries = [entry for member in MEMBERS for entry in member.entries()]
    credentials = {member.credential: "" for member in MEMBERS if member.kind == "VIP"}
    with running(Slapd(folder / "slapd", OPENLDAP_SCHEMA, session_log=1000)) as slapd:
        async with AsyncExitStack() as stack:

            async def far(port: int) -> int:
                return await stack.enter_async_context(delayed(port, dice, MOST_DELAY))

            first = await stack.enter_async_context(
                open_office(site, *entries, credentials=credentials, nodes=ONE_ACCESS_NODE, more_config=_SPEND)
            )
            fill_directory(slapd, first.company, folder / "company.ldif")
            write_password(slapd, site)
            before = first.service.config.read_text()
            text = following(before, slapd, await far(int(slapd.ldaps.rpartition(":")[2])), _DIRECTORY_SECONDS)
            for pattern in _PORTS:
                found = re.search(pattern, text)
                assert found, pattern
                text = text.replace(found[0], found[0].replace(found[1], str(await far(int(found[1])))))
            text = text.replace("refusal_seconds", f"workers = {workers}\nrefusal_seconds", 1)
            if server is not None:
                text += state_section(f"127.0.0.1:{await far(server)}", "far-0")

            async def begun(name: str) -> Office:
                (site / name / "state").mkdir(mode=0o700, parents=True)
                shutil.copy2(site / "state" / "server.key", site / name / "state" / "server.key")
                node = beside(first, before, text.replace("node = far-0", f"node = {name}"), name)
                office = await stack.enter_async_context(node)
                service = office.service
                if workers > 1 and service.program is not None:
                    await service.program.line(lambda line: f"all {workers} workers serve" in line, patience=20.0)
                service.http_port = await far(service.http_port)
                return office

            offices = await asyncio.gather(*(begun(f"far-{number}") for number in range(nodes)))
            yield Crowd(first.site, offices, dice)
