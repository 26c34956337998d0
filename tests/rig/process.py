"""Starts a server as a child of the test run, and ends it with the run, however the run ends."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

# What Debian's own tools expect. Nothing of a virtual environment: Samba's run on the system's Python.
SYSTEM_ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/nonexistent",  # no settings of the person who runs the tests
    "LANG": "C.UTF-8",
}

# Waits for a line; when the pipe ends without one, the test run is dead and its server must not outlive it.
# The kernel's parent-death signal would not do: it is forgotten when a server changes its user, as Postfix does.
WATCHDOG = 'read -r _ || kill -s KILL -- "-$1"'

# Small against the 20 to 400 ms that servers take to start, large against the cost of asking.
POLL_SECONDS = 0.005

NO_RIGHTS = ("setpriv", "--bounding-set", "-all", "--inh-caps", "-all", "--") if os.geteuid() == 0 else ()
"""Before a command: it may do no more than any other user, even where root runs the tests."""

Found = TypeVar("Found")


class ServerFailure(Exception):
    """A server, or a tool of one, did not do what the rig asked of it."""


def wait_for(attempt: Callable[[], Found | None], timeout: float, failure: Callable[[], str]) -> Found:
    """Returns what `attempt` finds as soon as it finds something.

    Args:
        attempt: called again and again until it returns something else than None; must not block for long.
        timeout: seconds to wait at most.
        failure: what to report when the time is over; called then, so that it can quote a log.

    Raises:
        ServerFailure: nothing was found in time.
    """
    deadline = time.monotonic() + timeout
    while (found := attempt()) is None:
        if time.monotonic() > deadline:
            raise ServerFailure(failure())
        time.sleep(POLL_SECONDS)
    return found


def wait_until(condition: Callable[[], bool], timeout: float, failure: Callable[[], str]) -> None:
    """Returns as soon as `condition` holds; otherwise as `wait_for`."""
    wait_for(lambda: condition() or None, timeout, failure)


def run(command: Sequence[str], *, text: str = "", environment: Mapping[str, str] | None = None) -> str:
    """Runs a tool to its end in the system's environment and returns what it printed.

    Raises:
        ServerFailure: it ended with an error; the message carries all that it printed.
    """
    done = subprocess.run(
        command,
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=SYSTEM_ENVIRONMENT | dict(environment or {}),
        text=True,
        check=False,
    )
    if done.returncode:
        raise ServerFailure(f"{command[0]} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def copy_tree(source: Path, target: Path) -> None:
    """Copies a directory with extended attributes and holes, in place of what is at `target`.

    Samba needs the attributes (security.NTACL); the databases of Samba and slapd are mostly holes.
    """
    run(["rm", "-rf", str(target)])
    run(["cp", "-a", "--sparse=always", "--reflink=auto", str(source), str(target)])


def members(group: int) -> list[int]:
    """The living processes of a process group; those that only wait to be reaped do not count."""
    members = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _parent, its_group = stat.read_text().rpartition(")")[2].split()[:3]
        except OSError:  # it ended while we looked
            continue
        if int(its_group) == group and state != "Z":
            members.append(int(stat.parent.name))
    return members


class Process:
    """One server: a process group of its own, logging to a file, that dies with the test run.

    Args:
        command: program and arguments; it must stay in the foreground.
        log: file that takes its output, appended to over restarts.
        environment: variables on top of the system's.
    """

    def __init__(self, command: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.command = command
        self.log = log
        self.environment = SYSTEM_ENVIRONMENT | dict(environment or {})
        self._server: subprocess.Popen[bytes] | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._server is not None and self._server.poll() is None

    @property
    def group(self) -> int | None:
        """The id of its process group, which is that of its first process; None before the start."""
        return None if self._server is None else self._server.pid

    def start(self, ready: Callable[[], bool], *, timeout: float = 20.0) -> None:
        """Starts the server and returns when it is ready.

        Args:
            ready: whether it serves already; OSError counts as "not yet".
            timeout: seconds that it may take.

        Raises:
            ServerFailure: it ended, or was not ready in time; the message quotes its log.
        """
        with self.log.open("ab") as log:
            self._server = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.environment,
                start_new_session=True,
            )
        self._watchdog = subprocess.Popen(
            ["sh", "-c", WATCHDOG, "watchdog", str(self._server.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

        def ended_or_ready() -> bool:
            try:
                return not self.running or ready()
            except OSError:
                return False

        wait_until(ended_or_ready, timeout, lambda: f"{self.command[0]} is not ready\n{self.log_tail()}")
        if not self.running:
            raise ServerFailure(f"{self.command[0]} ended as it started\n{self.log_tail()}")

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the server's whole group, e.g. SIGSTOP to make it hang."""
        if self._server is not None and members(self._server.pid):
            os.killpg(self._server.pid, number)

    def stop(self, *, grace: float = 10.0) -> None:
        """Asks the server to end and returns when its whole group is gone; SIGKILL after `grace` seconds."""
        if self._server is None:
            return
        self._server.terminate()
        deadline = time.monotonic() + grace
        while members(self._server.pid) and time.monotonic() < deadline:
            self._server.poll()
            time.sleep(POLL_SECONDS)
        self.kill()

    def kill(self) -> None:
        """Ends the server's whole group at once, as a power cut would."""
        if self._server is None:
            return
        group = self._server.pid
        self.signal(signal.SIGKILL)
        self._server.wait()
        wait_until(lambda: not members(group), 10.0, lambda: f"{self.command[0]} cannot be killed")
        if self._watchdog is not None:
            self._watchdog.communicate(b"\n")
        self._server = self._watchdog = None

    def log_tail(self) -> str:
        """The end of the log, to be quoted in a failure."""
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""
