# ruff: noqa: INP001 - bench is a folder of programs, no package
"""Rounds of logons by PIN and code, or by another way, at one server: the load generator in C, and what comes of it."""

import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import token_holders
from machine import cpu_seconds, resident
from report import Spread, spread

from auth.clock import SYSTEM_CLOCK
from schema.errors import Fault

SERVER_CORE, LOAD_CORE, BOTH_CORES = (("taskset", "-c", cores) for cores in ("1", "0", "0,1"))
SOCKETS = 4
"""Of the load generator; requests in flight are shared out evenly among them."""
PACE = 1000
"""Logons a second of a round that leaves room."""
_STEP_SECONDS, _MARGIN_SECONDS = 30.0, 1.0
_MOST_IN_FLIGHT = 1024
_SOURCES = Path(__file__).resolve().parent / "logons"


class Load(msgspec.Struct, frozen=True):
    """What the load generator prints."""

    wall_s: float
    all_replies: int
    accept: int
    reject: int
    timeout: int
    bad: int
    ma_not_first: int
    leg_us: dict[str, float]


class Figures(msgspec.Struct, frozen=True):
    """What one case came to: see the table's head."""

    case: str
    per_second: Spread
    p50_ms: Spread
    p99_ms: Spread
    cpu_us: Spread
    memory_mb: float
    replies: int
    ours_times: float = 1.0


@dataclass
class Case:
    """A server, and what it is asked; `load_pin` binds the load generator to its cores."""

    name: str
    port: int
    process: int
    people: int
    kind: str
    expected: str = "accept"
    counter: int = 0
    load_pin: Sequence[str] = LOAD_CORE
    rounds: list[tuple[Load, float]] = field(default_factory=list)
    paced: list[Load] = field(default_factory=list)

    def load(self, seconds: float, in_flight: int, program: Path) -> None:
        """One round. Raises Fault for a reply of another kind, or one that is not proven."""
        had = cpu_seconds(self.process)
        self.rounds.append((self._loaded(seconds, ["-c", str(in_flight)], program), cpu_seconds(self.process) - had))

    def pace(self, seconds: float, program: Path) -> None:
        """One round of `PACE` logons a second, whose times count from when they were due. Raises Fault as `load`."""
        self.paced.append(self._loaded(seconds, ["-r", str(PACE)], program))

    def _loaded(self, seconds: float, how: list[str], program: Path) -> Load:
        if self.kind == "totp":
            _wait_within_a_step(seconds)
        users = self.write(program.with_name("users"))
        arguments = ["-p", str(self.port), "-s", token_holders.SECRET, "-u", str(users), *how]
        done = subprocess.run(
            [*self.load_pin, program, *arguments, "-S", str(SOCKETS), "-t", str(seconds), "-w", "0"],
            check=True,
            capture_output=True,
        )
        load = msgspec.json.decode(done.stdout, type=Load)
        other = load.all_replies - (load.accept if self.expected == "accept" else load.reject)
        # some have used one code less, which is within the window; those on their way at the end have used theirs too
        self.counter += -(-(load.all_replies + _MOST_IN_FLIGHT) // self.people)
        if other or load.bad or not load.all_replies:
            raise Fault(
                f"{self.name}: {other} answers of another kind, {load.bad} that are not proven",
                remedy="the figures would be of something else; see the server's log",
            )
        return load

    def write(self, file: Path) -> Path:
        """Who is to log on, in a file."""
        return token_holders.write_load(file, self.people, self.kind, self.counter)

    def figures(self) -> Figures:
        """All rounds together."""
        loads = [load for load, _ in self.rounds]
        return Figures(
            case=self.name,
            per_second=spread(load.all_replies / load.wall_s for load in loads),
            p50_ms=spread(load.leg_us["p50"] / 1e3 for load in loads),
            p99_ms=spread(load.leg_us["p99"] / 1e3 for load in loads),
            cpu_us=spread(cpu / load.all_replies * 1e6 for load, cpu in self.rounds),
            memory_mb=resident(self.process),
            replies=sum(load.all_replies for load in loads),
        )


def _wait_within_a_step(seconds: float) -> None:
    """Until so many seconds lie within a time step: at its end, codes on their way are of the last (RFC 6238 §5.2)."""
    left = _STEP_SECONDS - SYSTEM_CLOCK.now().timestamp() % _STEP_SECONDS
    if left < seconds + _MARGIN_SECONDS:
        time.sleep(left)


def compiled(folder: Path, name: str) -> Path:
    """One of the programs in C, in a folder."""
    program = folder / name
    subprocess.run(["cc", "-O3", "-pthread", "-o", program, _SOURCES / f"{name}.c"], check=True)
    return program
