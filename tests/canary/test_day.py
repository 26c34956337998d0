"""What was typed, sent and configured in secret is found nowhere afterwards: in no log, audit, state or export."""

import asyncio
import base64
import contextlib
import hashlib
import os
import re
import socket
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from auth.clock import SYSTEM_CLOCK
from auth.demo.service import Reply, free_port
from auth.otp.token import SoftwareToken
from canary.forms import shown_in
from rig.process import NO_RIGHTS, Process, members
from scenarios.command_line import dirfactor
from scenarios.company import STAFF, password_of, person, policy, policy_dn, with_vip
from scenarios.office import DOORS, Office, another, open_office
from scenarios.sealed import SealedPeople
from schema.secret import Secret
from schema.words import TokenKind

pytestmark = pytest.mark.asyncio(loop_scope="module")
NUMBER = "7700 900123"
DIGITS = "447700900123"
WRONG_PASSWORD = "canary-of-a-wrong-password"
WRONG_STATE = "canary-of-a-state-that-nobody-gave"
WRONG_KEY = "canary-of-an-api-key-that-is-none"
SEED = b"canary-of-a-seed-in-full"
TOKEN = SoftwareToken(TokenKind.TOTP, "T-CANARY", SEED, digits=8)
PIN, CHANGED_PIN, RESPONSE = "8305172946", "6940281753", "59182736"


