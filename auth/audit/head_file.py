"""Reads the head while a writer may be at work."""

import os
from pathlib import Path

from auth.audit.head import OCTETS


def stable_octets(file: Path) -> bytes:
    """The head's octets, read without a lock: twice, until both are the same.

    Raises:
        OSError: the file cannot be read.
    """
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        octets = os.pread(descriptor, OCTETS + 1, 0)
        while octets != (again := os.pread(descriptor, OCTETS + 1, 0)):
            octets = again
        return octets
    finally:
        os.close(descriptor)
