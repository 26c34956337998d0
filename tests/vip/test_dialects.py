"""Both dialects, one law: whichever is set, the same person is let in, blamed, asked again, or neither."""

import pytest

from auth.vip.faults import VipUnavailable
from auth.vip.reasons import NOT_ENABLED, NOT_OURS, Kind
from auth.vip.settings import DialectName
from auth.vip.verdict import TokenStatus, Verdict
from schema.errors import Fault
from schema.secret import Secret

each_dialect = pytest.mark.parametrize("dialect", list(DialectName))


def its(name: str, dialect: DialectName) -> str:
    """The credential of this name that is kept for one dialect."""
    return f"{name.upper()}{dialect[0].upper()}"


async def said(simulator, dialect, credentials, code) -> Verdict:
    async with simulator.client(dialect=dialect) as vip:
        return await vip.validate(credentials, code)


@each_dialect
async def test_the_right_code_opens(simulator, dialect):
    name = its("fine", dialect)
    found = await said(simulator, dialect, [name], simulator.code(name))
    assert (found.kind, found.reason_code, found.credential) == (Kind.SUCCESS, "0000", name)


@each_dialect
async def test_a_wrong_and_a_spent_code_are_the_persons(simulator, dialect):
    name = its("bad", dialect)
    found = await said(simulator, dialect, [name], simulator.wrong_code(name))
    assert (found.kind, found.reason_code) == (Kind.PERSON, "49B5")
    name = its("spent", dialect)
    code = simulator.code(name)
    assert (await said(simulator, dialect, [name], code)).kind is Kind.SUCCESS
    assert (await said(simulator, dialect, [name], code)).kind is Kind.PERSON


async def test_six_characters_with_a_letter_are_a_wrong_code_where_the_service_gives_no_detail(simulator):
    found = await said(simulator, DialectName.USER_SERVICES, ["BADU"], Secret("12345a"))
    assert (found.kind, found.reason_code) == (Kind.PERSON, "6009")


@each_dialect
async def test_ten_wrong_codes_lock_and_that_is_the_administrators(simulator, dialect):
    name = its("stuck", dialect)
    wrong = simulator.wrong_code(name)
    async with simulator.client(dialect=dialect) as vip:
        kinds = [(await vip.validate([name], wrong)).kind for _ in range(10)]
        found = await vip.validate([name], simulator.code(name))
        pair = await vip.resynchronise([name], simulator.code(name, 10), simulator.code(name, 11))
    assert kinds == [Kind.PERSON] * 10
    assert (found.kind, found.reason_code) == (Kind.CONFIGURATION, "4994")
    assert (pair.kind, pair.reason_code) == (Kind.CONFIGURATION, NOT_ENABLED.code), "not by two codes either"


@each_dialect
async def test_a_credential_of_another_account_is_the_administrators(simulator, dialect):
    found = await said(simulator, dialect, ["VSST99999999"], Secret("123456"))
    assert found.kind is Kind.CONFIGURATION
    assert found.reason_code == {"authentication": "4E03", "user-services": "6004"}[dialect]


@each_dialect
async def test_a_device_that_has_drifted_opens_with_two_codes_in_a_row_and_with_one_from_then_on(simulator, dialect):
    name = its("strayed", dialect)
    async with simulator.client(dialect=dialect) as vip:
        first = await vip.validate([name], simulator.code(name, 10))
        assert (first.kind, first.reason_code) == (Kind.RESYNCHRONISE, "4923")
        apart = await vip.resynchronise([name], simulator.code(name, 10), simulator.code(name, 12))
        assert apart.kind is Kind.PERSON
        pair = await vip.resynchronise([name], simulator.code(name, 10), simulator.code(name, 11))
        assert (pair.kind, pair.credential) == (Kind.SUCCESS, name)
        assert (await vip.validate([name], simulator.code(name, 12))).kind is Kind.SUCCESS


@each_dialect
async def test_of_several_credentials_the_one_that_has_drifted_is_found(simulator, dialect):
    names = [its("several1", dialect), its("several2", dialect)]
    async with simulator.client(dialect=dialect) as vip:
        assert (await vip.validate(names, simulator.code(names[0]))).credential == names[0]
        assert (await vip.validate(names, simulator.code(names[1], 15))).kind is Kind.RESYNCHRONISE
        pair = await vip.resynchronise(names, simulator.code(names[1], 15), simulator.code(names[1], 16))
    assert (pair.kind, pair.credential) == (Kind.SUCCESS, names[1])


