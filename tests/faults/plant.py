"""The service with a way to each of its servers on which things go wrong, and somebody for each kind of logon."""

import asyncio
import re
import shutil
import signal
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path

from dirsync.settings import SyncSettings
from faults.intruder import INTRUDERS, Intruder, of_turn
from faults.kinds import DIRECT, PIN, SECOND_STEP, TOKENS
from faults.name_server import NameServer, name_server
from faults.way import Fault, Way, ways
from rig.certificates import ServerFiles, issue
from rig.faked_time import FakedTime
from rig.fixtures import OPENLDAP_SCHEMA, running
from rig.ports import free_port
from rig.slapd import NAME, Slapd
from rig.valkey import Sentinel, Valkey
from scenarios.at_slapd import fill_directory, following, write_password
from scenarios.company import person, policy, policy_dn, texted, with_vip
from scenarios.office import Office, beside, open_office
from scenarios.sealed import SealedPeople

LDAP = "directory (OpenLDAP)"
DNS_OF_LDAP = "DNS, for the directory"
SENTINELS = "state store (sentinels)"
LDAP_SECONDS = 1.0
SHIPPED = f"interval_seconds = {SyncSettings().interval_seconds}"
"""How often a directory is read that tells nothing: how soon edits arrive after an outage is measured with it."""
_NAMES = ("localhost", NAME, "127.0.0.1")
_NOW = datetime.now(UTC)
_LAST_WEEK, _YESTERDAY = _NOW - timedelta(days=7), _NOW - timedelta(days=1)
HOLDERS = 60  # of VIP credentials; none shows one code twice in half a minute
KNOWN, BY_NAME = "url = http://127.0.0.1", "url = http://localhost"  # the SMS gateway, of config.ini
DISK_KILOBYTES = 65_536  # what all logons of a run write has room, on a slow machine as well


@dataclass(frozen=True)
class Door:
    """A door with a certificate.

    Attributes:
        port: of loopback.
        files: what it shows.
        expired: what it should not show.
    """

    port: int
    files: ServerFiles
    expired: ServerFiles

    @classmethod
    def made(cls, folder: Path, expired: ServerFiles) -> "Door":
        """One whose files are there."""
        return cls(free_port(), issue(folder, *_NAMES), expired)

    @property
    def section(self) -> str:
        """Of config.ini."""
        files = f"certificate = {self.files.certificate}\nprivate_key = {self.files.key}\n"
        return f"\n[radsec]\nhost = 127.0.0.1\nport = {self.port}\n{files}client_ca_file = {self.files.ca}\n"

    async def shown(self) -> str:
        """The certificate that it shows, in PEM."""
        return await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", self.port), timeout=5.0)


@dataclass
class Pair:
    """Two servers of a state, of which a sentinel says which one is to be asked.

    Attributes:
        primary: the one that is asked.
        replica: the other one.
        sentinel: who watches.
    """

    primary: Valkey
    replica: Valkey
    sentinel: Sentinel

    async def replace(self) -> None:
        """End the primary, and return when the other one has taken its place; how soon is the sentinel's business."""
        self.primary.kill()
        self.primary, self.replica = self.replica, self.primary
        begun = time.monotonic()
        while not self.primary.cli("ROLE").startswith("master"):
            assert time.monotonic() - begun < 20.0, self.sentinel.process.log_tail()
            await asyncio.sleep(0.05)

    async def complete(self) -> None:
        """Start the one that has ended; the sentinel makes it a replica, in its own time."""
        self.replica.start()


@contextmanager
def pair(folder: Path) -> Iterator[Pair]:
    """Two that run."""
    with running(Valkey(folder / "primary")) as primary, running(Valkey(folder / "replica")) as replica:
        replica.follow(primary)
        with running(Sentinel(folder / "sentinel", primary)) as sentinel:
            yield Pair(primary, replica, sentinel)


