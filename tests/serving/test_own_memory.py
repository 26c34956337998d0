"""The memory of a process that has secrets is shown to nobody, not even when it crashes."""

import subprocess
import sys

PROGRAM = """
import ctypes, os, resource
from auth.serving.own_memory import keep_to_ourselves

resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
{before}
def told():
    print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), resource.getrlimit(resource.RLIMIT_CORE) == (0, 0), flush=True)
told()
if os.fork() == 0:
    told()
    os._exit(0)
os.wait()
"""


def told(before: str) -> list[str]:
    """Whether a process may be dumped (PR_GET_DUMPABLE), and whether it has no core; then the same of what it forks."""
    program = [sys.executable, "-c", PROGRAM.format(before=before)]
    return subprocess.run(program, capture_output=True, text=True, check=True).stdout.split()


def test_it_has_no_core_and_no_debugger_and_neither_has_what_it_forks():
    assert told("keep_to_ourselves()") == ["0", "True"] * 2


def test_otherwise_it_may_be_dumped():
    """That the test above can fail."""
    assert told("")[::2] == ["1", "1"]
