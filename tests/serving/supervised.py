"""A supervisor whose workers do as a test wants, in an empty folder.

    python -m serving.supervised WORKERS WATCHED BEGINNING

Files in the folder are what the test and the workers say to each other: `begun-N` has a line for each worker that
began in place N, `read-N` one for each time that it was asked to read its configuration; with a file `fails-N` it
cannot begin, with `waits-N` it goes on beginning, with `keeps-N` it keeps its configuration; with `hit` the next
process that is forked is told to stop before it can do anything, and the file is gone. Standard output has what the
service manager would be told.
"""

import logging
import os
import signal
import sys
import time
from pathlib import Path

from auth.serving.line import Line
from auth.serving.supervisor import Supervisor
from schema.errors import Fault


def say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


class Manager:
    """Writes down what it is told."""

    def __init__(self, watched: float) -> None:
        self.watched = watched

    def ready(self, status: str) -> None:
        say(f"ready {status}")

    def kept(self, status: str) -> None:
        say(f"kept {status}")

    def reloading(self, monotonic: float) -> None:
        say("reloading")

    def stopping(self) -> None:
        say("stopping")

    def alive(self) -> None:
        say("alive")


def note(name: str, words: str = "") -> None:
    with Path(name).open("a") as file:
        file.write(words + "\n")


def work(number: int, line: Line) -> None:
    note(f"begun-{number}", Path("config").read_text() if Path("config").exists() else "")
    if Path(f"fails-{number}").exists():
        raise Fault("it cannot begin", remedy="none")
    while Path(f"waits-{number}").exists():
        time.sleep(0.02)
    told: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: told.append(number))
    signal.signal(signal.SIGHUP, lambda number, _: told.append(number))
    line.ready("")
    while signal.SIGTERM not in told:
        Path(f"seen-{number}").touch()
        time.sleep(0.05)
        if signal.SIGHUP in told:
            told.remove(signal.SIGHUP)  # and nothing else: it may be told to stop as well by now
            note(f"read-{number}")
            line.kept("") if Path(f"keeps-{number}").exists() else line.ready("")


def be_hit() -> None:
    """In a new process, before anything else."""
    if Path("hit").exists():
        Path("hit").unlink()
        os.kill(os.getpid(), signal.SIGTERM)


def seen(number: int) -> float:
    """A file's time is not of the monotonic clock, but as far from now."""
    try:
        return time.monotonic() - (time.time() - Path(f"seen-{number}").stat().st_mtime)
    except OSError:
        return 0.0


def examine():
    if Path("bad").exists():
        raise Fault("it is bad", remedy="mend it")
    before = Path("config").read_text() if Path("config").exists() else ""
    Path("config").write_text("new")

    def put_back() -> None:
        Path("config").write_text(before)
        note("put-back")

    return put_back


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    os.register_at_fork(after_in_child=be_hit)
    workers, watched, beginning = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    sys.exit(Supervisor(workers, work, examine, seen, Manager(watched), time.monotonic, beginning).run())
