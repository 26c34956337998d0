"""Texts through a gateway that others wrote: Kannel."""

import pytest

from auth.addresses import PhoneNumber
from auth.channels.base import DeliveryFailed, Message
from auth.channels.sms.http.settings import BodyKind, HttpMethod, HttpSmsSettings
from auth.config import read_config
from auth.lines import Lines
from schema.secret import Secret

pytestmark = pytest.mark.servers

TEXTS = ["481516 is your logon code.", "Ihr Code: 481516 (äöüß€) & 100 % +=?#", "код 481516 “…”", "a 481516\nb"]
HEADERS = Lines(
    (
        "X-Kannel-Username: {username}",
        "X-Kannel-Password: {password}",
        "X-Kannel-To: {phone}",
        "X-Kannel-Coding: 2",
        "Content-Type: text/plain; charset=UTF-8",
    )
)


def section(kannel, **changes) -> HttpSmsSettings:
    """Kannel's send-SMS interface as an administrator would describe it."""
    query = "username={username}&password={password}&to={phone}&text={text}&charset=UTF-8&coding=2"
    standard = {
        "url": f"{kannel.sendsms_url}?{query}",
        "method": HttpMethod.GET,
        "username": kannel.username,
        "password": Secret(kannel.password),
        "success_status": ("202",),
        "success_body": "^0: ",
    }
    return HttpSmsSettings(**(standard | changes))


async def failure(sending) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        await sending
    return caught.value


@pytest.mark.parametrize("text", TEXTS)
async def test_kannel_delivers_a_text_as_it_was_written(kannel, gateway, text):
    to = PhoneNumber(f"+43664000010{TEXTS.index(text)}")
    await gateway(section(kannel)).send(to, Message("", text))
    assert kannel.wait_for_text(to) == text


@pytest.mark.parametrize("text", TEXTS)
async def test_kannel_takes_headers_and_a_raw_body_as_well(kannel, gateway, text):
    to = PhoneNumber(f"+43664000011{TEXTS.index(text)}")
    post = section(
        kannel, url=kannel.sendsms_url, method=HttpMethod.POST, headers=HEADERS, body=BodyKind.RAW, raw="{text}"
    )
    await gateway(post).send(to, Message("", text))
    assert kannel.wait_for_text(to) == text


@pytest.mark.parametrize("text", TEXTS)
async def test_kannel_takes_what_its_preset_says(kannel, gateway, tmp_path, text):
    to = PhoneNumber(f"+43664000013{TEXTS.index(text)}")
    (tmp_path / "directory.ldif").touch()
    (tmp_path / "password").touch(mode=0o600)
    (tmp_path / "password").write_text(kannel.password)
    keys = {"url": kannel.sendsms_url, "username": kannel.username, "password": "file:password", "sender": "Example"}
    lines = ["[directory]", "kind = ldif", "file = directory.ldif", "[sms:kannel]", "preset = kannel"]
    (tmp_path / "config.ini").write_text("\n".join([*lines, *(f"{key} = {value}" for key, value in keys.items())]))
    await gateway(read_config(tmp_path / "config.ini").sms["kannel"]).send(to, Message("", text))
    assert kannel.wait_for_text(to) == text


async def test_a_text_that_kannel_only_queues_is_none_that_a_login_can_wait_for(kannel, gateway):
    kannel.disconnect_centre()
    try:
        to = PhoneNumber("+436640000120")
        found = await failure(gateway(section(kannel)).send(to, Message("", "481516 is late")))
    finally:
        kannel.connect_centre()
    assert "HTTP 202 with a body that success_body does not match" in found.problem
    assert (found.permanent, found.unknown) == (False, False)


async def test_kannel_refuses_a_wrong_password(kannel, gateway):
    wrong = section(kannel, password=Secret("Wrong-1"))
    found = await failure(gateway(wrong).send(PhoneNumber("+436640000121"), Message("", "x")))
    assert "HTTP 403" in found.problem
    assert "password" in found.remedy