class Receiver:
    """Where the audit is exported to; keeps every datagram."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()

    def _receive(self) -> None:
        while octets := self._socket.recv(65536):
            self.received.append(octets)

    def close(self) -> None:
        self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()


class Watched:
    """An office whose people's secrets are written down as they use them."""

    def __init__(self, office: Office, receiver: Receiver) -> None:
        self.office = office
        self.receiver = receiver
        self.secrets: dict[str, str] = {}

    def note(self, what: str, secret: str) -> str:
        self.secrets[f"{what} {len(self.secrets)}"] = secret
        return secret

    async def log_on(self, door: str, user: str, password: str) -> Reply:
        reply = await self.office.log_on(door, user, password=self.note("password", password))
        if reply.state is not None:
            self.note("state", reply.state.text)
        return reply

    async def answer(self, door: str, user: str, state: Secret | None, code: str) -> Reply:
        reply = await self.office.answer(door, user, state, self.note("code", code))
        if reply.state is not None:
            self.note("state", reply.state.text)
        return reply

    async def whole_login(self, door: str, user: str, credential: str = "") -> None:
        """A wrong password, a wrong code, the right code, and the right code again."""
        await self.log_on(door, user, WRONG_PASSWORD)
        mark = self.office.site.mark()
        asked = await self.log_on(door, user, password_of(user))
        code = self.office.site.vip_code(credential) if credential else await self.minted(user, mark)
        again = await self.answer(door, user, asked.state, another(code))
        assert again.outcome == "challenged"
        assert (await self.answer(door, user, again.state, code)).outcome == "accepted"
        assert (await self.answer(door, user, again.state, code)).outcome == "refused"

    async def with_totp(self, door: str) -> None:
        """A right code that no other door has had, and again; a wrong one first where there are not too many."""
        step = TOKEN.step(SYSTEM_CLOCK.now()) + DOORS.index(door)
        code = TOKEN.code(step).text
        asked = await self.log_on(door, "tom", password_of("tom"))
        if door == DOORS[0]:
            asked = await self.answer(door, "tom", asked.state, another(code))
        assert (await self.answer(door, "tom", asked.state, code)).outcome == "accepted"
        asked = await self.log_on(door, "tom", password_of("tom"))
        assert (await self.answer(door, "tom", asked.state, code)).outcome != "accepted"

    async def with_pin(self, door: str) -> None:
        """A wrong PIN; the right one, which is changed at the first door and counts at the second."""
        typed = PIN + CHANGED_PIN * 2 if door == DOORS[0] else CHANGED_PIN
        self.note("pin", PIN)
        asked = await self.log_on(door, "paula", password_of("paula"))
        again = await self.answer(door, "paula", asked.state, self.note("pin", another(PIN)))
        assert (await self.answer(door, "paula", again.state, typed)).outcome == "accepted"
        self.note("pin", CHANGED_PIN)

    async def with_response(self, door: str) -> None:
        """A wrong temporary response, and the right one."""
        asked = await self.log_on(door, "rita", password_of("rita"))
        again = await self.answer(door, "rita", asked.state, another(RESPONSE))
        assert (await self.answer(door, "rita", again.state, RESPONSE)).outcome == "accepted"

    async def minted(self, user: str, mark: int) -> str:
        site = self.office.site
        return await (site.mail_code(mark) if user == "emma" else site.text_code(mark))


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def watched(tmp_path_factory):
    """A day at the office, with everything that leaves traces: successes, refusals, faults, nonsense, a crash.

    Codes have ten digits, which do not occur by chance.
    """
    folder = tmp_path_factory.mktemp("canary")
    sealed = SealedPeople(folder)
    entries = [
        sealed.with_token("tom", TOKEN, dirfactorPolicy=policy_dn("modern")),
        sealed.with_response("rita", RESPONSE, "sms", mobile=f"+44 {NUMBER}", dirfactorPolicy=policy_dn("modern")),
        policy(
            "modern",
            dirfactorTotpEnabled="TRUE",
            dirfactorTotpWindow="2",
            dirfactorTemporaryResponseAllowed="TRUE",
            dirfactorTemporaryResponseMultipleUse="TRUE",
        ),
        sealed.with_pin("paula", PIN, dirfactorPolicy=policy_dn("pins")),
        policy("pins", dirfactorSecondMethod="pin", dirfactorPinMaximumLength="12", dirfactorSecondMethodAttempts="3"),
        person("sam", "sms", mobile=f"+44 {NUMBER}"),
        person("emma", "email"),
        with_vip("vic", "VIC-RADIUS", "VIC-HTTP"),
        with_vip("vera", "BUSY"),
        person("cut-off", "sms", mobile=f"0044 {NUMBER}", dirfactorPolicy=policy_dn("dead")),
        policy("dead", dirfactorSmsGateways="dead", dirfactorCodeLength="10"),
        person("garbled", "sms", mobile=f"+44 {NUMBER} ext. 5 or ask"),
    ]
    receiver = Receiver()
    more = f"""
[audit]
syslog = udp://127.0.0.1:{receiver.port}

[spend]
countries = +44
refused_types = premium

[sms:dead]
url = http://127.0.0.1:{free_port(socket.SOCK_STREAM)}/send?to={{phone}}&text={{text}}&password={{password}}
password = file:sms.password
success_status = 200
"""
    credentials = {"VIC-RADIUS": "", "VIC-HTTP": "", "BUSY": "reason:4879"}
    async with open_office(folder, *entries, credentials=credentials, more_config=more, log_level="debug") as office:
        await office.change("cn=staff", dirfactorCodeLength="10")
        watched = Watched(office, receiver)
        for seed in (SEED.decode(), base64.b32encode(SEED).decode(), base64.b64encode(SEED).decode(), SEED.hex()):
            watched.note("seed", seed)
        for name in ("sms.password", "radius.secret", "certificates/client.password"):
            watched.note(name, (folder / name).read_text().strip())
        watched.note("api key", office.service.api_key.text)
        watched.note("number", DIGITS)
        await a_day(office, watched)
        await office.service.kill()
        await office.service.start()
        await office.service.until_ready()
        yield watched
    receiver.close()


async def a_day(office: Office, watched: Watched) -> None:
    for door in DOORS:
        await watched.whole_login(door, "sam")
        await watched.whole_login(door, "emma")
        await watched.with_totp(door)
        await watched.with_pin(door)
        await watched.with_response(door)
        await watched.whole_login(door, "vic", f"VIC-{door.upper()}")
        await watched.answer(door, "sam", Secret(watched.note("state", WRONG_STATE)), "1234567890")
        await watched.log_on(door, "cut-off", password_of("cut-off"))
        assert office.reason() == "delivery-failed"
        await watched.log_on(door, "garbled", password_of("garbled"))
        asked = await watched.log_on(door, "vera", password_of("vera"))
        await watched.answer(door, "vera", asked.state, "0123456789")
        assert office.reason() == "vip-unavailable"
        await watched.log_on(door, "nobody", WRONG_PASSWORD)
    await office.service.post({"user": "sam", "password": [WRONG_PASSWORD], "passcode": WRONG_STATE})
    await office.service.post({"user": "sam"}, api_key=Secret(watched.note("api key", WRONG_KEY)))
    await office.service.get(f"/v1/{WRONG_PASSWORD}?password={WRONG_PASSWORD}")
    open_to_the_end = await watched.log_on("http", "emma", password_of("emma"))
    assert open_to_the_end.outcome == "challenged"


