"""Threads of the service share one heap, and what is free in the middle of it goes back to the system."""

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


HOLES = """
import ctypes, re
from auth.serving.allocator import give_back_what_is_free, keep_one_heap

keep_one_heap()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
blocks = [libc.malloc(100_000) for _ in range(200)]
for block in blocks:
    ctypes.memset(block, 1, 100_000)
stays = libc.malloc(100_000)  # behind all of them: the heap's end is not free

def resident():
    return int(re.search(r"^VmRSS:\\s+(\\d+)", open("/proc/self/status").read(), re.MULTILINE)[1])

for block in blocks:
    libc.free(ctypes.c_void_p(block))
before = resident()
give_back_what_is_free()
print(before - resident())
"""


def test_what_is_free_in_the_middle_of_the_heap_goes_back():
    done = subprocess.run([sys.executable, "-c", HOLES], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 15_000, "kilobytes"
