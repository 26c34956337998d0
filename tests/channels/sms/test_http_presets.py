"""Presets: each speaks to its provider as the provider documents, and its answers are understood."""

import configparser
from urllib.parse import quote_plus

import httpx
import pytest

from auth.addresses import PhoneNumber
from auth.channels.base import DeliveryFailed, Message, Receipt
from auth.channels.sms.http.answer import AnswerRules
from auth.channels.sms.http.gateway import HttpSmsGateway
from auth.channels.sms.http.presets import lacking, presets
from auth.clock import SYSTEM_CLOCK
from auth.config import ConfigFault, read_config
from channels.peers import everything_said
from channels.sms.providers import AZURE_KEY, BUSY, ELSEWHERE, NO_NUMBER, PASSWORD, PROVIDERS, TAKEN, TEXT, Program

NAMES = sorted(PROVIDERS)


class Detour(httpx.AsyncBaseTransport):
    """Takes every request to a port of this machine; what the request says of its host stays."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._inner = httpx.AsyncHTTPTransport(verify=False)

    async def handle_async_request(self, request):
        request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=self._port)
        return await self._inner.handle_async_request(request)

    async def aclose(self):
        await self._inner.aclose()


@pytest.fixture
def section(tmp_path):
    """Read a section with a preset and these keys; a password stands in a file."""

    def read(name: str, **keys: str):
        secret = tmp_path / "password"
        secret.write_text(keys.pop("password", PASSWORD))
        secret.chmod(0o600)
        file = tmp_path / "config.ini"
        lines = [f"{key} = {value}" for key, value in keys.items()]
        lines += ["password = file:password"] if secret.read_text() else []
        (tmp_path / "directory.ldif").touch()
        head = "[directory]\nkind = ldif\nfile = directory.ldif\n"
        file.write_text(f"{head}[sms:test]\npreset = {name}\n" + "\n".join(lines))
        return read_config(file).sms["test"]

    return read


@pytest.fixture
async def asked(serve, section):
    """Send a text through a preset to the strict program of its provider."""
    clients = []

    async def send(name: str, to: str, text: str = TEXT, **keys: str):
        program = Program(PROVIDERS[name])
        detour = Detour(await serve(program))
        client = httpx.AsyncClient(transport=detour, trust_env=False, verify=False)  # noqa: S501 - it stays on loopback
        clients.append(client)
        settings = section(name, **(PROVIDERS[name].section | keys))
        gateway = HttpSmsGateway("test", settings, client, SYSTEM_CLOCK)
        try:
            return program, await gateway.send(PhoneNumber(to), Message("", text))
        except DeliveryFailed as failure:
            return program, failure

    yield send
    for client in clients:
        await client.aclose()


@pytest.mark.parametrize("name", NAMES)
async def test_a_text_is_taken_and_known_by_the_providers_id(asked, name):
    program, receipt = await asked(name, TAKEN)
    assert program.complaints == []
    assert receipt == Receipt("test", PROVIDERS[name].message_id)
    assert program.texts == 1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("to", "permanent"), [(NO_NUMBER, True), (BUSY, False), (ELSEWHERE, False)])
async def test_only_an_answer_that_blames_the_number_keeps_others_from_trying(asked, name, to, permanent):
    program, failure = await asked(name, to)
    assert program.complaints == []
    assert isinstance(failure, DeliveryFailed)
    assert (failure.permanent, failure.unknown) == (permanent, False)
    assert ("phone number" in failure.remedy) == permanent
    assert ("wait" in failure.remedy) == (to == BUSY)
    assert "481516" not in everything_said(failure)
    assert to not in everything_said(failure)


@pytest.mark.parametrize("name", NAMES)
async def test_wrong_credentials_are_a_failure_of_ours_that_shows_none(asked, name):
    wrong = AZURE_KEY[::-1].replace("=", "A") if name == "azure" else "canary-Wrong-1"
    program, failure = await asked(name, TAKEN, password=wrong)
    assert isinstance(failure, DeliveryFailed)
    assert not failure.permanent
    assert program.texts == 0
    assert wrong not in everything_said(failure)


@pytest.mark.parametrize(
    ("name", "field"), [("twilio", "StatusCallback"), ("vonage", "callback"), ("46elks", "whendelivered")]
)
async def test_a_receipt_is_asked_for_where_an_address_is_given(asked, tmp_path, name, field):
    address = "https://logon.example.org/v1/receipts/test?token=canary&x=1"
    (tmp_path / "address").touch(mode=0o600)
    (tmp_path / "address").write_text(address)
    program, _ = await asked(name, TAKEN, receipt_url="file:address")
    (complaint,) = program.complaints
    assert complaint.endswith(f"&{field}={quote_plus(address)}'"), "the strict program sees one field more"


@pytest.mark.parametrize("name", ["vonage", "kannel"])
async def test_a_text_outside_the_gsm_alphabet_is_announced_as_such(asked, name):
    program, _ = await asked(name, TAKEN, text="код 481516")
    assert len(program.complaints) == 1
    assert {"vonage": "'type': 'unicode'", "kannel": "text"}[name] in program.complaints[0]


@pytest.mark.parametrize("name", NAMES)
def test_what_a_preset_needs_is_reported_key_by_key(section, name):
    needed = presets()[name].means
    with pytest.raises(ConfigFault) as caught:
        section(name, password="")
    found = {problem.where.split()[1]: problem for problem in caught.value.problems}
    assert found.keys() == needed.keys()
    for key in found.keys() - {"url"}:
        assert needed[key] in found[key].remedy
    assert all(problem.line > 0 for problem in found.values())


BOTH = {
    "twilio": (201, '{"sid": "SM0", "status": "failed", "error_code": 30003}'),
    "vonage": (200, '{"messages": [{"status": "0", "message-id": "1"}, {"status": "1"}]}'),
    "infobip": (200, '[{"status": {"groupName": "PENDING"}}, {"status": {"groupName": "REJECTED"}}]'),
    "messagebird": (201, '{"items": [{"status": "sent"}, {"status": "delivery_failed"}]}'),
    "azure": (202, '{"value": [{"successful": true}, {"successful": false}]}'),
    "clicksend": (200, '{"messages": [{"status": "SUCCESS"}, {"status": "INVALID_SENDER_ID"}]}'),
    "46elks": (200, '[{"status": "created"}, {"status": "failed"}]'),
}


@pytest.mark.parametrize("name", sorted(BOTH))
def test_an_answer_that_says_success_and_failure_is_a_failure(section, name):
    """Such as one part of a long text that was refused."""
    rules = AnswerRules(section(name, **PROVIDERS[name].section))
    with pytest.raises(DeliveryFailed, match="with a body that failure_body matches"):
        rules.read(*BOTH[name], ())


@pytest.mark.parametrize("name", NAMES)
def test_a_page_of_something_in_between_is_no_success(section, name):
    rules = AnswerRules(section(name, **PROVIDERS[name].section))
    for status in (200, 201, 202):
        with pytest.raises(DeliveryFailed) as caught:
            rules.read(status, "<html>Welcome to the hotel's network</html>", ())
        assert not caught.value.permanent


def test_what_the_section_says_itself_wins(section):
    settings = section("46elks", username="us", sender="x", url="https://sms.example.org/a1/sms", success_status="202")
    assert (settings.url, settings.success_status) == ("https://sms.example.org/a1/sms", ("202",))
    assert settings.fields[:3] == ("from = {sender}", "to = {phone}", "message = {text}")


def test_an_unknown_preset_is_reported_with_those_that_there_are(section):
    with pytest.raises(ConfigFault, match=r"\[sms:test\] preset: there is no preset twillio \(known are twilio, "):
        section("twillio", url="https://sms.example.org/?{phone}{text}", success_status="200")


def test_every_preset_has_a_strict_program_and_says_what_it_needs():
    assert presets().keys() == PROVIDERS.keys()
    for preset in presets().values():
        assert list(preset.means) == lacking(preset.options)
        assert preset.title


def test_no_preset_holds_a_credential_or_a_plain_address():
    for preset in presets().values():
        assert not {"password", "username", "bearer_token", "account"} & preset.options.keys()
        assert preset.options.get("url", "https://").startswith("https://")
        assert configparser.ConfigParser.BOOLEAN_STATES[preset.options.get("basic_auth", "no")] in (True, False)
