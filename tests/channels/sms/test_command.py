"""Texts through a program: what it is given, what its end means, and that nothing of it outlives its time."""

import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from auth.addresses import PhoneNumber
from auth.channels.base import DeliveryFailed, Message, Receipt
from auth.channels.sms.command.gateway import CommandGateway
from auth.channels.sms.command.run import Run
from auth.channels.sms.command.settings import CommandSettings
from auth.lines import Lines
from channels.peers import everything_said
from schema.errors import Fault
from schema.secret import Secret

TO = PhoneNumber("+436640000001")
TEXT = "481516 ist Ihr Code: äöü€\nzweite Zeile; $(touch x) `id`"


@pytest.fixture
def gateway(tmp_path):
    """A gateway whose program is a shell script with these lines."""

    def build(*lines: str, **changes) -> CommandGateway:
        program = tmp_path / "send-text"
        program.write_text("\n".join(["#!/bin/sh", f"cd {tmp_path}", *lines]))
        program.chmod(0o755)
        return CommandGateway("modem", CommandSettings(**({"program": program} | changes)))

    return build


async def failure(gateway: CommandGateway) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        await gateway.send(TO, Message("", TEXT))
    said = everything_said(caught.value)
    assert "481516" not in said
    assert TO[1:] not in said
    return caught.value


async def test_it_reads_the_text_and_its_first_line_is_the_id(tmp_path, gateway):
    taken = gateway("cat > text", "echo id-7", "echo more", arguments=Lines(("--to", "{phone}")))
    assert await taken.send(TO, Message("", TEXT)) == Receipt("modem", "id-7")
    assert (tmp_path / "text").read_text() == TEXT


async def test_arguments_pass_through_no_shell(tmp_path, gateway):
    given = Lines(("{phone}", "{phone_digits}", "{sender}", "$(touch y)", "a b; c"))
    await gateway('printf "%s\\n" "$@" > arguments', sender="Ex $ample", arguments=given).send(TO, Message("", TEXT))
    assert (tmp_path / "arguments").read_text().splitlines() == [TO, TO[1:], "Ex $ample", "$(touch y)", "a b; c"]
    assert not (tmp_path / "y").exists()


async def test_nothing_of_our_environment_gets_there(tmp_path, gateway, monkeypatch):
    monkeypatch.setenv("CANARY", "canary")
    await gateway("env > environment", sender="Example", password=Secret("pass-7")).send(TO, Message("", TEXT))
    found = dict(line.split("=", 1) for line in (tmp_path / "environment").read_text().splitlines())
    assert found.keys() - {"PWD", "OLDPWD", "SHLVL", "_"} == {
        "PATH", "LANG", "PHONE", "PHONE_DIGITS", "SENDER", "PASSWORD",
    }  # fmt: skip
    assert (found["PHONE"], found["SENDER"], found["PASSWORD"]) == (TO, "Example", "pass-7")


@pytest.mark.parametrize(
    ("status", "permanent", "remedy"),
    [(67, True, "phone number"), (75, False, "wait"), (1, False, "log"), (64, False, "log"), (127, False, "log")],
)
async def test_its_status_says_whether_another_gateway_is_tried(gateway, status, permanent, remedy):
    found = await failure(gateway("echo id-7", f"exit {status}"))
    assert found.problem == f"the program ended with status {status}"
    assert (found.permanent, found.unknown) == (permanent, False)
    assert remedy in found.remedy


@pytest.mark.parametrize("line", ['echo "$PHONE"', "cat", "echo 'two words'", "printf 'x%.0s' $(seq 101)", "true"])
async def test_an_id_that_echoes_or_is_none_is_not_shown(gateway, line):
    assert (await gateway(line).send(TO, Message("", TEXT))).message_id is None


async def test_one_that_reads_nothing_is_no_failure(gateway):
    assert (await gateway("echo id-7").send(TO, Message("", "x" * 100_000))).message_id == "id-7"


async def test_one_that_does_not_end_is_killed_with_all_that_it_started(tmp_path, gateway):
    lines = ("sleep 60 &", "echo $! > child", "echo $$ > self", "sleep 60")
    found = await failure(gateway(*lines, timeout_seconds=0.4))
    assert found.unknown
    assert "was killed" in found.problem
    for name in ("child", "self"):
        await _gone(int((tmp_path / name).read_text()))


async def test_what_it_leaves_behind_holds_nobody_longer_than_its_time_and_its_own_end_counts(tmp_path, gateway):
    lines = ("sleep 60 &", "echo $! > child", "echo id-7", "exit 0")
    receipt = await gateway(*lines, timeout_seconds=0.5).send(TO, Message("", TEXT))
    assert receipt == Receipt("modem", "id-7")
    await _gone(int((tmp_path / "child").read_text()))


async def test_whoever_stops_waiting_stops_the_program(tmp_path, gateway):
    sending = asyncio.create_task(
        gateway("echo $$ > self", "mv self started", "sleep 60", timeout_seconds=5).send(TO, Message("", TEXT))
    )
    while not (tmp_path / "started").exists():
        await asyncio.sleep(0.01)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    await _gone(int((tmp_path / "started").read_text()))


async def test_one_that_a_signal_ended_may_have_sent(gateway):
    found = await failure(gateway("kill -TERM $$"))
    assert f"signal {signal.SIGTERM.value}" in found.problem
    assert found.unknown


async def test_one_that_cannot_be_started_sent_nothing(gateway):
    built = gateway("true")
    built._settings.program.write_text("\x7fELF no program")
    found = await failure(built)
    assert "could not be started" in found.problem
    assert not found.unknown


async def test_the_time_that_is_left_bounds_it(gateway):
    with pytest.raises(DeliveryFailed, match=r"within 0\.2 s"):
        await gateway("sleep 60", timeout_seconds=60).send(TO, Message("", TEXT), seconds=0.2)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"program": Path("send-text")}, "no program"),
        ({"program": Path("/nonexistent")}, "no program"),
        ({"program": Path(__file__)}, "no program"),
        ({"program": Path("/tmp")}, "no program"),
        ({"arguments": Lines(("{text}",))}, "{text} in arguments"),
        ({"arguments": Lines(("{password}",))}, "{password} in arguments"),
        ({"timeout_seconds": 0}, "timeout_seconds"),
    ],
)
def test_a_section_that_cannot_work_is_refused(gateway, changes, problem):
    with pytest.raises(Fault) as caught:
        gateway("true", **changes)
    assert caught.value.problem.startswith("[sms:modem]: ")
    assert problem in caught.value.problem


async def _gone(process: int) -> None:
    """Returns when a process is no more, or only waits to be collected by its parent."""
    while _runs(process):
        await asyncio.sleep(0.01)


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_what_is_ended_before_its_thread_has_come_to_it_is_not_started_any_more(tmp_path):
    run = Run(("/bin/touch", str(tmp_path / "started")), {})
    run.kill()
    assert run.wait(b"481516", 5.0).status is None
    assert not (tmp_path / "started").exists()


async def test_programs_do_not_share_the_threads_that_look_up_names(gateway):
    free = Event()
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(1))
    held_up = loop.run_in_executor(None, free.wait, 10.0)
    try:
        assert await asyncio.wait_for(gateway("echo id-7").send(TO, Message("", TEXT)), 5) == Receipt("modem", "id-7")
    finally:
        free.set()
        await held_up
