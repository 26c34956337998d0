"""What an accept carries, from policy to packet: every place that may say so, several values, and more than fit."""

import pytest
import pytest_asyncio

from auth.demo.site import NODES
from auth.radius.attributes import Attribute
from auth.radius.packet import Code
from scenarios.company import group, person, policy, policy_dn
from scenarios.office import Office, open_office

pytestmark = pytest.mark.asyncio(loop_scope="module")
PASSWORD_ALONE = {"dirfactorFirstMethod": "password", "dirfactorSecondMethod": "none"}
FORTINET = bytes((0, 0, 0x30, 0x44, 1))  # vendor 12356, Fortinet-Group-Name
GROUPS = tuple(f"Class=group {number:03d} {'x' * 200}" for number in range(30))


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def office(tmp_path_factory):
    entries = [
        person("alice", dirfactorPolicy=policy_dn("plain"), dirfactorReplyAttribute="Filter-Id=of-alice"),
        person("bob", dirfactorPolicy=policy_dn("plain")),
        policy("plain", **PASSWORD_ALONE | {
            "dirfactorReplyAttribute": ("Filter-Id=of-policy", "Class=0x0A1B", "Vendor-Specific.12356.1=vpn",
                                        "Session-Timeout=3600")}),
        group("crew", "alice", dirfactorReplyAttribute=("Class=OU=staff;", "Vendor-Specific.12356.1=staff")),
        group("many", "bob", dirfactorReplyAttribute=GROUPS),
    ]  # fmt: skip
    nodes = NODES.replace("[node:vpn]\n", "[node:vpn]\ndirfactorReplyAttribute = Filter-Id=of-node\n")
    async with open_office(tmp_path_factory.mktemp("replies"), *entries, nodes=nodes) as running:
        yield running


async def accepted(office: Office, user: str):
    packet = await office.service.packet(user, f"{user}-Teapot-41")
    assert packet.code is Code.ACCESS_ACCEPT
    assert packet.attributes[0][0] == Attribute.MESSAGE_AUTHENTICATOR
    return packet


async def test_policy_group_user_and_node_all_have_a_say_in_that_order(office: Office):
    packet = await accepted(office, "alice")
    assert packet.values(Attribute.FILTER_ID) == (b"of-policy", b"of-alice", b"of-node")
    assert packet.values(Attribute.CLASS) == (b"\x0a\x1b", b"OU=staff;")
    assert packet.values(Attribute.VENDOR_SPECIFIC) == (FORTINET + b"\x05vpn", FORTINET + b"\x07staff")
    assert packet.values(Attribute.SESSION_TIMEOUT) == ((3600).to_bytes(4, "big"),)


async def test_an_accept_that_would_be_too_long_keeps_the_policys_and_is_the_same_each_time(office: Office):
    packets = [await accepted(office, "bob") for _ in range(2)]
    first, second = (packet.attributes[1:] for packet in packets)
    assert first == second
    assert packets[0].values(Attribute.FILTER_ID) == (b"of-policy",)
    kept = [value for value in packets[0].values(Attribute.CLASS) if value.startswith(b"group ")]
    assert kept == [value.removeprefix("Class=").encode() for value in GROUPS[: len(kept)]]
    assert 0 < len(kept) < len(GROUPS)
    log = (office.service.log or office.site.folder).read_text()
    assert "an accept had no room for the reply attributes Class, Class" in log


async def test_over_http_nothing_is_left_out(office: Office):
    answer = await office.service.post({"user": "bob", "password": "bob-Teapot-41"})
    pairs = answer.json()["reply_attributes"]
    assert [pair["value"] for pair in pairs if pair["name"] == "Class"] == [
        "0x0A1B",
        *(value.removeprefix("Class=") for value in GROUPS),
    ]