@each_dialect
async def test_wrong_codes_are_the_persons_whatever_state_another_credential_is_in(simulator, dialect):
    gone, name = "VSST99999999", its("fine", dialect)
    async with simulator.client(dialect=dialect) as vip:
        for assigned in ([name, gone], [gone, name]):
            pair = await vip.resynchronise(assigned, simulator.wrong_code(name), simulator.wrong_code(name))
            assert pair.kind is Kind.PERSON, assigned
        alone = await vip.resynchronise([gone], simulator.wrong_code(name), simulator.wrong_code(name))
        assert alone.kind is Kind.CONFIGURATION


@each_dialect
async def test_wrong_codes_are_nobodys_while_another_credential_cannot_be_looked_at(simulator, dialect):
    name = its("fine", dialect)
    async with simulator.client(dialect=dialect) as vip:
        wrong = simulator.wrong_code(name)
        assert (await vip.resynchronise([name, "BUSY"], wrong, wrong)).kind is Kind.SERVICE


async def test_two_codes_of_a_credential_that_is_not_assigned_here_do_not_open(simulator):
    """`CheckOtp` asks about all of a user's credentials, also about those that the directory does not name."""
    async with simulator.client(dialect=DialectName.USER_SERVICES) as vip:
        pair = await vip.resynchronise(["PEERA1"], simulator.code("PEERA2", 5), simulator.code("PEERA2", 6))
        assert (pair.kind, pair.reason_code) == (Kind.PERSON, NOT_OURS.code)
        locked = await vip.resynchronise(["PEERA1", "PEERA3"], simulator.code("PEERA3", 5), simulator.code("PEERA3", 6))
        assert (locked.kind, locked.reason_code) == (Kind.CONFIGURATION, NOT_ENABLED.code)
        of_user = await vip.resynchronise(["user:peer"], simulator.code("PEERA3", 8), simulator.code("PEERA3", 9))
        assert (of_user.kind, of_user.reason_code) == (Kind.CONFIGURATION, NOT_ENABLED.code)


# --- temporary security codes, texts and calls


async def test_a_temporary_code_stands_in_for_a_disabled_or_ended_credential(simulator):
    dialect = DialectName.AUTHENTICATION
    assert (await said(simulator, dialect, ["BARREDA"], simulator.code("BARREDA"))).reason_code == "4993"
    assert (await said(simulator, dialect, ["BARREDA"], Secret("246810"))).kind is Kind.SUCCESS
    assert (await said(simulator, dialect, ["ENDED"], simulator.code("ENDED"))).kind is Kind.CONFIGURATION
    assert (await said(simulator, dialect, ["ENDED"], Secret("abc123"))).kind is Kind.SUCCESS


async def test_in_user_services_a_temporary_code_is_the_users(simulator):
    dialect = DialectName.USER_SERVICES
    assert (await said(simulator, dialect, ["user:guest"], Secret("135791"))).kind is Kind.SUCCESS
    assert (await said(simulator, dialect, ["user:nobody"], Secret("135791"))).reason_code == "6008"


@pytest.mark.parametrize(
    ("dialect", "credential"),
    [
        (DialectName.AUTHENTICATION, "sms:436640000001"),
        (DialectName.AUTHENTICATION, "voice:436640000002"),
        (DialectName.USER_SERVICES, "sms:+436640000003"),
        (DialectName.USER_SERVICES, "voice:436640000004"),
    ],
)
async def test_a_telephone_is_sent_a_code_once_and_that_code_opens_once(simulator, dialect, credential):
    number = credential.partition(":")[2].removeprefix("+")
    async with simulator.client(dialect=dialect) as vip:
        sent = await vip.send(["FINEA", credential])
        assert sent.kind is Kind.SUCCESS
        code = simulator.text_to(number)
        assert code.text not in repr(sent), "VIP tells us the code as well, and it goes nowhere"
        assert (await vip.validate([credential], code)).kind is Kind.SUCCESS
        assert (await vip.validate([credential], code)).kind is Kind.PERSON
    assert len([event for event in simulator.events if event.get("to") == number]) == 1


