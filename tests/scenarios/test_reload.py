"""config.ini is read again while the service runs: all of it is in force then, or nothing, and no logon is lost."""

import asyncio
import re
import signal
import socket
import time
from pathlib import Path

import pytest
import pytest_asyncio

from auth.demo.service import Reply
from scenarios.company import texted
from scenarios.office import Office, open_office, until
from schema.secret import Secret

pytestmark = pytest.mark.asyncio(loop_scope="module")
PEOPLE = 12
READ = "config.ini was read again, and is in force"
KEPT = "the configuration stays as it was"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def office(tmp_path_factory):
    people = [texted(f"person{number:02}", number) for number in range(PEOPLE)]
    async with open_office(tmp_path_factory.mktemp("reload"), *people) as running:
        yield running


def config(office: Office) -> Path:
    return office.service.config


def said(office: Office, words: str) -> int:
    return office.site.log.read_text().count(words)


async def reread(office: Office, words: str) -> None:
    """SIGHUP, and the words in the log that tell what came of it."""
    before = said(office, words)
    program = office.service.program
    assert program is not None
    program.process.send_signal(signal.SIGHUP)

    async def told() -> bool:
        return said(office, words) > before

    await until(told, 10)


async def test_a_node_and_a_policy_that_are_changed_in_the_file_are_in_force_when_it_was_read(office: Office):
    text = config(office).read_text()
    try:
        reply = await office.log_on("radius", "person00")
        assert reply.outcome == "challenged"
        config(office).write_text(text.replace("[node:portal]", "[node:portal]\ndirfactorNodeEnabled = FALSE"))
        await reread(office, READ)
        answer = await office.service.post({"user": "person01", "password": "Teapot"})
        assert answer.status_code == 401, "a node that is switched off is nobody's"
    finally:
        config(office).write_text(text)
        await reread(office, READ)
    assert (await office.log_on("radius", "person02")).outcome == "challenged"


async def test_of_a_file_with_mistakes_nothing_is_in_force_and_every_mistake_is_told(office: Office):
    text = config(office).read_text()
    try:
        broken = text.replace("refusal_seconds", "refusal_second").replace("[sms:gateway]", "[sms:gateway]\nurl2 = x")
        config(office).write_text(broken)
        await reread(office, KEPT)
        log = office.site.log.read_text()
        assert "refusal_second" in log
        assert "url2" in log
        assert (await office.log_on("http", "person03")).outcome == "challenged"
    finally:
        config(office).write_text(text)


async def test_what_only_a_restart_can_change_is_refused_as_a_whole(office: Office):
    text = config(office).read_text()
    try:
        config(office).write_text(re.sub(r"(?m)^port = \d+$", "port = 1", text, count=1))
        await reread(office, KEPT)
        assert "[radius] cannot change while the service runs" in office.site.log.read_text()
        assert (await office.log_on("radius", "person04")).outcome == "challenged"
    finally:
        config(office).write_text(text)


async def test_a_challenge_from_before_is_answered_after(office: Office):
    mark = office.site.mark()
    asked = await office.log_on("radius", "person05")
    code = await office.site.text_code(mark)
    await reread(office, READ)
    assert (await office.answer("radius", "person05", asked.state, code)).outcome == "accepted"


async def test_a_first_step_that_is_asked_again_after_it_sends_no_second_text(office: Office):
    mark = office.site.mark()
    user, typed = "person06", "person06-Teapot-41"
    assert (await office.service.radius(user, typed)).outcome == "challenged"
    await office.site.text_code(mark)
    before = office.texts_since(mark)
    await reread(office, READ)
    assert (await office.service.radius(user, typed)).outcome == "challenged"
    await asyncio.sleep(0.2)
    assert office.texts_since(mark) == before


async def test_no_logon_is_lost_while_the_file_is_read_again_and_again(office: Office):
    stop, replies = asyncio.Event(), []

    async def log_on(number: int) -> None:
        while not stop.is_set():
            replies.append(await office.log_on(("radius", "http")[number % 2], "nobody", password="guess"))

    async def again() -> None:
        for _ in range(10):
            await reread(office, READ)
        stop.set()

    await asyncio.gather(again(), *map(log_on, range(8)))
    assert len(replies) > 100
    assert {reply.outcome for reply in replies} == {"refused"}


async def test_logons_that_write_do_not_hold_it_up_nor_it_them(office: Office):
    """The parts that open the state file anew must not wait for a transaction that only this process can end."""
    stop, slowest = asyncio.Event(), 0.0

    async def log_on(number: int) -> None:
        nonlocal slowest
        while not stop.is_set():
            begun = time.monotonic()
            await office.log_on("radius", f"person{8 + number % 3:02}", password="guess")
            slowest = max(slowest, time.monotonic() - begun)
            reply = await office.log_on("radius", f"person{8 + number % 3:02}")
            if reply.state is not None:
                await office.answer("radius", f"person{8 + number % 3:02}", reply.state, "000000")

    async def again() -> None:
        for _ in range(15):
            await reread(office, READ)
        stop.set()

    await asyncio.gather(again(), *map(log_on, range(24)))
    assert "Cannot" not in office.site.log.read_text()
    assert office.site.log.read_text().count("database is locked") == 0
    assert slowest < 4.0, "below the five seconds for which a file that is locked is waited for"


async def test_a_right_code_is_good_once_however_often_the_file_is_read(office: Office):
    mark = office.site.mark()
    asked = await office.log_on("http", "person07")
    code = await office.site.text_code(mark)

    async def answer() -> Reply:
        return await office.answer("http", "person07", asked.state or Secret(""), code)

    answers = asyncio.gather(*(answer() for _ in range(40)))
    await reread(office, READ)
    assert [reply.outcome for reply in await answers].count("accepted") == 1


async def test_ports_that_cannot_be_had_are_told_at_start_all_at_once(office: Office):
    from scenarios.command_line import dirfactor  # noqa: PLC0415

    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    text = re.sub(r"(?m)^port = \d+$", f"port = {udp.getsockname()[1]}", config(office).read_text(), count=1)
    other = office.site.folder / "taken.ini"
    other.write_text(text.replace("state_directory = state", "state_directory = taken"))
    with udp:
        ended = await dirfactor("serve", "--config", str(other))
    assert ended.status == 2
    assert f"cannot listen on UDP 127.0.0.1 port {udp_port(text)}" in ended.err
    assert "cannot listen on TCP 127.0.0.1" in ended.err


def udp_port(text: str) -> str:
    found = re.search(r"(?m)^port = (\d+)$", text)
    assert found is not None
    return found.group(1)
