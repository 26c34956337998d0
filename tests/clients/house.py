"""One company for all clients: people with phones, access nodes by address, a slow gateway, and the real service."""

import hashlib
import socket
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from auth.demo.service import audit_lines, free_port
from clients.gateway import PASSWORD, SlowGateway, running_gateway
from clients.laws import every_reply_begins_with_its_proof, repeats_are_answered_alike, replay_is_refused
from clients.relay import Relay, relayed
from rig.certificates import ServerFiles, issue
from rig.ports import LOOPBACK
from rig.process import Process, wait_for
from scenarios.company import NODE_MEMBERS, Company, Entry, password_of, phone, texted
from schema.secret import Secret

REPOSITORY = Path(__file__).resolve().parents[2]
SECRET = "correct-horse-battery-staple"
NUMBER_OF_PEOPLE = 120
DELIVERY_SECONDS = 20
"""Longer than a gateway that takes five seconds, on a machine that does other things besides."""

NODES: dict[str, Mapping[str, str]] = {
    # what most clients are: they ask, and send no Message-Authenticator
    "lenient": {"dirfactorRequireMessageAuthenticator": "FALSE"},
    "strict": {},
    # for clients that show one question
    "append": {"dirfactorRequireMessageAuthenticator": "FALSE", "dirfactorLoginMode": "append"},
    "code-only": {"dirfactorRequireMessageAuthenticator": "FALSE", "dirfactorLoginMode": "codeOnly"},
    # for clients that can show no challenge
    "reject-then-code": {"dirfactorRequireMessageAuthenticator": "FALSE", "dirfactorLoginMode": "rejectThenCode"},
    "proxy": {},
}
"""Name of each access node and its attributes; the address of the first is 127.0.1.1, that of the second 127.0.1.2."""

API_KEY = Secret("canary-Portal-key-31")
_PORTAL = f"""\
[node:portal]
dirfactorNodeType = http
dirfactorApiKeyHash = {hashlib.sha256(API_KEY.octets).hexdigest()}
dirfactorMember = {NODE_MEMBERS}
"""

RADSEC_CLIENT = "nas.example.org"
_RADSEC = """\
[radsec]
certificate = radsec-server/server.pem
private_key = radsec-server/server.key
client_ca_file = radsec-client/ca.pem
host = 127.0.0.1
port = {port}

[node:radsec]
dirfactorCertificateName = {name}
dirfactorMember = {members}
"""

_CONFIG = """\
[service]
state_directory = state
region = AT
refusal_seconds = 0.05
delivery_seconds = {delivery_seconds}

[directory]
kind = ldif
file = directory.ldif

[sync]
interval_seconds = 0.1

[radius]
host = 127.0.0.1
port = {radius_port}
packets_per_second = {packets_per_second}
accounting_port = {accounting_port}

[http]
port = {http_port}

[sms:gateway]
url = {gateway_url}
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
timeout_seconds = {gateway_seconds}
"""


@dataclass(frozen=True)
class Visitor:
    """Somebody with a password and a phone, of whom no other test knows."""

    uid: str
    password: str
    number: str