def left(folder: Path) -> dict[str, bytes]:
    """What the service has written, the replica and its own key excepted."""
    files = [folder / "service.log", *(folder / "state").iterdir()]
    return {
        file.name: file.read_bytes()
        for file in files
        if not file.name.startswith(("replica.", "server.key", "audit.key", "keys.ring"))
    }


async def test_the_day_left_its_traces(watched: Watched):
    """Otherwise the tests below would find nothing because there is nothing."""
    found = left(watched.office.site.folder)
    assert {"service.log", "audit.head", "state.sqlite"} <= found.keys()
    assert b"WARNING dirfactor.vip " in found["service.log"]
    assert b"ERROR dirfactor.service " in found["service.log"]
    assert any(STAFF.encode() in octets for name, octets in found.items() if name.startswith("audit-"))
    assert {line["reason"] for line in watched.office.audit()} >= {
        *("accepted", "code-sent", "code-wanted", "code-wrong-retry", "password-wrong", "challenge-unknown"),
        *("delivery-failed", "vip-unavailable", "user-unknown", "no-token"),
    }
    for name in ("sam", "emma", "vic", "tom", "paula", "rita"):
        assert len(watched.office.audit(name=name, outcome="accepted")) == len(DOORS), name
    exported = b"\n".join(watched.receiver.received)
    assert all(f' name="{name}"'.encode() in exported for name in ("sam", "tom", "paula", "rita", "nobody"))
    journal = b"".join(octets for name, octets in found.items() if name.startswith("journal."))
    assert policy_dn("modern").encode() in journal, "what it keeps stands there in clear"
    assert len(watched.secrets) > 90
    assert all(len(secret) >= 6 for secret in watched.secrets.values())


async def test_no_secret_is_in_log_audit_or_state(watched: Watched):
    for name, octets in left(watched.office.site.folder).items():
        assert shown_in(octets, watched.secrets) == [], name


async def test_no_secret_is_told_to_whoever_receives_the_audit(watched: Watched):
    assert shown_in(b"\n".join(watched.receiver.received), watched.secrets) == []


async def test_of_all_this_the_replica_has_the_phone_number_only(watched: Watched):
    state = watched.office.site.folder / "state"
    replica = b"".join(file.read_bytes() for file in state.glob("replica.sqlite*"))
    assert f"+44 {NUMBER}".encode() in replica
    for what, secret in watched.secrets.items():
        assert secret == DIGITS or secret.encode() not in replica, what
    assert b"userPassword" not in replica
    assert b"{CLEARTEXT}" not in replica


async def test_none_of_it_is_shown_to_whoever_lists_processes(watched: Watched):
    program = watched.office.service.program
    assert program is not None
    process = Path("/proc", str(program.process.pid))
    shown = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
    assert b"serve" in shown
    for what, secret in watched.secrets.items():
        assert secret.encode() not in shown, what


async def test_what_the_service_keeps_is_for_its_own_user_only(watched: Watched):
    state = watched.office.site.folder / "state"
    assert state.stat().st_mode & 0o077 == 0
    for file in state.iterdir():
        audit = file.name.startswith("audit-") or file.name == "audit.head"
        others = 0o037 if audit else 0o077  # an auditor's group may read the audit
        assert file.stat().st_mode & others == 0, file.name


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/healthz", "/openapi.json"])
async def test_none_of_it_is_told_to_whoever_measures_or_describes(watched: Watched, path: str):
    answer = await watched.office.service.get(path)
    assert answer.content
    assert shown_in(answer.content, watched.secrets) == []


def process_of(watched: Watched) -> Path:
    program = watched.office.service.program
    assert program is not None
    return Path("/proc", str(program.process.pid))


