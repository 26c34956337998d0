"""What workers say of themselves, in memory that all have: whole or not at all, and to every process."""

import os
import struct
import zlib

from hypothesis import given
from hypothesis import strategies as st

from auth.metrics.catalogue import Metric
from auth.metrics.reading import Reading, Spread
from auth.serving.board import Board
from auth.serving.manager import ServiceManager
from auth.serving.worker import Posted, Worker, counted
from dirsync.scheduler import SyncStatus

OCTETS = 1 << 12


def worker(board: Board, number: int) -> Worker:
    return Worker(number, 2, {}, board, ServiceManager({}, 1), lambda _: None)


def reading(lines: int = 1) -> Reading:
    found = Reading({}, {})
    found.put(Metric.SYNC_HELD, True, "directory")  # as they are put who tell yes or no
    for line in range(lines):
        found.put(Metric.LOGONS, 3, "radius", "refused", f"reason-{line}")
    found.spreads[Metric.LOGON_SECONDS] = {("radius", "refused"): Spread()}
    return found


@given(st.lists(st.tuples(st.integers(0, 2), st.binary(min_size=1, max_size=200)), max_size=20))
def test_the_last_message_of_each_place_is_read_and_no_other(posted):
    board, last = Board(3, OCTETS), {}
    for place, message in posted:
        assert board.post(place, message)
        last[place] = message
    assert [board.posted(place) for place in range(3)] == [last.get(place, b"") for place in range(3)]


def test_what_does_not_fit_leaves_what_was_there():
    board = Board(2, OCTETS)
    board.post(0, b"x" * (OCTETS - 8))
    board.post(1, b"other")
    assert not board.post(0, b"y" * (OCTETS - 7))
    assert board.posted(0) == b"x" * (OCTETS - 8)
    assert board.posted(1) == b"other"


@given(st.binary(min_size=2, max_size=100), st.data())
def test_a_message_that_is_only_half_there_is_none(message, data):
    board = Board(1, OCTETS)
    board.post(0, message)
    place = data.draw(st.integers(0, len(message) - 1))
    board._memory[8 + place] ^= 0xFF
    assert board.posted(0) == b""
    board._memory[:8] = struct.pack("=II", OCTETS * 9, zlib.crc32(message))
    assert board.posted(0) == b"", "whatever length it says it has"


def test_another_process_reads_it_and_it_outlives_who_wrote_it():
    board = Board(2, OCTETS)
    child = os.fork()
    if child == 0:
        board.post(1, b"from the child")
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert board.posted(1) == b"from the child"


def test_a_worker_hears_what_the_others_say_and_not_itself():
    board = Board(2)
    said = Posted(1.5, reading(), {"": SyncStatus(runs=4)}, {"": 2})
    worker(board, 0).say(said)
    assert worker(board, 1).said(0) == said
    assert list(worker(board, 1).others()) == [said]
    assert list(worker(board, 0).others()) == []


def test_figures_that_do_not_fit_are_left_out_and_the_worker_is_still_seen_to_live():
    board = Board(2, OCTETS)
    worker(board, 0).say(Posted(7.0, reading(lines=500), {"": SyncStatus(runs=4)}, {}))
    said = worker(board, 1).said(0)
    assert (said.at, said.reading.numbers, said.syncs[""].runs) == (7.0, {}, 4)


def test_a_worker_goes_on_from_what_the_one_before_it_has_counted_and_not_from_how_it_was():
    kept = counted(reading())
    assert set(kept.numbers) == {Metric.LOGONS}
    assert set(kept.spreads) == {Metric.LOGON_SECONDS}
