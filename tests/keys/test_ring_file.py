"""The key ring's file: made once, for its owner alone, replaced whole, and read strictly."""

import json
import os
import stat
import threading
from datetime import UTC, datetime

import pytest

from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.keys import private_file
from auth.keys.ring import Key, Ring
from auth.keys.ring_file import RingFile, drawn
from schema.errors import Fault


@pytest.fixture
def place(tmp_path):
    return tmp_path / "keys.ring"


def new_key():
    return drawn(SYSTEM_CLOCK, SYSTEM_ENTROPY)


def test_a_ring_is_made_at_first_need_and_is_the_same_ever_after(place):
    first = RingFile(place).made(SYSTEM_CLOCK, SYSTEM_ENTROPY)
    assert RingFile(place).made(SYSTEM_CLOCK, SYSTEM_ENTROPY) == first == RingFile(place).ring()
    assert len(first.keys) == 1
    assert stat.S_IMODE(place.stat().st_mode) == 0o600


def test_a_ring_that_is_only_wanted_is_not_made(place):
    with pytest.raises(Fault, match="there is no key ring") as caught:
        RingFile(place).ring()
    assert "copy keys.ring" in caught.value.remedy
    assert not place.exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_ring_that_others_may_touch_is_refused_even_after_it_was_read(place, mode):
    file = RingFile(place)
    file.made(SYSTEM_CLOCK, SYSTEM_ENTROPY)
    place.chmod(mode)
    with pytest.raises(Fault, match="may be read by others") as caught:
        file.ring()
    assert f"chmod 600 {place}" in caught.value.remedy


def test_a_change_by_another_process_is_noticed(place):
    mine, other = RingFile(place), RingFile(place)
    first = mine.made(SYSTEM_CLOCK, SYSTEM_ENTROPY)
    key = new_key()
    other.change(lambda ring: ring.with_new(key))
    assert mine.ring() == Ring((*first.keys, key))
    assert mine.ring().current == key
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert [item.name for item in place.parent.iterdir()] == ["keys.ring"], "nothing else is left behind"


def test_no_key_is_lost_when_several_add_one_at_once(place):
    RingFile(place).made(SYSTEM_CLOCK, SYSTEM_ENTROPY)
    keys = [new_key() for _ in range(8)]

    def add(key):
        RingFile(place).change(lambda ring: ring.with_new(key))

    threads = [threading.Thread(target=add, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {key.id for key in keys} < {key.id for key in RingFile(place).ring().keys}


def test_several_that_make_it_at_once_get_the_same_ring(place):
    made = []

    def make():
        made.append(RingFile(place).made(SYSTEM_CLOCK, SYSTEM_ENTROPY).current.id)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 1


def stored(**changes):
    key = Key(b"k" * 32, datetime(2026, 11, 26, tzinfo=UTC))
    entry = {"id": key.id, "made_at": "2026-11-26T00:00:00Z", "key": "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="}
    return {"version": 1, "keys": [entry | changes]}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "form"),
        ("{", "form"),
        ("[]", "form"),
        (json.dumps({"version": 1, "keys": []}), "no key"),
        (json.dumps(stored() | {"version": 2}), "version 2"),
        (json.dumps(stored() | {"more": 1}), "form"),
        (json.dumps(stored(id="00000000")), "not the one that its id says"),
        (json.dumps(stored(key="AAAA")), "not the one that its id says"),
        (json.dumps(stored() | {"keys": stored()["keys"] * 2}), "twice"),
    ],
)
def test_what_is_no_ring_is_refused_with_what_is_wrong_and_without_a_key(place, content, problem):
    private_file.make(place, content.encode())
    with pytest.raises(Fault, match=problem) as caught:
        RingFile(place).ring()
    assert "a2tra2" not in str(caught.value)


def test_the_form_is_read_as_it_was_written_by_hand(place):
    private_file.make(place, json.dumps(stored()).encode())
    assert RingFile(place).ring().current.octets == b"k" * 32


def test_a_change_that_fails_leaves_the_ring_as_it_was(place):
    first = RingFile(place).made(SYSTEM_CLOCK, SYSTEM_ENTROPY)

    def fail(ring):
        raise Fault("no", remedy="no")

    with pytest.raises(Fault, match="no"):
        RingFile(place).change(fail)
    assert RingFile(place).ring() == first


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_ring_that_root_makes_belongs_to_the_owner_of_the_folder(tmp_path):
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    os.chown(folder, 4321, 1234)
    RingFile(folder / "keys.ring").made(SYSTEM_CLOCK, SYSTEM_ENTROPY)
    owner = (folder / "keys.ring").stat()
    assert (owner.st_uid, owner.st_gid) == (4321, 1234)


def test_the_current_key_cannot_be_taken_out():
    keys = tuple(new_key() for _ in range(3))
    ring = Ring(keys).without([key.id for key in keys])
    assert ring.keys == keys[2:]
    assert Ring(keys).without([keys[0].id]).keys == keys[1:]
