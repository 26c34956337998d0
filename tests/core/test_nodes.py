"""Access nodes are told apart by address or API key: what two nodes claim belongs to neither of them."""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from auth.keys.ring import Key, Ring
from auth.keys.shared_secret import sealed_shared_secret
from auth.nodes import Nodes
from auth.radius.node import Upstream
from auth.settings import ConfiguredNode
from dirsync.view import EntryId, Freshness, Node
from schema.entry import AccessNode
from schema.errors import Fault
from schema.parse import parse_node
from schema.secret import Secret

KEY, OTHER_KEY = Secret("a key of the test"), Secret("another key of the test")
SECRET = Secret("a shared secret of the test")
RING = Ring((Key(b"k" * 32, datetime(2026, 11, 26, tzinfo=UTC)),))
NAMED = {"branches": Secret("that of the branches")}


@dataclass
class Listing:
    """A directory of nobody but access nodes."""

    listed: list[AccessNode] = field(default_factory=list)
    version: int = 1

    def freshness(self) -> Freshness:
        return Freshness(self.version, datetime.now(UTC))

    def nodes(self) -> tuple[Node, ...]:
        return tuple(
            Node(EntryId(bytes([number]) * 16), f"cn={node.name}", node, None, frozenset())
            for number, node in enumerate(self.listed)
        )


def access_node(name: str, *addresses: str, key: Secret | None = None, enabled: bool = True) -> AccessNode:
    attributes = {"dirfactoraddress": tuple(address.encode() for address in addresses)}
    if key is not None:
        attributes["dirfactorapikeyhash"] = (hashlib.sha256(key.octets).hexdigest().upper().encode(),)
    attributes["dirfactornodeenabled"] = (b"TRUE" if enabled else b"FALSE",)
    node = parse_node(name, attributes)
    assert not node.malformed
    return node


def nodes(
    *listed: AccessNode, configured: tuple[AccessNode, ...] = (), ring: Callable[[], Ring] = lambda: RING
) -> Nodes:
    sections = {node.name: ConfiguredNode(node, SECRET, members=None) for node in configured}
    return Nodes(sections, {}, NAMED, Listing(list(listed)), ring)


def at(found: Nodes, address: str) -> str | None:
    known = found.at(address)
    return known.node.name if known else None


def by_key(found: Nodes, key: Secret) -> str | None:
    known = found.by_api_key(key)
    return known.node.name if known else None


def test_the_longest_prefix_has_the_address():
    found = nodes(access_node("wide", "192.0.2.0/24"), access_node("narrow", "192.0.2.7"))
    assert [at(found, f"192.0.2.{number}") for number in (6, 7)] == ["wide", "narrow"]


@pytest.mark.parametrize("configured", [0, 1])
def test_an_address_that_two_nodes_claim_is_nobodys(configured, caplog):
    """Not even that of the node around it: whoever calls from there is one of two, and not that one."""
    one, two = access_node("alpha", "192.0.2.7", "192.0.2.8"), access_node("beta", "192.0.2.7/32", "192.0.2.9")
    around = access_node("around", "192.0.2.0/24")
    with caplog.at_level(logging.ERROR):
        found = nodes(around, *(one, two)[configured:], configured=(one, two)[:configured])
        assert [at(found, f"192.0.2.{number}") for number in (6, 7, 8, 9)] == ["around", None, "alpha", "beta"]
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert all(word in caplog.text for word in ("alpha", "beta", "192.0.2.7/32"))
    assert found.radius_door("192.0.2.7") is None


def test_an_api_key_that_two_nodes_have_is_nobodys(caplog):
    one, two = access_node("alpha", key=KEY), access_node("beta", key=KEY)
    with caplog.at_level(logging.ERROR):
        found = nodes(one, two, access_node("gamma", key=OTHER_KEY))
        assert (by_key(found, KEY), by_key(found, OTHER_KEY)) == (None, "gamma")
    assert "alpha and beta" in caplog.text
    assert hashlib.sha256(KEY.octets).hexdigest() not in caplog.text.lower()


