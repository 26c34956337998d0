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
    """Processor time of a process since its start, all its threads, in user and kernel mode (proc(5), stat)."""
    after_the_name = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    user, system = after_the_name[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
