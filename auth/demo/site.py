"""A small company on this machine: a directory in a file, an SMS gateway, a mail server, VIP, and the real service."""

import hashlib
import json
import re
import socket
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from types import MappingProxyType

import pyotp

from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.demo.certificates import CertificateFolder
from auth.demo.program import Program, started
from auth.demo.service import Reply, RunningService, free_port
from schema.errors import Fault
from schema.secret import Secret

CREDENTIALS = ("VSST10000001", "VSST10000003", "VSST10000004")
NODES = """
[node:vpn]
dirfactorAddress = 127.0.0.1
secret = file:radius.secret
dirfactorMember = cn=vpn-users,ou=groups,dc=demo,dc=example

[node:portal]
dirfactorNodeType = http
dirfactorApiKeyHash = {api_key_hash}
dirfactorMember = cn=vpn-users,ou=groups,dc=demo,dc=example
"""
_CODE = re.compile(r"\b\d{6,10}\b")
_CONFIG = """\
[service]
state_directory = state
region = AT
refusal_seconds = {refusal_seconds}
log_level = {log_level}

[directory]
kind = ldif
file = directory.ldif

[sync]
interval_seconds = {sync_seconds}

[radius]
host = 127.0.0.1
port = {radius_port}
# everybody is at one address here
packets_per_second = 0

[http]
port = {http_port}

[sms:gateway]
url = http://127.0.0.1:{sms_port}/messages
username = demo
password = file:sms.password
basic_auth = yes
sender = dirfactor
body = json
fields =
    to = {{phone}}
    from = {{sender}}
    body = {{text}}
success_status = 200
success_body = "accepted"
message_id = "id": "([^"]+)"

[email:relay]
host = localhost
port = {mail_port}
sender = logon@demo.example
ca_file = certificates/ca.pem

[vip]
certificate = certificates/client.p12
password = file:certificates/client.password
url = https://localhost:{vip_port}
deadline_seconds = {vip_seconds}
ca_file = certificates/ca.pem
"""


@dataclass(slots=True)
class Site:
    """The company.

    Attributes:
        folder: where all of it lies.
        service: `dirfactor serve`.
        texts: the SMS gateway.
        mails: the mail server.
        vip: the VIP service.
        seeds: VIP credential -> OATH seed.
    """

    folder: Path
    service: RunningService
    texts: Program
    mails: Program
    vip: Program
    seeds: dict[str, str] = field(repr=False)

    @property
    def directory(self) -> Path:
        """The LDIF file that is the directory."""
        return self.folder / "directory.ldif"

    @property
    def audit(self) -> Path:
        """What the audit's files are called after."""
        return self.folder / "state" / "audit.jsonl"

    @property
    def log(self) -> Path:
        """What the service said on standard error."""
        return self.folder / "service.log"

    async def by_radius(self, user: str, typed: str, state: Secret | None = None) -> Reply:
        """One step over RADIUS."""
        return await self.service.radius(user, typed, state)

    async def by_http(self, user: str, typed: str, state: Secret | None = None) -> Reply:
        """One step over HTTP."""
        if state is None:
            return await self.service.http(user, password=typed)
        return await self.service.http(user, passcode=typed, state=state)

    def mark(self) -> int:
        """The present, for `text_code` and `mail_code`: they only look at what comes after it."""
        return len(self.texts.lines) + len(self.mails.lines) * 1_000_000

    async def text_code(self, mark: int, number: str = "") -> str:
        """The code in the first text after the mark; in the first to a number, when there is one."""
        event = await self.texts.event(
            lambda seen: seen["event"] == "text" and number in {"", seen["to"]}, since=mark % 1_000_000
        )
        return _code(event["body"])

    async def mail_code(self, mark: int, address: str = "") -> str:
        """The code in the first mail after the mark; in the first to an address, when there is one."""
        event = await self.mails.event(
            lambda seen: seen["event"] == "mail" and address in {"", seen["to"]}, since=mark // 1_000_000
        )
        return _code(event["text"])

    def vip_code(self, credential: str) -> str:
        """What the credential shows now."""
        return pyotp.TOTP(self.seeds[credential]).at(SYSTEM_CLOCK.now())

    def edit(self, old: str, new: str) -> None:
        """Edit the directory; the old text must be in it."""
        text = self.directory.read_text()
        if old not in text:
            raise Fault(f"the directory has no {old!r}", remedy="look at the file")
        self.save(text.replace(old, new))

    def save(self, text: str) -> None:
        """Save the directory as an editor does: write beside it, then rename."""
        beside = self.directory.with_suffix(".new")
        beside.write_text(text)
        beside.rename(self.directory)


