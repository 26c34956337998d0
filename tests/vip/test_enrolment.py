"""Assigning a credential: VIP is asked first, and a code that is not its own assigns nothing."""

import pytest

from auth.vip.credential import shown, typed
from auth.vip.enrolment import CredentialRefused, Proof, enrol
from auth.vip.settings import DialectName
from auth.vip.verdict import TokenStatus
from schema.errors import Fault
from schema.secret import Secret
from vip.conftest import DIALECTS

each_dialect = pytest.mark.parametrize("dialect", [DialectName(name) for name in DIALECTS])


def its(name: str, dialect: DialectName) -> str:
    return f"{name.upper()}{dialect[0].upper()}"


async def enrolled(simulator, dialect, name, *codes, activate=False, dry_run=False):
    async with simulator.client(dialect=dialect) as vip:
        return await enrol(vip, name, Proof(*codes, activate=activate), dry_run=dry_run)


@each_dialect
async def test_a_new_credential_is_activated_with_its_code_and_only_then(simulator, dialect):
    name = its("enrolled", dialect)
    told = await enrolled(simulator, dialect, name)
    assert (told.status, told.works) == (TokenStatus.NEW, False)
    assert "repeat it with --code" in told.told
    told = await enrolled(simulator, dialect, name, simulator.code(name), dry_run=True)
    assert told.status is TokenStatus.NEW, "a dry run activates nothing and uses up no code"
    with pytest.raises(CredentialRefused, match="49B5"):
        await enrolled(simulator, dialect, name, simulator.wrong_code(name))
    told = await enrolled(simulator, dialect, name, simulator.code(name), simulator.code(name, 1))
    assert (told.status, told.works) == (TokenStatus.ENABLED, True)
    assert (await enrolled(simulator, dialect, name)).works


@each_dialect
async def test_one_that_is_enabled_is_checked_with_its_code(simulator, dialect):
    name = its("owned", dialect)
    with pytest.raises(CredentialRefused, match="49B5"):
        await enrolled(simulator, dialect, name, simulator.wrong_code(name))
    assert "the code is its code" in (await enrolled(simulator, dialect, name, simulator.code(name))).told


async def test_activation_without_a_code_is_said_to_be_wanted_and_only_one_dialect_can(simulator):
    told = await enrolled(simulator, DialectName.AUTHENTICATION, "CODELESSA", activate=True)
    assert (told.status, told.works) == (TokenStatus.ENABLED, True)
    with pytest.raises(Fault, match="with its code only"):
        await enrolled(simulator, DialectName.USER_SERVICES, "CODELESSU", activate=True)


@pytest.mark.parametrize(("name", "words"), [("DISABLED", "temporary security code"), ("LOCKED", "unlock it")])
async def test_a_state_that_keeps_it_from_working_is_explained(simulator, name, words):
    told = await enrolled(simulator, DialectName.AUTHENTICATION, name)
    assert not told.works
    assert words in told.told


@each_dialect
async def test_a_credential_of_another_account_is_refused_with_the_reason(simulator, dialect):
    with pytest.raises(CredentialRefused) as caught:
        await enrolled(simulator, dialect, "VSST99999999")
    assert ("4E03" if dialect == "authentication" else "6004") in caught.value.problem
    assert "dirfactorVipCredential" in caught.value.remedy


# --- how people write it


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("vsst 1234-5678", "VSST12345678"),
        ("SMS: +43 664 0000001", "sms:436640000001"),
        ("Voice:43 (664) 000-0001", "voice:436640000001"),
        ("user: Alice Adams", "user:Alice Adams"),
    ],
)
def test_a_credential_is_taken_as_people_write_it(written, kept):
    assert typed(written) == kept


@pytest.mark.parametrize("written", ["", "sms:", "sms:1-800-FLOWERS", "fax:436640000001", "user:", "x" * 41, "ä" * 8])
def test_what_is_none_is_refused_and_no_number_is_shown(written):
    with pytest.raises(Fault) as caught:
        typed(written)
    assert "436640000001" not in caught.value.problem


def test_of_a_telephone_no_more_is_shown_than_its_owner_needs():
    assert shown("sms:436640000001") == "sms:436***01"
    assert shown("VSST12345678") == "VSST12345678"
    assert shown("user:alice") == "user:alice"


def test_a_code_shows_nowhere(simulator):
    assert "123456" not in repr(Proof(Secret("123456"), Secret("234567")))
