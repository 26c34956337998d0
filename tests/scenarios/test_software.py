"""Authenticators, PINs and temporary responses through the real service: each code once, at both doors."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.demo.site import NODES
from auth.keys.ring import Key, Ring
from auth.keys.ring_file import RingFile
from auth.memorised.pin import pin_value
from auth.memorised.temporary_response import TemporaryResponse, response_value
from auth.otp.sealed import sealed_token
from auth.otp.token import SoftwareToken
from scenarios.company import person, policy, policy_dn
from scenarios.office import DOORS, Office, each_door, open_office
from schema.secret import Secret
from schema.words import TokenKind

pytestmark = pytest.mark.asyncio(loop_scope="module")
TELL_APART = NODES.replace("dirfactorAddress", "dirfactorCoalesceSeconds = 0\ndirfactorAddress")
OCTETS = b"k" * 32
RING = Ring((Key(OCTETS, datetime(2026, 11, 26, tzinfo=UTC)),))
PIN, RESPONSE = "2580", "40718223"


def entry(name: str) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_DNS, name)


def token(kind: TokenKind, name: str) -> SoftwareToken:
    return SoftwareToken(kind, f"{kind}-{name}", name.encode().ljust(20, b"."))


def holder(name: str, kind: TokenKind, owner: str = "", **more: str):
    """Somebody with a software token; sealed for `owner`'s entry, if that is somebody else."""
    seed = sealed_token(RING, entry(owner or name).bytes, token(kind, name), name.encode().ljust(12, b".")[:12])
    return person(name, kind, entryUUID=str(entry(name)), dirfactorSecret=seed, **more)


def helped(name: str):
    now = datetime.now(UTC)
    about = TemporaryResponse(now, now + timedelta(hours=1), multiple=False)
    value = response_value(RING, entry(name).bytes, Secret(RESPONSE), about)
    return holder(name, TokenKind.TOTP, dirfactorTemporaryResponse=value, dirfactorPolicy=policy_dn("helped"))


def with_pin(name: str):
    value = pin_value(RING, entry(name).bytes, Secret(PIN))
    return holder(name, TokenKind.HOTP, dirfactorPin=value, dirfactorPolicy=policy_dn("pinned"))


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def office(tmp_path_factory):
    people = [
        *(holder(f"{kind}-{door}", kind) for kind in (TokenKind.TOTP, TokenKind.HOTP) for door in DOORS),
        *(holder(f"astray-{door}", TokenKind.HOTP) for door in DOORS),
        *(make(f"{name}-{door}") for make, name in ((helped, "helped"), (with_pin, "pinned")) for door in DOORS),
        holder("thief", TokenKind.HOTP, "hotp-http"),
    ]
    policies = (
        policy("helped", dirfactorTemporaryResponseAllowed="TRUE"),
        policy("pinned", dirfactorPinWithToken="TRUE"),
    )
    async with open_office(tmp_path_factory.mktemp("software"), *people, *policies, nodes=TELL_APART) as running:
        drawing = replace(SYSTEM_ENTROPY, octets=lambda number: OCTETS[:number])
        made = RingFile(running.site.folder / "state" / "keys.ring").made(SYSTEM_CLOCK, drawing)
        assert made.current.id == RING.current.id
        yield running


async def log_on(office: Office, door: str, user: str, code: str, wanted: str = "code-wanted"):
    asked = await office.log_on(door, user)
    assert (asked.outcome, office.reason()) == ("challenged", wanted)
    return await office.answer(door, user, asked.state, code)


@each_door
@pytest.mark.parametrize("kind", [TokenKind.TOTP, TokenKind.HOTP])
async def test_a_code_of_an_authenticator_opens_once(office: Office, door, kind):
    name = f"{kind}-{door}"
    mine = token(kind, name)
    code = mine.code(mine.step(datetime.now(UTC)) if kind is TokenKind.TOTP else 0).text
    assert (await log_on(office, door, name, code)).outcome == "accepted"
    assert office.last()["detail"] == f"token {kind}-{name}"
    again = await log_on(office, door, name, code)
    assert (again.outcome, office.reason()) == ("challenged", "code-wrong-retry")


@each_door
async def test_two_codes_in_a_row_find_a_token_again(office: Office, door):
    name = f"astray-{door}"
    mine = token(TokenKind.HOTP, name)
    first = await log_on(office, door, name, mine.code(40).text)
    assert (first.outcome, office.reason()) == ("challenged", "code-resynchronise")
    second = await office.answer(door, name, first.state, mine.code(41).text)
    assert second.outcome == "accepted"
    assert "found again" in office.last()["detail"]
    assert (await log_on(office, door, name, mine.code(42).text)).outcome == "accepted"


@each_door
async def test_a_temporary_response_stands_in_for_the_token_once(office: Office, door):
    name = f"helped-{door}"
    assert (await log_on(office, door, name, RESPONSE, "temporary-wanted")).outcome == "accepted"
    again = await log_on(office, door, name, RESPONSE)
    assert (again.outcome, office.reason()) == ("challenged", "code-wrong-retry")


@each_door
async def test_a_pin_stands_in_front_of_the_code_and_can_be_changed_there(office: Office, door):
    name = f"pinned-{door}"
    mine = token(TokenKind.HOTP, name)
    assert (await log_on(office, door, name, mine.code(0).text)).outcome == "challenged"
    changing = f"{PIN}{mine.code(1).text}13971397"
    assert (await log_on(office, door, name, changing)).outcome == "accepted"
    assert (await log_on(office, door, name, f"{PIN}{mine.code(2).text}")).outcome == "challenged"
    assert (await log_on(office, door, name, f"1397{mine.code(3).text}")).outcome == "accepted"


async def test_a_seed_that_was_copied_from_another_user_lets_nobody_in(office: Office):
    reply = await log_on(office, "http", "thief", token(TokenKind.HOTP, "thief").code(0).text)
    assert reply.outcome == "refused"
    assert "copied from another" in office.last()["detail"]


async def test_no_seed_response_or_key_is_in_what_the_service_leaves_behind(office: Office):
    """Runs last. Nothing is looked for in the ring's own file."""
    left = [file for file in office.site.folder.rglob("*") if file.is_file() and file.name != "keys.ring"]
    assert {"state.sqlite", "replica.sqlite", "service.log"} <= {file.name for file in left}
    mine = [token(kind, f"{kind}-{door}") for kind in (TokenKind.TOTP, TokenKind.HOTP) for door in DOORS]
    secrets = [OCTETS, RESPONSE.encode(), b"13971397"]
    secrets += [part for each in mine for part in (each.seed, each.seed.hex().encode(), each.base32.octets)]
    for file in left:
        octets = file.read_bytes()
        assert not [secret for secret in secrets if secret in octets], file