@asynccontextmanager
async def open_site(
    folder: Path,
    *,
    directory: str | None = None,
    credentials: Mapping[str, str | Mapping[str, str]] | None = None,
    unreachable: Collection[str] = (),
    nodes: str = NODES,
    more_config: str = "",
    sync_seconds: float = 0.5,
    refusal_seconds: float = 0.3,
    vip_seconds: float = 4.0,
    log_level: str = "info",
    environment: Mapping[str, str] = MappingProxyType({}),
) -> AsyncIterator[Site]:
    """Build the company in a folder and run it; all of it ends with the context.

    Args:
        folder: empty.
        directory: the directory as LDIF; the demo's when it is None.
        credentials: VIP credential -> what VIP does wrong about it, empty for nothing, or further fields of its entry;
            the demo's when it is None.
        unreachable: phone numbers that the SMS gateway does not take.
        nodes: the access nodes' sections of config.ini; {api_key_hash} in it is filled in.
        more_config: further sections of config.ini.
        sync_seconds: pause between two looks at the directory.
        refusal_seconds: how long a refusal takes at least.
        vip_seconds: how long VIP may take for an answer.
        log_level: the service's.
        environment: what the service has in its environment beside ours.
    """
    secrets = {name: Secret(SYSTEM_ENTROPY.octets(24).hex()) for name in ("sms.password", "radius.secret")}
    for name, secret in secrets.items():
        _write_private(folder / name, secret.text)
    (folder / "directory.ldif").write_text(demo_directory() if directory is None else directory)
    api_key = Secret(SYSTEM_ENTROPY.octets(24).hex())
    service = RunningService(
        folder / "config.ini", secrets["radius.secret"], api_key, SYSTEM_ENTROPY, folder / "service.log", environment
    )
    async with AsyncExitStack() as stack:
        seeds = _write_credentials(folder, dict.fromkeys(CREDENTIALS, "") if credentials is None else credentials)
        texts, mails, vip = [await stack.enter_async_context(each) for each in _programs(folder, unreachable)]
        ready = [await program.event(lambda seen: seen["event"] == "ready") for program in (texts, mails, vip)]
        config = (_CONFIG + nodes).format(
            refusal_seconds=refusal_seconds,
            log_level=log_level,
            sync_seconds=sync_seconds,
            radius_port=free_port(socket.SOCK_DGRAM),
            http_port=free_port(socket.SOCK_STREAM),
            sms_port=ready[0]["port"],
            mail_port=ready[1]["port"],
            vip_port=ready[2]["port"],
            vip_seconds=vip_seconds,
            api_key_hash=hashlib.sha256(api_key.octets).hexdigest(),
        )
        service.config.write_text(config + more_config)
        stack.push_async_callback(service.stop)
        await service.start()
        await service.until_ready()
        yield Site(folder, service, texts, mails, vip, seeds)


def _write_credentials(folder: Path, credentials: Mapping[str, str | Mapping[str, str]]) -> dict[str, str]:
    """Make the certificates and the VIP service's credentials; each credential's seed."""
    CertificateFolder(folder / "certificates").make(SYSTEM_CLOCK.now(), SYSTEM_ENTROPY)
    seeds = {name: pyotp.random_base32() for name in credentials}
    entries = [
        {"id": name, "seed": seeds[name], "status": "ENABLED", **_fields(said)} for name, said in credentials.items()
    ]
    _write_private(folder / "credentials.json", json.dumps(entries))
    return seeds


def _fields(said: str | Mapping[str, str]) -> Mapping[str, str]:
    if isinstance(said, str):
        return {"misbehave": said} if said else {}
    return said


def _programs(folder: Path, unreachable: Collection[str]) -> tuple[AbstractAsyncContextManager[Program], ...]:
    """The servers of the others: SMS gateway, mail server, VIP."""
    certificates = CertificateFolder(folder / "certificates")
    sms = ["auth.demo.sms_gateway", "--password-file", str(folder / "sms.password"), "--unreachable", *unreachable]
    mail = ["auth.demo.mail_server", "--certificate", str(certificates.server)]
    vip = ["auth.demo.vip", "--certificates", str(certificates.folder)]
    vip += ["--credentials", str(folder / "credentials.json")]
    return started("SMS gateway", sms), started("mail server", mail), started("VIP", vip)


def demo_directory() -> str:
    """The demo's directory as LDIF: from the installed package, or from the checkout."""
    installed = resources.files("auth.demo") / "demo.ldif"
    if installed.is_file():
        return installed.read_text()
    return (Path(__file__).resolve().parents[2] / "ldif" / "demo.ldif").read_text()


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)


def _code(text: str) -> str:
    found = _CODE.search(text)
    if found is None:
        raise Fault("the message has no code", remedy="look at the policy's template")
    return found[0]
