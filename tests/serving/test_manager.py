"""What systemd is told (sd_notify(3)), heard by a real socket."""

import socket

import pytest

from auth.serving.manager import ServiceManager

PROCESS = 4711


@pytest.fixture(params=["path", "abstract"])
def heard(request, tmp_path):
    """An environment, and what was sent to its socket since it was asked last."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@dirfactor-{tmp_path.name}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(name.replace("@", "\0"))
        listener.settimeout(1)
        yield {"NOTIFY_SOCKET": name}, lambda: listener.recv(4096).decode().splitlines()


def test_each_word_is_one_datagram_with_its_status(heard):
    environment, said = heard
    manager = ServiceManager(environment, PROCESS)
    manager.ready("RADIUS udp://0.0.0.0:1812\nHTTP")
    assert said() == ["READY=1", "STATUS=RADIUS udp://0.0.0.0:1812 HTTP"], "a status is one line"
    manager.reloading(12.5)
    assert said() == ["RELOADING=1", "STATUS=reads its configuration", "MONOTONIC_USEC=12500000"]
    manager.alive()
    assert said() == ["WATCHDOG=1"]
    manager.stopping()
    assert said() == ["STOPPING=1", "STATUS=ends what was begun"]


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(PROCESS)}, 30.0),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, 0.0),
        ({"WATCHDOG_USEC": "soon"}, 0.0),
        ({}, 0.0),
    ],
)
def test_the_watchdog_is_fed_where_it_is_ours(environment, seconds):
    assert ServiceManager({"NOTIFY_SOCKET": "/run/notify", **environment}, PROCESS).watched == seconds


def test_without_a_manager_nobody_is_told_and_nothing_fails():
    manager = ServiceManager({"WATCHDOG_USEC": "30000000"}, PROCESS)
    manager.ready("")
    manager.stopping()
    assert manager.watched == 0


def test_a_manager_that_is_gone_is_a_line_in_the_log_and_no_reason_to_stop(tmp_path, caplog):
    ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "nobody")}, PROCESS).ready("")
    assert "the service manager cannot be told READY=1" in caplog.text
