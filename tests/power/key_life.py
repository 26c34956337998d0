"""A life of keys, for a program that watches what it writes: each file is made, or found just made, and told of.

Args:
    the folder, and the file for what was told.
"""

import os
import sys
from pathlib import Path

from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.keys.ring_file import RingFile
from auth.server_key import server_key

RINGS = ("first.ring", "found.ring")
KEYS = ("first.key", "found.key")


def leave(folder: Path, name: str, made: Path) -> None:
    """The file as a process leaves it that ended in the middle of making it: no sync of the folder."""
    beside = folder / f".{name}"
    beside.touch(0o600)
    with beside.open("ab", buffering=0) as opened:
        opened.write(made.read_bytes())
        os.fsync(opened.fileno())
    os.link(beside, folder / name)
    os.unlink(beside)  # noqa: PTH108 - it stands beside link(2)


def main() -> None:
    """It just ends."""
    folder, told = Path(sys.argv[1]), os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT)
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    for name in RINGS:
        if name == "found.ring":
            RingFile(elsewhere / name).made(SYSTEM_CLOCK, SYSTEM_ENTROPY)
            leave(folder, name, elsewhere / name)
        key = RingFile(folder / name).made(SYSTEM_CLOCK, SYSTEM_ENTROPY).current.octets
        os.write(told, f"{name} {key.hex()}\n".encode())
    for name in KEYS:
        if name == "found.key":
            server_key(elsewhere / name, SYSTEM_ENTROPY)
            leave(folder, name, elsewhere / name)
        os.write(told, f"{name} {server_key(folder / name, SYSTEM_ENTROPY).hex()}\n".encode())
    os._exit(0)


if __name__ == "__main__":
    main()
