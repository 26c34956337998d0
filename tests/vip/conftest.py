"""The VIP simulator as a process, the certificates it trusts, and the service's own schema."""

import json
import os
import queue
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pyotp
import pytest
import xmlschema
from defusedxml.ElementTree import fromstring

from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY, Clock
from auth.demo.certificates import CertificateFolder
from auth.vip.certificate import open_certificate, tls_context
from auth.vip.client import VipClient
from auth.vip.settings import CertificateFile, VipSettings
from schema.secret import Secret

REPOSITORY = Path(__file__).resolve().parents[2]
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"


@pytest.fixture(scope="session")
def vip_files() -> Path:
    """The folder with the service's own WSDL and XSD."""
    folder = Path(os.environ.get("DIRFACTOR_VIP_XSD", REPOSITORY.parent / "shared" / "vip"))
    if not (folder / "vip_auth.xsd").is_file():
        why = f"the VIP service's own schema is not at {folder}; set DIRFACTOR_VIP_XSD to the folder with vip_auth.xsd"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(why)
    return folder


@pytest.fixture(scope="session")
def violations(vip_files):
    """What the service's schemas have to say against the one element in the body of an envelope."""
    schemas = [xmlschema.XMLSchema(vip_files / name) for name in ("vip_auth.xsd", "vipuserservices-1.7.xsd")]

    def judge(envelope: bytes) -> list[str]:
        (body,) = fromstring(envelope).findall(f"{{{SOAP}}}Body")
        (message,) = body
        namespace, _, name = message.tag.rpartition("}")
        (schema,) = (each for each in schemas if "{" + each.target_namespace == namespace)
        assert name in schema.elements, "the schema must know the element"
        return [str(error.reason) for error in schema.iter_errors(message)]

    return judge


@pytest.fixture(scope="session")
def certificates(tmp_path_factory) -> CertificateFolder:
    folder = CertificateFolder(tmp_path_factory.mktemp("vip-certificates"))
    folder.make(datetime.now(UTC), SYSTEM_ENTROPY)
    return folder


@dataclass
class Simulator:
    """One running simulator and the credentials that it was started with."""

    process: subprocess.Popen
    certificates: CertificateFolder
    entries: dict[str, dict]
    port: int = 0
    events: list[dict] = field(default_factory=list)
    output: list[str] = field(default_factory=list)
    arrived: queue.Queue = field(default_factory=queue.Queue)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def password(self) -> Secret:
        return Secret(self.certificates.client_password.read_text())

    def settings(self, **changes) -> VipSettings:
        standard = {
            "certificate": self.certificate(),
            "url": self.url,
            "ca_file": self.certificates.authority,
        }
        return VipSettings(**(standard | changes))

    def certificate(self, path: Path | None = None) -> CertificateFile:
        return CertificateFile(path or self.certificates.client, self.password)

    def client(self, clock: Clock = SYSTEM_CLOCK, **changes) -> VipClient:
        return VipClient(self.settings(**changes), clock, SYSTEM_ENTROPY)

    def tls(self) -> ssl.SSLContext:
        certificate = open_certificate(self.certificate(), datetime.now(UTC))
        return tls_context(certificate, self.certificates.authority, SYSTEM_ENTROPY)

    def post(self, path: str, body: bytes | str, **headers: str) -> httpx.Response:
        standard = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}
        sent = {name: value for name, value in (standard | headers).items() if value}
        with httpx.Client(verify=self.tls(), trust_env=False) as http:
            return http.post(self.url + path, content=body, headers=sent)

    def code(self, credential: str, steps: int = 0) -> Secret:
        """The code of this moment, or of so many 30-second steps later."""
        totp = pyotp.TOTP(self.entries[credential]["seed"])
        return Secret(totp.at(int(time.time()) + 30 * steps))

    def wrong_code(self, *credentials: str) -> Secret:
        near = {self.code(each, steps).text for each in credentials for steps in range(-24, 25)}
        return Secret(next(text for text in (f"{number:06}" for number in range(1000)) if text not in near))

    def text_to(self, number: str) -> Secret:
        """The code in the last text or call to a number."""

        def sent() -> list[dict]:
            return [each for each in self.events if each.get("event") == "sent" and each["to"] == number]

        while not sent():
            self.arrived.get(timeout=5)
        return Secret(sent()[-1]["body"].split()[-1])

    def saw(self, **event: str) -> None:
        """Wait until this event was logged."""
        while event not in self.events:
            self.arrived.get(timeout=5)

    def outcomes(self, credential: str, count: int) -> list[str]:
        """The outcomes that were logged for one credential, once there are so many."""
        while len(found := [e["outcome"] for e in self.events if e.get("credential") == credential]) < count:
            self.arrived.get(timeout=5)
        return found