async def test_a_vip_user_is_sent_a_code_to_the_telephone_that_vip_has(simulator):
    async with simulator.client(dialect=DialectName.USER_SERVICES) as vip:
        assert (await vip.send(["user:paula"])).kind is Kind.SUCCESS
        opened = await vip.validate(["user:paula"], simulator.text_to("436640000008"))
        assert (opened.kind, opened.credential) == (Kind.SUCCESS, "436640000008")
        assert (await vip.send(["user:nobody"])).reason_code == "6008"


@each_dialect
async def test_a_credential_that_is_no_telephone_cannot_be_sent_a_code(simulator, dialect):
    async with simulator.client(dialect=dialect) as vip:
        with pytest.raises(Fault, match="no code"):
            await vip.send(["FINEA"])


# --- users


async def test_a_vip_user_stands_for_all_their_credentials_and_only_in_user_services(simulator):
    found = await said(simulator, DialectName.USER_SERVICES, ["user:PEER"], simulator.code("PEERA4"))
    assert (found.kind, found.credential) == (Kind.SUCCESS, "PEERA4")
    with pytest.raises(Fault, match="does not know"):
        await said(simulator, DialectName.AUTHENTICATION, ["user:peer"], Secret("123456"))
    with pytest.raises(Fault, match="beside other credentials"):
        await said(simulator, DialectName.USER_SERVICES, ["user:peer", "FINEU"], Secret("123456"))


@pytest.mark.parametrize(("user", "reason"), [("banned", "601B"), ("nobody", "6008"), ("unheard-of", "6003")])
async def test_the_state_of_a_vip_user_is_the_administrators(simulator, user, reason):
    found = await said(simulator, DialectName.USER_SERVICES, [f"user:{user}"], Secret("123456"))
    assert (found.kind, found.reason_code) == (Kind.CONFIGURATION, reason)


# --- enrolment


@each_dialect
async def test_a_new_credential_is_described_and_taken_into_use_with_its_code(simulator, dialect):
    name = its("novice", dialect)
    async with simulator.client(dialect=dialect) as vip:
        assert (await vip.information(name)).information.status is TokenStatus.NEW
        assert (await vip.activate(name, simulator.wrong_code(name))).kind is Kind.PERSON
        assert (await vip.activate(name, simulator.code(name), simulator.code(name, 1))).kind is Kind.SUCCESS
        assert (await vip.information(name)).information.status is TokenStatus.ENABLED


@each_dialect
async def test_possession_is_shown_by_one_code_or_two(simulator, dialect):
    name = its("proved", dialect)
    async with simulator.client(dialect=dialect) as vip:
        assert (await vip.possessed(name, simulator.wrong_code(name))).kind is Kind.PERSON
        assert (await vip.possessed(name, simulator.code(name))).kind is Kind.SUCCESS
        assert (await vip.possessed(name, simulator.code(name, 2), simulator.code(name, 3))).kind is Kind.SUCCESS


async def test_a_vip_user_is_described(simulator):
    async with simulator.client(dialect=DialectName.USER_SERVICES) as vip:
        told = (await vip.information("user:peer")).information
        assert (told.status, told.adapter) == (TokenStatus.ENABLED, "a VIP user with 4 credentials")
        assert (await vip.information("user:banned")).information.status is TokenStatus.LOCKED


@each_dialect
async def test_the_services_time_proves_certificate_password_and_url(simulator, dialect):
    async with simulator.client(dialect=dialect) as vip:
        told = await vip.server_time()
    assert told.kind is Kind.SUCCESS
    assert told.time.tzinfo is not None


# --- faults


@each_dialect
@pytest.mark.parametrize(
    ("credential", "kind"),
    [
        ("BUSY", Kind.SERVICE),
        ("FAULTING", Kind.SERVICE),
        ("NOVEL", Kind.CONFIGURATION),
        ("DRIFTED", Kind.RESYNCHRONISE),
    ],
)
async def test_what_the_service_says_is_somebodys_business_in_either_dialect(simulator, dialect, credential, kind):
    assert (await said(simulator, dialect, [credential], Secret("123456"))).kind is kind


@each_dialect
@pytest.mark.parametrize("credential", ["BABBLING", "BROKEN", "HYPERTEXT", "HALF"])
async def test_no_answer_is_no_answer_in_either_dialect(simulator, dialect, credential):
    async with simulator.client(dialect=dialect, deadline=1.0) as vip:
        with pytest.raises(VipUnavailable):
            await vip.validate([credential], Secret("123456"))