@dataclass
class Plant:
    """The service, and what stands between it and the world.

    Attributes:
        office: the service whose directory is a file.
        following: the one whose directory is an OpenLDAP server; it is a node of the same state.
        door: of the first of them, for RADIUS over TLS.
        advised: a third one, whose state is at servers of which a sentinel says which one it is.
        pair: these.
        names: whom all ask for the addresses of gateway, mail server, VIP and OpenLDAP server.
    """

    office: Office
    following: Office
    advised: Office
    pair: Pair
    ways: dict[str, Way]
    names: NameServer
    door: Door
    disk: Path
    directory: Path
    valkey: Valkey
    slapd: Slapd
    clock: FakedTime
    _holders: Iterator[int] = field(default_factory=lambda: cycle(range(HOLDERS)))
    _counters: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TOKENS, 0))
    _counters_at_pair: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TOKENS, 0))

    def at(self, thing: str) -> "Plant":
        """The same, where the service is the one that needs this thing; one state knows one set of used codes."""
        if thing == SENTINELS:
            return replace(self, office=self.advised, _counters=self._counters_at_pair)
        return replace(self, office=self.following) if thing in {LDAP, DNS_OF_LDAP} else self

    async def log_on(self, kind: str) -> str:
        """The reason with which a login of somebody of this kind ends, whose codes are all right."""
        user = kind.lower()
        if kind == "VIP":
            user = f"vip{next(self._holders)}"
        mark, lines = self.office.site.mark(), len(self.office.audit())
        if kind in DIRECT:
            user = DIRECT[kind]
            code = TOKENS[user].code(self._counters[user]).text
            typed = code if kind == "authenticator" else f"{PIN}{code}"
            asked = await self.office.log_on("radius", user, password=typed)
        else:
            asked = await self.office.log_on("radius", user)
        if asked.outcome == "challenged" and kind not in DIRECT:
            code = {
                "text": lambda: self.office.site.text_code(mark),
                "mail": lambda: self.office.site.mail_code(mark),
                "VIP": lambda: self._vip_code(user),
            }[kind]
            await self.office.answer("radius", user, asked.state, await code())
        elif asked.outcome == "accepted" and kind in SECOND_STEP:
            return "accepted without a second step"
        found = self.office.audit()[lines:]
        reason = str(found[-1]["reason"]) if found else ""
        if kind in DIRECT and (reason == "accepted" or reason.startswith("code-")):
            self._counters[user] += 1  # also one that was used up by a logon that could not be ended
        if found:
            return reason
        return "audit-unavailable" if asked.outcome == "refused" else f"{asked.outcome}, and in no audit"

    async def used(self, kind: str) -> int:
        """The number of a code of this kind with which somebody was let in just now."""
        number = self._counters[DIRECT[kind]]
        assert await self.log_on(kind) == "accepted"
        return number

    async def intruded(self, turn: int) -> dict[Intruder, list[str]]:
        """How those of a turn fared, all at once; see `Intruder.tries`."""
        intruders = of_turn(turn)
        ends = await asyncio.gather(*(intruder.tries(self.office) for intruder in intruders))
        return dict(zip(intruders, ends, strict=True))

    async def recovered(self, kind: str, seconds: float = 20.0) -> float:
        """By `time.monotonic`, when a logon of this kind began that went as it should."""
        until = time.monotonic() + seconds
        begun = time.monotonic()
        while (found := await self.log_on(kind)) != "accepted":
            begun = time.monotonic()
            if begun > until:
                raise AssertionError(f"{kind} still ends with {found}")
        return begun

    async def reload(self, *changes: tuple[str, str]) -> str:
        """Change config.ini, have it read again, and what the log says of it."""
        config, program = self.office.service.config, self.office.service.program
        text = config.read_text()
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        config.write_text(text)
        said = len(program.lines)
        program.process.send_signal(signal.SIGHUP)
        return await program.line(lambda line: "config.ini was read" in line or "stays as it was" in line, since=said)

    async def _vip_code(self, user: str) -> str:
        return self.office.site.vip_code(user.upper())


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system that is soon full."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_KILOBYTES}k,mode=700", "none", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def fill(disk: Path) -> None:
    """Take what room there is; `ballast` is to be removed again."""
    with (disk / "ballast").open("ab", buffering=0) as ballast:
        try:
            while ballast.write(bytes(4096)):
                pass
        except OSError:
            return