def start(folder: Path, certificates: CertificateFolder, entries: Sequence[dict], *options: str) -> Iterator[Simulator]:
    file = folder / "credentials.json"
    file.write_text(json.dumps(entries))
    command = [sys.executable, "-m", "auth.demo.vip", "--credentials", str(file)]
    process = subprocess.Popen(
        [*command, "--certificates", str(certificates.folder), *options],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    by_id = {entry["id"]: entry for entry in entries if "id" in entry}
    simulator = Simulator(process, certificates, by_id)

    def listen() -> None:
        for line in process.stdout:
            simulator.output.append(line)
            simulator.events.append(json.loads(line))
            simulator.arrived.put(line)

    listener = threading.Thread(target=listen)
    listener.start()
    try:
        ready = json.loads(simulator.arrived.get(timeout=10))
        assert ready["event"] == "ready"
        simulator.port = ready["port"]
        yield simulator
    finally:
        process.terminate()
        process.wait(timeout=10)
        listener.join()
        process.stdout.close()


ODD = {
    "other-id": "other-request-id",
    "busy": "reason:4879",
    "drifted": "reason:4923",
    "novel": "reason:4abc",
    "hanging": "hang:20",
    "slow": "hang:1",
    "broken": "http-500",
    "faulting": "soap-fault",
    "babbling": "garbage",
    "endless": "oversized",
    "half": "half-open",
    "hypertext": "html",
    **{f"status-{n}": f"status:{n}" for n in (201, 302, 403, 500, 503)},
}
STATES = {"new": "NEW", "disabled": "DISABLED", "locked": "LOCKED"}
# one credential for each test that changes its state, so that one simulator serves them all
PLAIN = [
    *(
        "right",
        "wrong",
        "replay",
        "recovering",
        "lockable",
        "unproxied",
        "unsent",
        "wire",
        "canary",
        "described",
        "named",
    ),
    *("multi-a", "multi-b", "multi-c", "multi-d", "multi-e", "drift-a", "drift-b"),
    *(f"par-{n}" for n in range(5)),
]
FRESH = ["fresh-0", "fresh-1"]
DIALECTS = ("authentication", "user-services")
# likewise, one for each dialect; in User Services each is bound to a user of its own
EACH = [
    "fine",
    "bad",
    "spent",
    "strayed",
    "lost",
    "stuck",
    "several-1",
    "several-2",
    "novice",
    "proved",
    "barred",
    "enrolled",
    "owned",
    "codeless",
]


def of_each(name: str) -> list[dict]:
    def entry(dialect: str) -> dict:
        status = {"novice": "NEW", "enrolled": "NEW", "codeless": "NEW", "barred": "DISABLED"}.get(name, "ENABLED")
        id_ = f"{name.upper().replace('-', '')}{dialect[0].upper()}"
        entry = {"id": id_, "seed": pyotp.random_base32(), "status": status, "user": f"owner of {id_}"}
        return entry | ({"temporary": "246810"} if name == "barred" else {})

    return [entry(dialect) for dialect in DIALECTS]


ZEEP = {
    **{f"ZEEP{n}": {} for n in (1, 2, 3, 4, 6)},
    **{f"ZEEP{n}": {"status": "NEW"} for n in (5, 7)},
    "ZEEP8": {"user": "zeep"},
    "436640000005": {"type": "SMS"},
    "436640000007": {"type": "SMS"},
    "436640000006": {"type": "SMS", "user": "zeep"},
    "ZEEP9": {"user": "zeep", "status": "LOCKED"},
}
PAIRS = [f"PAIR-{n}" for n in range(10)]


def telephone(number: str, type_: str, user: str) -> dict:
    return {"id": number, "seed": pyotp.random_base32(), "status": "ENABLED", "type": type_, "user": user}


USERS = [
    {"id": "PEERA1", "seed": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXA", "status": "ENABLED", "user": "peer"},
    {"id": "PEERA2", "seed": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXB", "status": "ENABLED", "user": "peer"},
    {"id": "PEERA4", "seed": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXE", "status": "ENABLED", "user": "peer"},
    {"id": "PEERA3", "seed": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXC", "status": "LOCKED", "user": "peer"},
    {"id": "BANNED", "seed": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXD", "status": "ENABLED", "user": "banned"},
    {"user": "banned", "status": "LOCKED"},
    {"user": "guest", "status": "ACTIVE", "temporary": "135791"},
    {"user": "nobody", "status": "ACTIVE"},
    telephone("436640000001", "SMS", "anna"),
    telephone("436640000002", "Voice", "otto"),
    telephone("436640000003", "SMS", "ines"),
    telephone("436640000004", "Voice", "ursula"),
    telephone("436640000008", "SMS", "paula"),
    {"id": "ENDED", "seed": pyotp.random_base32(), "status": "ENABLED", "expires": "2020-01-01T00:00:00+00:00"}
    | {"temporary": "abc123"},
]


@pytest.fixture(scope="session")
def entries() -> list[dict]:
    def entry(name: str, status: str = "ENABLED", **more: str) -> dict:
        return {"id": name.upper(), "seed": pyotp.random_base32(), "status": status, **more}

    plain = [entry(name) for name in PLAIN]
    states = [entry(name, status) for name, status in STATES.items()]
    fresh = [entry(name, "NEW") for name in FRESH]
    plain += [entry(name) for name in PAIRS]
    plain += [entry(name) | more for name, more in ZEEP.items()]
    each = [one for name in EACH for one in of_each(name)]
    return [*plain, *states, *fresh, *each, *USERS, *(entry(name, misbehave=how) for name, how in ODD.items())]


@pytest.fixture(scope="session")
def simulator(tmp_path_factory, certificates, entries) -> Iterator[Simulator]:
    with closing(start(tmp_path_factory.mktemp("vip"), certificates, entries)) as running:
        yield next(running)


@pytest.fixture
def start_simulator(tmp_path, certificates):
    """Start one of one's own, with credentials and options."""
    running = []

    def start_one(entries: Sequence[dict], *options: str) -> Simulator:
        running.append(start(tmp_path, certificates, entries, *options))
        return next(running[-1])

    yield start_one
    for each in running:
        each.close()
