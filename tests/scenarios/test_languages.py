"""Prompts in the language of the person, refusals in that of the service: a refusal knows no person."""

import pytest
import pytest_asyncio

from scenarios.company import texted, with_vip
from scenarios.office import Office, beside, each_door, open_office

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def office(tmp_path_factory):
    entries = [
        *(
            texted(f"hans-{door}", number, preferredLanguage="de-AT, en;q=0.5")
            for number, door in ((1, "radius"), (2, "http"))
        ),
        *(texted(f"jane-{door}", number, preferredLanguage="en-GB") for number, door in ((3, "radius"), (4, "http"))),
        with_vip("pierre", "PIERRE", preferredLanguage="fr"),
    ]
    async with open_office(tmp_path_factory.mktemp("languages"), *entries, credentials={"PIERRE": ""}) as running:
        yield running


@each_door
async def test_who_prefers_german_is_asked_in_german_and_asked_again_in_german(office: Office, door: str):
    user = f"hans-{door}"
    asked = await office.log_on(door, user)
    number = "+43***01" if door == "radius" else "+43***02"
    assert asked.message == f"Geben Sie den Code ein, der an {number} gesendet wurde."
    again = await office.answer(door, user, asked.state, "000000")
    assert again.message == f"Der Code war nicht richtig. Geben Sie den Code ein, der an {number} gesendet wurde."


@each_door
async def test_refusals_are_in_one_language_whoever_is_refused(office: Office, door: str):
    said = {
        (await office.log_on(door, user, password="wrong")).message
        for user in (f"hans-{door}", f"jane-{door}", "nobody")
    }
    assert said == {"Logon failed."}


async def test_a_service_may_have_another_language_for_refusals_and_for_people_who_prefer_none_of_ours(office: Office):
    async with beside(office, "[service]\n", "[service]\nlanguage = de\n") as german:
        for door in ("radius", "http"):
            for user in ("jane-http", "nobody"):
                assert (await german.log_on(door, user, password="wrong")).message == "Anmeldung fehlgeschlagen."
            assert (
                await german.log_on(door, "pierre")
            ).message == "Geben Sie den Sicherheitscode Ihres VIP-Tokens ein."
            assert (await german.log_on(door, f"jane-{door}")).message.startswith("Enter the code sent to ")