def test_a_node_that_names_an_address_twice_is_one_node(caplog):
    found = nodes(access_node("alpha", "192.0.2.7", "192.0.2.7/32"))
    assert at(found, "192.0.2.7") == "alpha"
    assert not caplog.records


def test_a_disabled_node_claims_nothing(caplog):
    old = access_node("alpha", "192.0.2.7", key=KEY, enabled=False)
    found = nodes(old, access_node("beta", "192.0.2.7", key=KEY))
    assert (at(found, "192.0.2.7"), by_key(found, KEY)) == ("beta", "beta")
    assert not caplog.records


def sealed(number: int, **more: str) -> AccessNode:
    """A node whose secret was sealed for the entry with this number."""
    text = sealed_shared_secret(RING, EntryId(bytes([number]) * 16), SECRET, b"n" * 12)
    values = {"dirfactoraddress": "192.0.2.7", "dirfactorsharedsecret": text} | more
    return parse_node("alpha", {name: (value.encode(),) for name, value in values.items()})


def test_a_sealed_shared_secret_opens_the_door_and_goes_before_a_named_one():
    door = nodes(sealed(0)).radius_door("192.0.2.7")
    assert door is not None
    assert door.secret == SECRET.octets
    both = nodes(sealed(0, dirfactorsharedsecretname="branches")).radius_door("192.0.2.7")
    assert both == door


def test_a_shared_secret_that_was_sealed_for_another_node_opens_nothing_not_even_by_the_named_one(caplog):
    found = nodes(sealed(1, dirfactorsharedsecretname="branches"))
    assert found.radius_door("192.0.2.7") is None
    assert "copied from another" in caplog.text
    assert SECRET.text not in caplog.text


def test_a_door_opens_as_soon_as_the_key_ring_is_there_and_the_log_says_it_once(caplog):
    rings: list[Ring] = []

    def ring() -> Ring:
        if not rings:
            raise Fault("there is no key ring", remedy="copy it")
        return rings[0]

    found = nodes(sealed(0), ring=ring)
    assert [found.radius_door("192.0.2.7") for _ in range(3)] == [None] * 3
    assert caplog.text.count("there is no key ring") == 1
    rings.append(RING)
    assert found.radius_door("192.0.2.7") is not None


TARGET = (b"192.0.2.9:1812",)


def proxy(name: str, **attributes: bytes) -> AccessNode:
    given = {"dirfactornodetype": (b"proxy",), "dirfactoraddress": (b"192.0.2.7",), "dirfactorproxytarget": TARGET}
    return parse_node(name, given | {f"dirfactor{key}": (value,) for key, value in attributes.items()})


def test_a_proxy_is_asked_like_any_node_and_asks_the_other_server_by_the_same_secret():
    found = nodes(configured=(proxy("vpn", requiremessageauthenticator=b"FALSE"),))
    door = found.radius_door("192.0.2.7")
    assert door is not None
    assert (door.forwards, door.secret) == (True, SECRET.octets)
    assert found.upstream("VPN") == Upstream("192.0.2.9", 1812, SECRET.octets, "utf-8", False)


def test_over_tls_a_proxy_still_asks_the_other_server_by_its_own_secret():
    found = nodes(configured=(proxy("vpn", certificatename=b"nas.example.org"),))
    door, upstream = found.radsec_door(["nas.example.org"], "192.0.2.7"), found.upstream("vpn")
    assert door is not None
    assert upstream is not None
    assert (door.secret, upstream.secret) == (b"radsec", SECRET.octets)
    assert upstream.require_message_authenticator, "what TLS makes needless is between the client and us"


def test_other_nodes_have_no_other_server_and_proxies_only_with_a_secret(caplog):
    plain = parse_node("plain", {"dirfactorproxytarget": TARGET})
    found = nodes(proxy("directory"), configured=(plain,))
    assert (found.upstream("plain"), found.upstream("directory"), found.upstream("nobody")) == (None, None, None)
    assert "access node directory forwards nothing: set dirfactorProxyTarget and the shared secret" in caplog.text
