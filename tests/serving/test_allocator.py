"""Threads of the service share one heap."""

import re
import subprocess
import sys

import pytest

PROGRAM = """
import ctypes, sys, threading
if sys.argv[1] == "one":
    from auth.serving.allocator import keep_one_heap
    keep_one_heap()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
ready, end = threading.Barrier(5), threading.Event()

def work():
    libc.malloc(1000)
    ready.wait()
    end.wait()

for _ in range(4):
    threading.Thread(target=work).start()
ready.wait()
libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
libc.fflush(None)
end.set()
"""


@pytest.mark.parametrize(("heaps", "which"), [(5, "several"), (1, "one")])
def test_threads_have_one_heap_together(heaps, which):
    done = subprocess.run([sys.executable, "-c", PROGRAM, which], capture_output=True, text=True, check=True)
    assert len(re.findall("<heap nr=", done.stdout)) == heaps
