"""The power goes: a key that anything was sealed with is there, and it is the same one."""

import random

import pytest

from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.keys.ring_file import RingFile
from auth.server_key import server_key
from power.disk import Disk
from power.key_life import KEYS, RINGS
from power.watched import watched

pytestmark = pytest.mark.servers  # strace comes with them
CUTS_OF_EACH = 12


@pytest.fixture(scope="module")
def life(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    return folder, list(watched(["-m", "power.key_life", folder, folder / "told"], folder, folder / "strace.log"))


def test_a_key_that_was_told_is_the_one_that_is_there_after_it(life, tmp_path):
    folder, steps = life
    dice = random.Random(20261127)
    disk, told = Disk(), {}
    for at, step in enumerate(steps):
        disk.take(step)
        if step.call.path == folder / "told" and step.call.octets:
            name, key = step.call.octets.decode().split()
            told[name] = bytes.fromhex(key)
        for cut in range(CUTS_OF_EACH):
            place = tmp_path / f"{at}-{cut}"
            place.mkdir()
            for path, content in disk.after_a_cut(dice).items():
                (place / path.name).write_bytes(content)
                (place / path.name).chmod(0o600)
            found = {name: RingFile(place / name).made(SYSTEM_CLOCK, SYSTEM_ENTROPY).current.octets for name in RINGS}
            found |= {name: server_key(place / name, SYSTEM_ENTROPY) for name in KEYS}
            assert [name for name, key in told.items() if found[name] != key] == [], "another one was drawn"
    assert set(told) == {*RINGS, *KEYS}
