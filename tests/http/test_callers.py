"""Who calls the HTTP door: an access node by key or certificate, an administrator by a key for what its roles do."""

import hashlib
import ssl
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from auth.client_certificate import names_of
from auth.clock import SYSTEM_CLOCK
from auth.demo.certificates import Authority, Issued
from auth.http.answer import Answer
from auth.http.call import Call
from auth.http.callers import Callers
from auth.http.door import HttpDoor
from auth.http.operation import Access, Operation
from auth.http.problem import Problem
from auth.http.server import http_tls, open_http
from auth.nodes import Nodes
from auth.rights import RIGHTS, Right, Role
from auth.settings import AdminSettings, ConfiguredNode, HttpSettings
from core.test_nodes import RING, Listing
from schema.parse import parse_node
from schema.secret import Secret
from sockets import connections_at

KEYS = {name: Secret(f"the key of {name}") for name in ("portal", "wiki", "both", "vpn", "monitor", "helpdesk", "all")}
AUTHORITY, STRANGER = (Authority.make(name, datetime.now(UTC)) for name in ("Ours", "Another"))


def hashed(name: str) -> str:
    return hashlib.sha256(KEYS[name].octets).hexdigest()


def node(name: str, *, kind: str = "http", key: str = "", certificate: str = "") -> ConfiguredNode:
    attributes = {"dirfactornodetype": (kind.encode(),)}
    if key:
        attributes["dirfactorapikeyhash"] = (hashed(key).encode(),)
    if certificate:
        attributes["dirfactorcertificatename"] = (certificate.encode(),)
    parsed = parse_node(name, attributes)
    assert not parsed.malformed
    return ConfiguredNode(parsed, members=None)


NODES = [
    node("portal", key="portal", certificate="Portal.example.org"),
    node("wiki", certificate="CN=wiki"),
    node("both", key="both"),
    node("vpn", kind="radius", key="vpn", certificate="vpn"),
    node("twin-1", certificate="twin"),
    node("twin-2", certificate="TWIN"),
]
ADMINISTRATORS = {
    "prometheus": AdminSettings(hashed("monitor"), ("monitor",)),
    "desk": AdminSettings(hashed("helpdesk").upper(), ("helpdesk",)),
    "root": AdminSettings(hashed("all"), ("helpdesk", "operator")),
}


CALLERS = Callers(Nodes({item.node.name: item for item in NODES}, {}, {}, Listing(), lambda: RING), ADMINISTRATORS)


