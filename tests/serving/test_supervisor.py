"""Who begins the workers: what it does when one of them fails, hangs, or does not take a new configuration."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


class Team:
    """A supervisor of three, in a folder."""

    def __init__(self, folder: Path, watched: float, beginning: float) -> None:
        self.folder = folder
        with (folder / "told").open("w") as told, (folder / "log").open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "serving.supervised", "3", str(watched), str(beginning)],
                cwd=folder,
                env={"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
                stdout=told,
                stderr=log,
            )

    def lines(self, name: str) -> list[str]:
        with contextlib.suppress(FileNotFoundError):
            return (self.folder / name).read_text().splitlines()
        return []

    def until(self, name: str, lines: int, seconds: float = 20) -> list[str]:
        deadline = time.monotonic() + seconds
        while len(self.lines(name)) < lines:
            assert time.monotonic() < deadline, (name, self.lines(name), self.lines("log"))
            time.sleep(0.02)
        return self.lines(name)

    def workers(self) -> list[int]:
        pid = self.process.pid
        return sorted(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))

    def reload(self) -> None:
        self.process.send_signal(signal.SIGHUP)


@pytest.fixture
def begin(tmp_path):
    begun: list[Team] = []

    def team(watched: float = 0.0, beginning: float = 60.0) -> Team:
        begun.append(Team(tmp_path, watched, beginning))
        return begun[-1]

    yield team
    for each in begun:
        each.process.terminate()
        each.process.wait(20)


def test_all_begin_the_first_one_before_the_others_and_all_end(begin, tmp_path):
    team = begin()
    assert team.until("told", 1) == ["ready serves with 3 workers"]
    times = [(tmp_path / f"begun-{number}").stat().st_mtime_ns for number in range(3)]
    assert times[0] == min(times)
    pids = team.workers()
    team.process.terminate()
    assert team.process.wait(20) == 0
    assert team.lines("told")[1:] == ["stopping"]
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


@pytest.mark.parametrize("number", [0, 2])
def test_when_one_cannot_begin_at_the_start_all_end_with_its_status(begin, tmp_path, number):
    (tmp_path / f"fails-{number}").touch()
    team = begin()
    assert team.process.wait(20) == 3
    assert "ready" not in "".join(team.lines("told"))
    log = "".join(team.lines("log"))
    assert f"worker {number} cannot serve: it cannot begin" in log
    assert f"worker {number} has ended by itself (exit status 3), and the service ends" in log


def test_one_that_cannot_begin_later_is_tried_less_and_less_often(begin, tmp_path):
    team = begin()
    team.until("told", 1)
    (tmp_path / "fails-1").touch()
    os.kill(team.workers()[1], signal.SIGKILL)
    team.until("begun-1", 4)  # after 0.1, 0.2 and 0.4 seconds
    assert len(team.lines("begun-1")) <= 6
    (tmp_path / "fails-1").unlink()
    number = len(team.lines("begun-1"))
    team.until("begun-1", number + 1)
    time.sleep(0.3)
    assert len(team.lines("begun-1")) == number + 1
    assert len(team.workers()) == 3


def test_one_that_hangs_is_ended_and_begun_anew_and_alive_are_all_or_none(begin):
    team = begin(watched=1.0)
    team.until("told", 5)
    assert set(team.lines("told")) == {"ready serves with 3 workers", "alive"}
    stuck = team.workers()[2]
    os.kill(stuck, signal.SIGSTOP)
    team.until("begun-2", 2)
    assert stuck not in team.workers()
    count = len(team.lines("told"))
    team.until("told", count + 2)


def test_the_first_one_that_hangs_while_it_begins_is_ended_and_does_not_hold_up_the_configuration(begin, tmp_path):
    team = begin(beginning=1.0)
    team.until("told", 1)
    (tmp_path / "waits-0").touch()
    os.kill(team.workers()[0], signal.SIGKILL)
    team.until("begun-0", 2)
    team.reload()
    team.until("begun-0", 3)
    assert "worker 0 has not begun within 1 s, and is ended" in "".join(team.lines("log"))
    (tmp_path / "waits-0").unlink()
    assert team.until("told", 3)[1:] == ["reloading", "ready serves with 3 workers"]
    assert team.lines("read-0")


def test_one_that_is_told_to_stop_as_soon_as_it_is_forked_ends_and_nobody_else(begin, tmp_path):
    team = begin()
    team.until("told", 1)
    (tmp_path / "hit").touch()
    os.kill(team.workers()[2], signal.SIGKILL)
    team.until("begun-2", 2)
    assert not (tmp_path / "hit").exists()
    assert "worker 2 has ended by itself (SIGTERM)" in "".join(team.lines("log"))
    assert team.process.poll() is None
    assert team.lines("told") == ["ready serves with 3 workers"]


def test_a_configuration_that_is_bad_is_shown_to_nobody(begin, tmp_path):
    team = begin()
    team.until("told", 1)
    (tmp_path / "bad").touch()
    team.reload()
    assert team.until("told", 3)[1:] == ["reloading", "kept serves with 3 workers"]
    assert not team.lines("read-0")


def test_what_the_first_one_keeps_all_keep(begin, tmp_path):
    team = begin()
    team.until("told", 1)
    (tmp_path / "keeps-0").touch()
    team.reload()
    assert team.until("told", 3)[1:] == ["reloading", "kept serves with 3 workers"]
    assert team.lines("read-0")
    assert not team.lines("read-1") + team.lines("read-2")
    assert len(team.lines("put-back")) == 1


def test_one_that_does_not_take_what_the_first_one_has_begins_anew_with_it(begin, tmp_path):
    team = begin()
    team.until("told", 1)
    (tmp_path / "keeps-2").touch()
    team.reload()
    assert team.until("told", 3)[1:] == ["reloading", "ready serves with 3 workers"]
    assert team.until("begun-2", 2) == ["", "new"]
    assert [len(team.lines(f"read-{number}")) for number in range(3)] == [1, 1, 1]
    assert not team.lines("put-back")


def test_one_that_only_begins_when_the_first_one_takes_another_configuration_begins_anew_with_it(begin, tmp_path):
    team = begin()
    team.until("told", 1)
    (tmp_path / "waits-2").touch()
    os.kill(team.workers()[2], signal.SIGKILL)
    team.until("begun-2", 2)
    team.reload()
    told = team.until("told", 3)
    assert told[1:] == ["reloading", "ready serves with 3 workers"], "it does not hold up the others"
    (tmp_path / "waits-2").unlink()
    assert team.until("begun-2", 3) == ["", "", "new"]
    assert [len(team.lines(f"read-{number}")) for number in range(2)] == [1, 1]
    team.reload()
    team.until("read-2", 1)
    assert len(team.lines("begun-2")) == 3, "it serves"


def test_one_that_only_begins_when_the_first_one_keeps_what_it_has_goes_on(begin, tmp_path):
    team = begin()
    team.until("told", 1)
    for name in ("waits-2", "keeps-0"):
        (tmp_path / name).touch()
    os.kill(team.workers()[2], signal.SIGKILL)
    team.until("begun-2", 2)
    team.reload()
    assert team.until("told", 3)[1:] == ["reloading", "kept serves with 3 workers"]
    for name in ("waits-2", "keeps-0"):
        (tmp_path / name).unlink()
    time.sleep(0.5)
    team.reload()
    assert team.until("read-2", 1)
    assert team.lines("begun-2") == ["", ""]


def test_nobody_begins_while_it_is_not_known_with_which_configuration(begin, tmp_path):
    team = begin()
    team.until("told", 1)
    (tmp_path / "keeps-0").touch()
    first, _, last = team.workers()
    os.kill(first, signal.SIGSTOP)
    team.reload()
    team.until("told", 2)
    os.kill(last, signal.SIGKILL)
    time.sleep(1)  # ten times the pause before it would begin
    assert len(team.lines("begun-2")) == 1
    os.kill(first, signal.SIGCONT)
    assert team.until("begun-2", 2) == ["", ""], "with the old one"


def test_when_the_first_one_dies_while_it_reads_nothing_has_changed(begin, tmp_path):
    team = begin()
    team.until("told", 1)
    first = team.workers()[0]
    os.kill(first, signal.SIGSTOP)
    team.reload()
    team.until("told", 2)
    os.kill(first, signal.SIGKILL)
    assert team.until("told", 3)[2] == "kept serves with 3 workers"
    assert len(team.lines("put-back")) == 1
    team.until("begun-0", 2)
