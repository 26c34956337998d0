# ruff: noqa: INP001 - bench is a folder of programs, no package
"""What the figures were taken on, and how much processor time another process has had."""

import os
import platform
from pathlib import Path

import msgspec


class Machine(msgspec.Struct, frozen=True):
    """The machine.

    Attributes:
        cores: those that we may use.
        processor: its model, as the kernel names it.
        kernel: name and release.
        python: implementation and version.
        load_average: runnable processes over the last minute, before we began; near 0 on a machine of our own.
    """

    cores: int
    processor: str
    kernel: str
    python: str
    load_average: float

    def __str__(self) -> str:
        return (
            f"{self.cores} cores of {self.processor}, {self.kernel}, {self.python}, "
            f"load average before the start {self.load_average:.1f}"
        )


def this_machine() -> Machine:
    """The one that we run on."""
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        processor=_processor(),
        kernel=f"{platform.system()} {platform.release()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        load_average=os.getloadavg()[0],
    )


def cpu_seconds(process: int) -> float:
    """Processor time of a process and its children since their start, all threads, user and kernel (proc(5), stat)."""
    after_the_name = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    user, system = after_the_name[11:13]
    own = (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    return own + sum(cpu_seconds(child) for child in _children(process))


def resident(process: int) -> float:
    """Megabytes of memory that are a process's own share, and its children's (proc(5), smaps_rollup, Pss)."""
    return sum(
        (
            int(line.split()[1]) / 1024
            for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
            if line.startswith("Pss:")
        ),
        sum(resident(child) for child in _children(process)),
    )


def _children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