@asynccontextmanager
async def open_plant(folder: Path) -> AsyncIterator[Plant]:
    """Everything at work; the state is on a Valkey, and the state directory on a small disk."""
    site_folder = folder / "site"
    site_folder.mkdir()
    sealed = SealedPeople(site_folder)
    patient = {"dirfactorViolationLimit": "100"}
    entries = [
        person("password", dirfactorPolicy=policy_dn("alone")),
        policy("alone", dirfactorFirstMethod="password", dirfactorSecondMethod="none", **patient),
        texted("text", 1, dirfactorPolicy=policy_dn("often")),
        person("mail", "email", dirfactorPolicy=policy_dn("often")),
        *(with_vip(f"vip{number}", f"VIP{number}", dirfactorPolicy=policy_dn("often")) for number in range(HOLDERS)),
        sealed.with_token("tom", TOKENS["tom"], dirfactorPolicy=policy_dn("codes")),
        policy("codes", dirfactorFirstMethod="token", dirfactorSecondMethod="none", **patient),
        sealed.with_token("paula", TOKENS["paula"], pin=PIN, dirfactorPolicy=policy_dn("pins")),
        policy(
            "pins", dirfactorFirstMethod="token", dirfactorSecondMethod="none", dirfactorPinWithToken="TRUE", **patient
        ),
        policy("often", dirfactorCodesPerWindow="100", **patient),
        *(intruder.entry(sealed) for intruder in INTRUDERS),
    ]
    spend = "\n[spend]\nper_user_hour = 1000\nper_user_day = 1000\nper_number_day = 1000\n"
    with ExitStack() as stack:
        store_files = issue(folder / "store", *_NAMES)
        valkey = stack.enter_context(running(Valkey(folder / "valkey", tls=store_files)))
        slapd = stack.enter_context(running(Slapd(folder / "slapd", OPENLDAP_SCHEMA, session_log=1000)))
        credentials = {f"VIP{number}": "" for number in range(HOLDERS)}
        credentials |= {intruder.credential: "" for intruder in INTRUDERS if intruder.kind == "VIP"}
        async with open_office(
            site_folder, *entries, credentials=credentials, more_config=spend, vip_seconds=1.0
        ) as office:
            text = office.service.config.read_text()
            ports = {
                "SMS gateway": _port(text, r"url = http://127\.0\.0\.1:(\d+)/messages"),
                "mail server": _port(text, r"\[email:relay\]\nhost = localhost\nport = (\d+)"),
                "VIP": _port(text, r"url = https://localhost:(\d+)"),
                "state store": valkey.port,
                LDAP: int(slapd.ldaps.rpartition(":")[2]),
            }
            certificates = {
                Fault.WRONG_TLS: issue(folder / "other", *_NAMES),
                Fault.EXPIRED: issue(folder / "expired", *_NAMES, first=_LAST_WEEK, last=_YESTERDAY),
            }
            found = stack.enter_context(ways(ports, certificates))
            authorities = folder / "authorities.pem"
            trusted = (site_folder / "certificates" / "ca.pem", store_files.ca, slapd.ca_file)
            expired = certificates[Fault.EXPIRED].ca  # it is trusted, and its certificate was good
            authorities.write_text("\n".join(file.read_text() for file in (*trusted, expired)))
            text = text.replace("ca_file = certificates/ca.pem", f"ca_file = {authorities}")
            for name in ("SMS gateway", "mail server", "VIP"):
                text = re.sub(rf"\b{ports[name]}\b", str(found[name].port), text)
            text = text.replace("refusal_seconds", "delivery_seconds = 1.5\nrefusal_seconds", 1)
            text = text.replace(KNOWN, f"allow_plain_http = yes\n{BY_NAME}", 1)
            names = stack.enter_context(name_server(folder / "dns", NAME))
            place = f"127.0.0.1:{found['state store'].port}"
            text = re.sub(r"interval_seconds = .*", SHIPPED, text)
            text += f"\n[state]\nservers = {place}\nca_file = {authorities}\ntimeout_seconds = 0.8\n"
            (site_folder / "faulty").mkdir()
            disk = stack.enter_context(small_disk(folder / "disk"))
            (site_folder / "faulty" / "state").symlink_to(disk)
            states = [disk, site_folder / "following" / "state", site_folder / "advised" / "state"]
            for state in states[1:]:
                state.mkdir(mode=0o700, parents=True)
            for key in ("server.key", "keys.ring"):
                if (site_folder / "state" / key).exists():
                    for state in states:
                        shutil.copy2(site_folder / "state" / key, state / key)
            fill_directory(slapd, office.company, folder / "company.ldif")
            write_password(slapd, site_folder)
            before = office.service.config.read_text()
            clock = FakedTime(folder / "clock")
            at_ldap = following(text, slapd, found[LDAP].port, LDAP_SECONDS)
            at_ldap = at_ldap.replace("ldaps://127.0.0.1", f"ldaps://{NAME}").replace(
                f"{slapd.ca_file}", f"{authorities}"
            )
            two = stack.enter_context(pair(folder / "pair"))
            by_sentinel = f"servers = {two.sentinel.place}\narrangement = sentinel\nprimary = logins\ntls = no\n"
            advised = text.replace(f"servers = {place}\nca_file = {authorities}\n", by_sentinel)
            door = Door.made(folder / "door", certificates[Fault.EXPIRED])
            async with (
                beside(
                    office, before, text + door.section, "faulty", environment=clock.environment, under=names.under
                ) as faulty,
                beside(office, before, at_ldap, "following", under=names.under) as at_server,
                beside(office, before, advised, "advised", under=names.under) as at_pair,
            ):
                directory = site_folder / "directory.ldif"
                yield Plant(faulty, at_server, at_pair, two, found, names, door, disk, directory, valkey, slapd, clock)


def _port(text: str, pattern: str) -> int:
    found = re.search(pattern, text)
    assert found, pattern
    return int(found[1])