class Doors:
    """A door on TLS whose routes tell who calls, or that they may."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port

    async def get(self, path: str, *, key: str = "", shows: Issued | None = None, **headers: str) -> str:
        trusting = ssl.create_default_context(cafile=self.folder / "ca.pem")
        if shows:
            (self.folder / "client.pem").write_bytes(shows.pem())
            trusting.load_cert_chain(self.folder / "client.pem")
        if key:
            headers["Authorization"] = f"Bearer {KEYS[key].text if key in KEYS else key}"
        async with httpx.AsyncClient(verify=trusting, trust_env=False) as client:
            answer = await client.get(f"https://localhost:{self.port}{path}", headers=headers)
        return answer.text if answer.status_code == 200 else str(answer.status_code)


@pytest.fixture
async def doors(tmp_path):
    (tmp_path / "ca.pem").write_bytes(AUTHORITY.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "server.pem").write_bytes(AUTHORITY.server().pem())
    nodes = Nodes({item.node.name: item for item in NODES}, {}, {}, Listing(), lambda: RING)
    callers = Callers(nodes, ADMINISTRATORS)

    def route(path: str, who) -> Operation:
        async def handle(call) -> Answer:
            return Answer(str(who(call)).encode())

        return Operation("GET", path, path, "", Access.EVERYBODY, handle)

    routes = [route("/node", lambda call: callers.node(call).node.name), route("/metrics", callers.demand_for_metrics)]
    routes += [route(f"/{right}", lambda call, right=right: callers.demand(call, right)) for right in Right]
    settings = HttpSettings(port=0, certificate=tmp_path / "server.pem", client_ca_file=tmp_path / "ca.pem")
    async with AsyncExitStack() as stack:
        app = HttpDoor(routes[:2] + [each for each in routes[2:] if each.path != "/metrics"], lambda *_: None)
        place = await open_http(connections_at(), http_tls(settings, SYSTEM_CLOCK), app.answer, SYSTEM_CLOCK, stack)
        yield Doors(tmp_path, int(place.rpartition(":")[2]))


async def test_a_node_shows_its_key_or_its_certificate(doors):
    assert await doors.get("/node", key="portal") == "portal"
    assert await doors.get("/node", key="both") == "both"
    assert await doors.get("/node", shows=AUTHORITY.client("portal.EXAMPLE.org")) == "portal"
    assert await doors.get("/node", shows=AUTHORITY.client("wiki")) == "wiki"


async def test_with_both_they_are_of_the_same_node(doors):
    assert await doors.get("/node", key="portal", shows=AUTHORITY.client("portal.example.org")) == "portal"
    assert await doors.get("/node", key="portal", shows=AUTHORITY.client("wiki")) == "403"
    assert await doors.get("/node", key="both", shows=AUTHORITY.client("nobody")) == "403"
    assert await doors.get("/node", key="wrong", shows=AUTHORITY.client("wiki")) == "401"


async def test_nobody_is_somebody_by_a_name_that_is_no_node_s_or_two_nodes(doors):
    assert await doors.get("/node") == "401"
    assert await doors.get("/node", key="wrong") == "401"
    assert await doors.get("/node", shows=AUTHORITY.client("nobody")) == "401"
    assert await doors.get("/node", shows=AUTHORITY.client("twin")) == "401"


def test_a_certificate_with_the_names_of_two_nodes_is_of_neither():
    nodes = Nodes({item.node.name: item for item in NODES}, {}, {}, Listing(), lambda: RING)
    assert nodes.by_certificate(["wiki", "CN=wiki"]).node.name == "wiki"
    assert nodes.by_certificate(["portal.example.org", "CN=wiki"]) is None
    assert nodes.by_certificate(["CN=wiki", "twin"]) is None
    assert nodes.by_certificate([]) is None


async def test_a_certificate_of_another_authority_comes_to_nothing(doors):
    with pytest.raises((httpx.HTTPError, ssl.SSLError)):
        await doors.get("/node", shows=STRANGER.client("wiki"))
    with pytest.raises((httpx.HTTPError, ssl.SSLError)):
        await doors.get("/node", key="portal", shows=STRANGER.client("portal.example.org"))


async def test_a_node_for_radius_asks_over_http_when_it_has_a_key_and_not_by_its_certificate_for_radsec(doors):
    assert await doors.get("/node", key="vpn") == "vpn"
    assert await doors.get("/node", key="vpn", shows=AUTHORITY.client("vpn")) == "vpn"
    assert await doors.get("/node", shows=AUTHORITY.client("vpn")) == "403"


@pytest.mark.parametrize(
    ("who", "roles"), [("monitor", "monitor"), ("helpdesk", "helpdesk"), ("all", "helpdesk operator")]
)
async def test_a_key_opens_what_its_roles_are_for_and_nothing_else(doors, who, roles):
    rights = frozenset[Right]().union(*(RIGHTS[Role(role)] for role in roles.split()))
    for right in Right:
        assert await doors.get(f"/{right}", key=who) == ("None" if right in rights else "403"), right


async def test_an_access_node_is_no_administrator_and_an_administrator_no_node(doors):
    for right in set(Right) - {Right.METRICS}:
        assert await doors.get(f"/{right}", key="portal") == "401"
        assert await doors.get(f"/{right}", shows=AUTHORITY.client("wiki")) == "401"
        assert await doors.get(f"/{right}") == "401"
    assert await doors.get("/node", key="all") == "401"


async def test_metrics_are_for_this_host_nodes_and_monitors(doors):
    assert await doors.get("/metrics") == "None"
    assert await doors.get("/metrics", **{"X-Forwarded-For": "192.0.2.1"}) == "401"
    for caller in ({"key": "portal"}, {"key": "monitor"}, {"shows": AUTHORITY.client("wiki")}):
        assert await doors.get("/metrics", **caller, **{"X-Forwarded-For": "192.0.2.1"}) == "None"
    assert await doors.get("/metrics", key="helpdesk") == "403"


async def test_only_a_bearer_key_is_one(doors):
    key = KEYS["portal"].text
    for header in (key, f"Basic {key}", "Bearer", f"Token {key}"):
        assert await doors.get("/node", Authorization=header) == "401"
    assert await doors.get("/node", Authorization=f"bearer  {key}") == "portal", "RFC 9110 section 11.1"


def calling(key: str = "", *names: str) -> Call:
    headers = {b"authorization": f"Bearer {KEYS[key].text if key in KEYS else key}".encode()} if key else {}
    return Call("GET", "/", "", headers, b"", "192.0.2.1", names)


NODE_WANTED = "send `Authorization: Bearer KEY` with the API key of an access node, or show its client certificate"
TOLD = {
    "no node": ((), 401, NODE_WANTED),
    "no such key": (("wrong", "CN=wiki"), 401, NODE_WANTED),
    "two nodes": (("portal", "CN=wiki"), 403, "API key and client certificate are not of the same access node"),
    "for RadSec": (("", "vpn"), 403, "this certificate is not for HTTP: set dirfactorNodeType to http"),
}


@pytest.mark.parametrize("what", TOLD)
def test_whoever_is_turned_away_is_told_what_would_do(what):
    shown, status, detail = TOLD[what]
    with pytest.raises(Problem) as raised:
        CALLERS.node(calling(*shown))
    assert raised.value.status == status
    assert raised.value.detail == detail


def test_an_administrator_is_told_whether_it_is_the_key_or_the_role():
    for key, detail in (
        ("portal", "send `Authorization: Bearer KEY` with the API key of an [admin:NAME] section"),
        ("monitor", "the roles of this key do not include the right: sync"),
    ):
        with pytest.raises(Problem) as raised:
            CALLERS.demand(calling(key), Right.SYNC)
        assert raised.value.detail == detail


def certificate(subject: list[x509.NameAttribute], *names: x509.GeneralName) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder(
        x509.Name(subject), x509.Name(subject), key.public_key(), 1, *[datetime(2026, 1, 1, tzinfo=UTC)] * 2
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(key, SHA256()).public_bytes(Encoding.DER)


CN = x509.NameAttribute(NameOID.COMMON_NAME, "Portal, main")
COMPANY = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example")


def test_the_names_of_a_certificate_are_its_dns_names_or_else_its_common_name_and_its_subject():
    assert names_of(certificate([COMPANY, CN])) == ("Portal, main", r"CN=Portal\, main,O=Example")
    named = certificate([CN], x509.DNSName("a.example"), x509.DNSName("b.example"), x509.RFC822Name("c@d.example"))
    assert names_of(named) == ("a.example", "b.example", r"CN=Portal\, main"), "RFC 6125 section 6.4.4"
    assert names_of(certificate([CN], x509.RFC822Name("c@d.example"))) == ("Portal, main", r"CN=Portal\, main")
    assert names_of(certificate([], x509.DNSName("a.example"))) == ("a.example",)
    assert names_of(certificate([])) == ()