async def test_no_process_of_it_leaves_a_core_or_shows_its_memory_to_others_of_its_user(watched: Watched):
    """Of another service with two workers, which has no rights, and neither has who looks: ptrace(2) wants as many."""
    site = watched.office.site
    (site.folder / "closed").mkdir()
    text = site.service.config.read_text().replace("state_directory = state", "state_directory = closed\nworkers = 2")
    config = site.folder / "closed.ini"
    config.write_text(re.sub(r"(?m)^port = \d+$", "port = 0", text, count=2))
    command = [*NO_RIGHTS, sys.executable, "-m", "auth", "serve", "--config", str(config)]
    log = site.folder / "closed" / "service.log"
    service = Process(command, log=log, environment={"PYTHONPATH": str(Path(__file__).parents[2])})
    other = Process([*NO_RIGHTS, "sleep", "60"], log=site.folder / "closed" / "other.log")
    with (
        running_process(other, lambda: True),
        running_process(service, lambda: "all 2 workers serve" in log.read_text()),
    ):
        assert may_look_into(other.group), "that the next lines can fail"
        processes = members(service.group)
        assert len(processes) >= 3
        for process in processes:
            assert not may_look_into(process)
            assert re.search(r"Max core file size\s+0\s+0\s", limits_of(process))


@contextlib.contextmanager
def running_process(process: Process, ready: Callable[[], bool]) -> Iterator[None]:
    try:
        process.start(ready)
        yield
    finally:
        process.stop()


def limits_of(process: int) -> str:
    return Path(f"/proc/{process}/limits").read_text()


def may_look_into(process: int) -> bool:
    command = [*NO_RIGHTS, "head", "--bytes=1", f"/proc/{process}/environ"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


async def test_codes_that_were_used_are_gone_from_memory_with_the_traffic_after_them(watched: Watched):
    """What Python keeps of a code is overwritten by what comes after; none outlives the day's traffic."""
    office, codes = watched.office, []
    for door in DOORS:
        reply, code = await office.texted(door, "sam")
        again = await office.answer(door, "sam", reply.state, another(code))
        assert (await office.answer(door, "sam", again.state, code)).outcome == "accepted"
        codes += [code, another(code)]
    for number in range(60):
        await office.log_on(DOORS[number % 2], f"nobody-{number}", password=f"{number:040d}")
    if os.geteuid():
        with pytest.raises(PermissionError):
            _memory(process_of(watched))
        return
    octets = await asyncio.to_thread(_memory, process_of(watched))
    kept = (office.site.folder / "sms.password").read_bytes()
    assert kept in octets, "what the service needs for as long as it runs is found"
    assert [code in octets for code in map(str.encode, codes)] == [False] * len(codes)


def _memory(process: Path) -> bytes:
    """Everything that the process may write to."""
    found = []
    with (process / "mem").open("rb", buffering=0) as memory:
        for line in (process / "maps").read_text().splitlines():
            span, rights, *_ = line.split()
            begin, end = (int(part, 16) for part in span.split("-"))
            if rights.startswith("rw"):
                with contextlib.suppress(OSError, ValueError):
                    memory.seek(begin)
                    found.append(memory.read(end - begin))
    return b"".join(found)


async def test_a_bundle_for_whoever_helps_has_no_secret_and_nobody_in_it(watched: Watched, tmp_path: Path):
    file = tmp_path / "bundle.tar.gz"
    config = watched.office.service.config
    ended = await dirfactor("doctor", "--config", str(config), "--only", "state-directory", "--bundle", str(file))
    assert ended.status in {0, 1}, ended.err
    assert file.stat().st_mode & 0o077 == 0
    with tarfile.open(file) as archive:
        parts = {each.name: archive.extractfile(each).read() for each in archive.getmembers()}
    assert {Path(name).name for name in parts} == {"about.json", "config.ini", "doctor.json", "files.json"}
    shown = b"\n".join(parts.values())
    assert b"[sms:gateway]" in shown
    assert b"password = file:" in shown, "where a secret is, is told"
    assert shown_in(shown, watched.secrets) == []
    key_hash = hashlib.sha256(watched.office.service.api_key.octets).hexdigest()
    for word in ("demo.example", "vpn-users", key_hash):
        assert word.encode() not in shown
    again = await dirfactor("doctor", "--config", str(config), "--only", "state-directory", "--bundle", str(file))
    assert again.status not in {0, 1}, "what is there stays"
