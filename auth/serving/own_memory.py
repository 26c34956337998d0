"""The memory of the process has passwords and codes in it: it goes to no disk, and nobody but root may look into it."""

import ctypes
import os
import resource
from typing import Final

from schema.errors import Fault

_PR_SET_DUMPABLE: Final = 4


def keep_to_ourselves() -> None:
    """For this process and whatever it forks: no core, no debugger of the same user, /proc/PID/mem for root alone.

    The limit alone would not do: the kernel does not hold a program to it that cores are piped to (core(5)).

    Raises:
        Fault: the kernel does not take it (prctl(2), PR_SET_DUMPABLE).
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0):
        raise Fault(
            f"the memory of the process cannot be kept to itself: {os.strerror(ctypes.get_errno())}",
            remedy="let the service call prctl(2)",
        )
