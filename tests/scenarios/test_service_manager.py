"""What systemd is told by the real process, over a socket as systemd's own (sd_notify(3)), and by whom."""

import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest

from auth.demo.service import free_port
from rig.ports import LOOPBACK

CONFIG = """\
[service]
state_directory = state
workers = {workers}

[directory]
kind = ldif
file = directory.ldif

[radius]
host = 127.0.0.1
port = 0

[http]
port = {port}
"""
BROKEN = CONFIG.format(workers="many", port=0)
SHOWN = {1: r"RADIUS udp://[\d.]+:\d+, HTTP http://[\d.]+:{port}$", 2: "serves with 2 workers$"}
WATCHED = 2.0
"""Seconds within which the unit wants to hear that it is alive."""
PATIENCE = 30.0
CREDENTIALS = struct.Struct("3i")  # process, user, group: unix(7), SCM_CREDENTIALS


@dataclass
class Heard:
    """A datagram of its own."""

    word: str
    lines: list[str]
    process: int
    at: float

    def value(self, name: str) -> str:
        return next(line.removeprefix(f"{name}=") for line in self.lines if line.startswith(f"{name}="))


@dataclass
class Unit:
    """`dirfactor serve` as the main process of a unit."""

    process: "subprocess.Popen[bytes]"
    listener: socket.socket
    alive: list[Heard] = field(default_factory=list)

    def hears(self) -> Heard:
        """What is told next."""
        text, ancillary, _, _ = self.listener.recvmsg(4096, socket.CMSG_SPACE(CREDENTIALS.size))
        [(_, kind, octets)] = ancillary
        assert kind == socket.SCM_CREDENTIALS
        lines = text.decode().splitlines()
        return Heard(lines[0], lines, CREDENTIALS.unpack(octets)[0], time.monotonic())

    def told(self) -> Heard:
        """What is told next, but that it is alive; that is kept by itself."""
        while (heard := self.hears()).word == "WATCHDOG=1":
            self.alive.append(heard)
        return heard

    def until_alive(self, times: int) -> list[Heard]:
        """So many words of that alone, one after the other."""
        found = [self.hears() for _ in range(times)]
        assert {heard.word for heard in found} == {"WATCHDOG=1"}
        return found


@contextmanager
def unit(folder: Path, config: str) -> Iterator[Unit]:
    (folder / "directory.ldif").write_text("version: 1\n")
    (folder / "config.ini").write_text(config)
    path = folder / "notify"
    environment = {**os.environ, "NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": str(int(WATCHED * 1_000_000))}
    environment.pop("WATCHDOG_PID", None)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener, (folder / "service.log").open("wb") as log:
        listener.bind(str(path))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        listener.settimeout(PATIENCE)
        command = [sys.executable, "-m", "auth", "serve", "--config", str(folder / "config.ini")]
        process = subprocess.Popen(command, env=environment, stderr=log, start_new_session=True)
        try:
            yield Unit(process, listener)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@pytest.mark.parametrize("workers", [1, 2])
def test_systemd_is_told_ready_alive_reloading_and_stopping_by_the_process_that_it_knows(tmp_path, workers):
    """NotifyAccess=main: what another process says is not heard. And who is told ready may ask at once."""
    port = free_port(socket.SOCK_STREAM)
    with unit(tmp_path, CONFIG.format(workers=workers, port=port)) as service:
        heard = [service.told()]
        assert heard[0].word == "READY=1"
        socket.create_connection((LOOPBACK, port), timeout=PATIENCE).close()
        assert re.search(SHOWN[workers].format(port=port), heard[0].value("STATUS"))

        alive = service.until_alive(3)
        gaps = [later.at - earlier.at for earlier, later in pairwise(alive)]
        assert max(gaps) < WATCHED

        before = time.monotonic_ns() // 1000
        service.process.send_signal(signal.SIGHUP)
        heard += [service.told(), service.told()]
        assert [each.word for each in heard[1:]] == ["RELOADING=1", "READY=1"]
        began = int(heard[1].value("MONOTONIC_USEC"))
        assert before <= began <= time.monotonic_ns() // 1000, "systemd takes none that is older than its signal"
        assert heard[2].value("STATUS") == heard[0].value("STATUS")

        (tmp_path / "config.ini").write_text(BROKEN)
        service.process.send_signal(signal.SIGHUP)
        heard += [service.told(), service.told()]
        assert [each.word for each in heard[3:]] == ["RELOADING=1", "READY=1"]
        assert "the new configuration cannot be used" in heard[4].value("STATUS")

        service.process.terminate()
        heard += [service.told()]
        assert heard[5].word == "STOPPING=1"
        assert service.process.wait(PATIENCE) == 0
        assert {each.process for each in (*heard, *alive, *service.alive)} == {service.process.pid}


def test_systemd_is_told_nothing_by_a_service_that_cannot_start(tmp_path):
    """It is not ready, and its exit status is no 0: systemd says that the start has failed."""
    with unit(tmp_path, BROKEN) as service:
        assert service.process.wait(PATIENCE) == 2
        service.listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            service.hears()