@dataclass
class House:
    """The service, and what is around it.

    Attributes:
        folder: where all of it lies; `config.ini` and `directory.ldif` are there.
        radius_port: of the service on 127.0.0.1, UDP.
        accounting_port: of the service on 127.0.0.1, UDP.
        http_port: of the service on 127.0.0.1.
        radsec_port: of the service on 127.0.0.1.
        gateway: where its texts go.
        service: `dirfactor serve`.
    """

    folder: Path
    radius_port: int
    accounting_port: int
    http_port: int
    radsec_port: int
    gateway: SlowGateway
    service: Process
    _numbers: Iterator[int] = field(default_factory=lambda: iter(range(NUMBER_OF_PEOPLE)))

    @property
    def radsec_files(self) -> ServerFiles:
        """What a client of the RadSec door needs: its own certificate, and the authority of the door's."""
        own = self.folder / "radsec-client"
        return ServerFiles(self.folder / "radsec-server" / "ca.pem", own / "server.pem", own / "server.key")

    @property
    def secret_file(self) -> Path:
        """Holds the RADIUS secret that all access nodes have."""
        return self.folder / "radius.secret"

    def visitor(self) -> Visitor:
        """Somebody new."""
        number = next(self._numbers)
        uid = _uid(number)
        return Visitor(uid, password_of(uid), phone(number))

    def code(self, visitor: Visitor, *, earlier: int = 0) -> str:
        """The code in the text to somebody that came after `earlier` others; waits for it."""
        return self.gateway.wait_for_text(visitor.number, earlier=earlier).code

    def texts(self, visitor: Visitor) -> int:
        """How many texts somebody got so far."""
        return len(self.gateway.texts_to(visitor.number))

    @contextmanager
    def network(self, node: str, *, short: bool = False) -> Iterator[Relay]:
        """A relay through which requests come from an access node; at its end the laws are held against all of it."""
        with relayed(self.radius_port, address_of(node), short=short) as relay:
            yield relay
        every_reply_begins_with_its_proof(relay)
        repeats_are_answered_alike(relay, SECRET.encode())

    @contextmanager
    def accounting(self, node: str) -> Iterator[Relay]:
        """A relay from an access node, on a short port, to where accounting is acknowledged."""
        with relayed(self.accounting_port, address_of(node), short=True) as relay:
            yield relay

    def refuses_replay(self, relay: Relay) -> None:
        """The last request that was accepted opens nothing when it comes again with a new identifier."""
        replay_is_refused(relay, self.radius_port, SECRET.encode())

    def outcomes(self, visitor: Visitor) -> list[dict[str, Any]]:
        """What the audit has of somebody, oldest first."""
        return [line for line in audit_lines(self.folder / "state" / "audit.jsonl") if line["name"] == visitor.uid]

    def reasons(self, visitor: Visitor) -> list[str]:
        """The reasons of somebody's outcomes, oldest first."""
        return [line["reason"] for line in self.outcomes(visitor)]

    def log(self) -> str:
        """What the service said."""
        return self.service.log.read_text()

    def ready(self) -> bool:
        """Whether the service can decide logons."""
        with suppress(httpx.TransportError):
            return httpx.get(f"http://{LOOPBACK}:{self.http_port}/readyz", trust_env=False).is_success
        return False

    def wait_for_log(self, words: str, timeout: float = 5.0) -> str:
        """The first line of the service's that has these words."""

        def found() -> str | None:
            return next((line for line in self.log().splitlines() if words in line), None)

        return wait_for(found, timeout, lambda: f"the log never said {words!r}\n{self.service.log_tail()}")


def address_of(node: str) -> str:
    """The address of an access node, on loopback."""
    return f"127.0.1.{list(NODES).index(node) + 1}"


@contextmanager
def open_house(
    folder: Path, *, entries: Iterable[Entry] = (), more_config: str = "", packets_per_second: int = 1000
) -> Iterator[House]:
    """The company at work in an empty folder.

    Args:
        folder: for all its files.
        entries: more people and policies than it has.
        more_config: more sections for config.ini.
        packets_per_second: that the RADIUS door takes from one address; 0 for no limit.
    """
    _private(folder / "radius.secret", SECRET)
    _private(folder / "sms.password", PASSWORD.text)
    issue(folder / "radsec-server", LOOPBACK)
    issue(folder / "radsec-client", RADSEC_CLIENT)
    (folder / "directory.ldif").write_text(_company(entries).text())
    with running_gateway() as gateway:
        radius_port, accounting_port = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_DGRAM)
        http_port, radsec_port = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_STREAM)
        config = folder / "config.ini"
        settings = _CONFIG.format(
            delivery_seconds=DELIVERY_SECONDS,
            gateway_seconds=DELIVERY_SECONDS - 1,
            radius_port=radius_port,
            packets_per_second=packets_per_second,
            accounting_port=accounting_port,
            http_port=http_port,
            gateway_url=gateway.url,
        )
        radsec = _RADSEC.format(port=radsec_port, name=RADSEC_CLIENT, members=NODE_MEMBERS)
        config.write_text("\n".join((settings, *map(_section, NODES), _PORTAL, radsec, more_config)))
        command = [sys.executable, "-m", "auth", "serve", "--config", str(config)]
        service = Process(command, log=folder / "service.log", environment={"PYTHONPATH": str(REPOSITORY)})
        house = House(folder, radius_port, accounting_port, http_port, radsec_port, gateway, service)
        try:
            service.start(house.ready)
            yield house
        finally:
            service.stop()


def _company(entries: Iterable[Entry]) -> Company:
    company = Company([*(texted(_uid(number), number) for number in range(NUMBER_OF_PEOPLE)), *entries])
    # what clients take people's groups from: ocserv from the second
    company["cn=staff"].attributes["dirfactorReplyAttribute"] = ("Filter-Id=staff", "Class=OU=vpn-staff;")
    return company


def _section(node: str) -> str:
    settings = {
        "dirfactorAddress": address_of(node),
        "secret": "file:radius.secret",
        "dirfactorMember": NODE_MEMBERS,
        **NODES[node],
    }
    return "\n".join((f"[node:{node}]", *(f"{name} = {value}" for name, value in settings.items()), ""))


def _uid(number: int) -> str:
    return f"visitor{number}"


def _private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)
