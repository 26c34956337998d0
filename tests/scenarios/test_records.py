"""What the audit has of requests that RADIUS clients get wrong, and has not; and what a drifted device costs."""

import pytest
import pytest_asyncio

from auth.clock import SYSTEM_ENTROPY
from auth.demo.service import Reply
from auth.radius.attributes import Attribute
from auth.radius.packet import Code
from scenarios.chap_client import show
from scenarios.company import password_of, texted, with_vip
from scenarios.office import Office, calling, open_office

pytestmark = pytest.mark.asyncio(loop_scope="module")
STATION = "+436640000099"
SESSION = b"5F-session-of-this-test"
MS_CHAP = bytes((0, 0, 1, 0x37, 1, 52)) + bytes(50)
BESIDE_PAP = {
    "CHAP": ((Attribute.CHAP_PASSWORD, bytes(17)), b"Logon failed."),
    "MS-CHAP": ((Attribute.VENDOR_SPECIFIC, MS_CHAP), b"Logon failed."),
    "EAP": ((Attribute.EAP_MESSAGE, b"\x02\x01\x00\x05\x01"), None),  # RFC 3579 section 2.6.5
    "PAP": ((Attribute.USER_PASSWORD, bytes(16)), b"Logon failed."),
}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def office(tmp_path_factory):
    people = [texted("alice", 1), with_vip("drifted", "DRIFTED")]
    folder = tmp_path_factory.mktemp("records")
    async with open_office(folder, *people, credentials={"DRIFTED": "reason:4923"}) as running:
        yield running


@pytest.mark.parametrize("what", BESIDE_PAP)
async def test_what_is_rejected_at_the_radius_door_leaves_one_line(office: Office, what: str):
    extra, message = BESIDE_PAP[what]
    before = len(office.audit())
    reply = await office.service.packet("alice", password_of("alice"), extra=[extra])
    assert (reply.code, reply.single(Attribute.REPLY_MESSAGE)) == (Code.ACCESS_REJECT, message)
    assert_one_line(office, before, "request-incomplete")


@pytest.mark.parametrize("protocol", ["CHAP", "MS-CHAP", "MS-CHAPv2"])
async def test_so_does_a_client_that_must_be_set_to_pap(office: Office, protocol: str):
    before = len(office.audit())
    reply = await show(office, protocol, "alice", password_of("alice"))
    assert (reply.code, reply.single(Attribute.REPLY_MESSAGE)) == (Code.ACCESS_REJECT, b"PAP required")
    assert_one_line(office, before, "password-protocol")
    assert "set its authentication protocol to PAP" in (office.service.log or office.site.folder).read_text()


def assert_one_line(office: Office, before: int, reason: str) -> None:
    [line] = office.audit()[before:]
    assert (line["outcome"], line["reason"], line["door"], line["name"]) == ("refused", reason, "radius", "alice")
    assert len(line["correlation"]) == 16


async def test_a_password_that_cannot_be_read_leaves_one_line_without_it(office: Office):
    before = len(office.audit())
    assert await office.service.radius("alice", "tea\0pot") == Reply("refused", "Logon failed.")
    [line] = office.audit()[before:]
    assert (line["reason"], line["name"]) == ("request-unreadable", "alice")
    assert "pot" not in str(line)


async def test_where_somebody_calls_from_is_not_written_down(office: Office):
    """A Calling-Station-Id can be a phone number."""
    marks = [calling(STATION), (Attribute.ACCT_SESSION_ID, SESSION)]
    replies = [await office.service.radius("alice", password_of("alice"), extra=marks) for _ in range(2)]
    assert len({reply.state.text for reply in replies if reply.state is not None}) == 1, "the marks were looked at"
    await office.service.packet("alice", "x", extra=[*marks, BESIDE_PAP["CHAP"][0]])
    folder = office.site.folder
    files = [folder / "service.log", *(folder / "state").glob("audit-*"), *(folder / "state").glob("state.sqlite*")]
    assert len(files) > 2
    for file in files:
        octets = file.read_bytes()
        for mark in (STATION.encode()[1:], SESSION, SESSION.hex().encode()):
            assert mark not in octets, file.name


async def test_a_drifted_device_uses_up_its_challenge_and_locks_nobody(office: Office):
    for _ in range(4):
        asked = await office.log_on("radius", "drifted")
        assert (asked.outcome, office.reason()) == ("challenged", "code-wanted")
        for reason in ("code-resynchronise", "code-wrong-retry", "attempts-exhausted"):
            code = f"{SYSTEM_ENTROPY.below(10**6):06d}"
            asked = await office.answer("radius", "drifted", asked.state, code)
            assert office.reason() == reason
            assert office.last()["detail"].startswith(("4923 ", "49B5 ")), (
                "two codes that are not consecutive are wrong"
            )
