"""The server's own key: one for good, nobody else's, and a file that is not one is said so."""

import os
import stat
import threading

import pytest

from auth.clock import SYSTEM_ENTROPY, Entropy
from auth.server_key import server_key
from schema.errors import Fault

KEY = bytes(range(32))
FIXED = Entropy(octets=lambda number: KEY[:number], below=lambda number: 0)


def test_the_key_is_drawn_once_and_read_ever_after(tmp_path):
    file = tmp_path / "server.key"
    first = server_key(file, SYSTEM_ENTROPY)
    assert len(first) == 32
    assert server_key(file, SYSTEM_ENTROPY) == first
    assert server_key(tmp_path / "other.key", SYSTEM_ENTROPY) != first


def test_the_file_holds_what_entropy_gave_and_is_for_its_owner_alone_whatever_the_umask(tmp_path):
    file = tmp_path / "server.key"
    umask = os.umask(0)
    try:
        assert server_key(file, FIXED) == KEY
    finally:
        os.umask(umask)
    assert file.read_bytes() == KEY
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [item.name for item in tmp_path.iterdir()] == ["server.key"], "nothing else is left behind"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o666])
def test_a_key_that_others_may_touch_is_refused_with_the_command_that_mends_it(tmp_path, mode):
    file = tmp_path / "server.key"
    server_key(file, FIXED)
    file.chmod(mode)
    with pytest.raises(Fault, match="may be read by others") as caught:
        server_key(file, FIXED)
    assert caught.value.remedy == f"run chmod 600 {file}"
    assert repr(KEY)[2:-1] not in str(caught.value)


@pytest.mark.parametrize("content", [b"", KEY[:31], KEY + b"\n", KEY.hex().encode()])
def test_a_file_that_is_no_key_is_refused_and_kept(tmp_path, content):
    file = tmp_path / "server.key"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(Fault, match="does not hold a key"):
        server_key(file, FIXED)
    assert file.read_bytes() == content


def test_a_folder_that_is_not_there_or_a_folder_in_place_of_the_file_is_a_fault(tmp_path):
    with pytest.raises(Fault, match="cannot be made: No such file or directory"):
        server_key(tmp_path / "missing" / "server.key", FIXED)
    folder = tmp_path / "server.key"
    folder.mkdir(mode=0o700)
    with pytest.raises(Fault, match="cannot be read: Is a directory"):
        server_key(folder, FIXED)


def test_a_link_that_leads_nowhere_is_a_fault_and_makes_no_key_elsewhere(tmp_path):
    (tmp_path / "server.key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Fault, match="cannot be read: No such file or directory"):
        server_key(tmp_path / "server.key", FIXED)
    assert not (tmp_path / "elsewhere").exists()


def test_a_full_disk_leaves_no_file_so_that_the_next_start_can_make_one(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(Fault, match="No space left on device"):
            server_key(tmp_path / "server.key", FIXED)
    assert list(tmp_path.iterdir()) == []
    assert server_key(tmp_path / "server.key", FIXED) == KEY


def test_all_who_find_no_file_together_get_the_one_key(tmp_path):
    barrier = threading.Barrier(16)
    keys = []

    def octets(number):
        barrier.wait()  # everyone has seen that there is no file
        return SYSTEM_ENTROPY.octets(number)

    def run():
        keys.append(server_key(tmp_path / "server.key", Entropy(octets, SYSTEM_ENTROPY.below)))

    threads = [threading.Thread(target=run) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 16
    assert set(keys) == {(tmp_path / "server.key").read_bytes()}
