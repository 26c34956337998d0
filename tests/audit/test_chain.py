"""Every line names the one before by its octets, and whatever happens to a writer, nothing that was told is lost."""

import asyncio
import errno
import resource
import subprocess
import sys
import threading
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from auth.audit import AuditUnavailable
from auth.audit.rows import NOTHING, hash_of, row_of, sealed_part, signed_part
from auth.audit.settings import SyncPolicy
from auth.audit.trail import CHECKPOINT_LINES, Export
from auth.audit.upkeep import keep_up
from auth.meanwhile import meanwhile

TODAY, TOMORROW = "20261126", "20261127"
TESTS = Path(__file__).parents[1]


def is_chained(lines):
    rows = [row_of(line) for line in lines]
    assert (rows[0].seq, rows[0].prev) == (1, NOTHING)
    return all(
        (later.seq, later.prev) == (earlier.seq + 1, hash_of(line))
        for (earlier, later), line in zip(pairwise(rows), lines, strict=False)
    )


@contextmanager
def writer(ledger, first, most):
    command = [sys.executable, str(TESTS / "audit/writer_process.py"), str(ledger.files.base.parent)]
    environment = {"PYTHONPATH": f"{TESTS.parent}:{TESTS}"}
    arguments = [*command, str(first), str(most)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


# the chain


def test_a_line_names_the_sha256_of_the_octets_before_it_as_any_tool_counts_it(ledger):
    ledger.write(3)
    file = ledger.files.segment(TODAY)
    for number, line in enumerate(ledger.lines()[1:], 1):
        shell = f"sed -n {number}p {file} | sha256sum"
        counted = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=True).stdout.split()[0]
        assert row_of(line).prev == counted


def test_every_line_is_sealed_and_a_checkpoint_signed(ledger):
    ledger.write(2)
    lines = ledger.lines()
    assert ledger.kinds() == ["header", "outcome", "outcome", "checkpoint"]
    assert all(ledger.key.has_sealed(*sealed_part(line)) for line in lines)
    octets, signature = signed_part(lines[-1])
    assert ledger.key.public.has_signed(octets, signature)
    assert not ledger.key.public.has_signed(octets[:-1] + b"x", signature)
    assert signed_part(lines[1]) == (b"", "")


def test_a_second_service_goes_on_where_the_first_has_ended(ledger):
    ledger.write(2)
    ledger.write(2)
    assert is_chained(ledger.lines())
    assert ledger.recorded() == [1, 2, 3, 4]


def test_a_new_day_begins_a_segment_that_names_the_one_before(ledger):
    with ledger.open() as trail:
        trail.write(ledger.line())
        ledger.later(hours=12)
        trail.write(ledger.line())
    assert ledger.kinds(TODAY) == ["header", "outcome", "checkpoint"]
    assert ledger.kinds(TOMORROW)[0] == "header"
    assert [header.get("before") for header in ledger.bodies("header")] == [None, f"audit-{TODAY}.jsonl"]
    assert is_chained(ledger.lines())


def test_a_clock_that_is_set_back_opens_no_older_segment(ledger):
    with ledger.open() as trail:
        trail.write(ledger.line())
        ledger.later(hours=-13)
        trail.write(ledger.line())
    assert ledger.files.days() == [TODAY]
    assert is_chained(ledger.lines())


def test_no_more_lines_than_promised_stand_between_two_checkpoints(ledger):
    ledger.write(CHECKPOINT_LINES + 1)
    places = [place for place, kind in enumerate(ledger.kinds()) if kind == "checkpoint"]
    assert places == [CHECKPOINT_LINES, CHECKPOINT_LINES + 3]


def test_what_waits_for_a_signature_for_a_minute_gets_it_and_silence_is_not_signed(ledger):
    with ledger.open() as trail:
        trail.write(ledger.line())
        ledger.later(seconds=59)
        trail.tick()
        assert "checkpoint" not in ledger.kinds()
        ledger.later(seconds=2)
        trail.tick()
        assert ledger.kinds() == ["header", "outcome", "checkpoint"]
        ledger.later(minutes=10)
        trail.tick()
    assert ledger.kinds() == ["header", "outcome", "checkpoint"]


def test_what_waits_for_a_signature_gets_it_too_when_the_clock_is_set_back(ledger):
    with ledger.open() as trail:
        trail.write(ledger.line())
        ledger.later(hours=-1)
        trail.tick()
        assert ledger.kinds() == ["header", "outcome", "checkpoint"]


def test_what_was_not_exported_is_recorded(ledger):
    heard, dropped = [], [0, 3, 0, 0]
    export = Export(heard.append, lambda: dropped.pop(0))
    with ledger.open(export=export) as trail:
        trail.write(ledger.line())
        for _ in range(3):
            trail.tick()
    assert [body["lines"] for body in ledger.bodies("dropped")] == [3]
    assert heard == [ledger.lines()[1], ledger.lines()[-1]], "outcomes and checkpoints, and nothing else"


def test_at_the_end_what_is_there_is_signed_and_exported_and_what_was_not_is_recorded(ledger):
    heard, dropped = [], [2]
    with ledger.open(export=Export(heard.append, dropped.pop, lambda: heard.append(b"closed"))) as trail:
        trail.write(ledger.line())
    assert ledger.kinds() == ["header", "outcome", "checkpoint", "dropped", "checkpoint"]
    assert heard == [*ledger.lines()[1:3], b"closed"]


def test_what_was_not_exported_is_recorded_later_when_it_could_not_be_now(ledger):
    dropped = [3, 2, 0, 0]
    with ledger.open(export=Export(dropped=lambda: dropped.pop(0))) as trail:
        ledger.files.segment(TODAY).symlink_to("/dev/full")
        with pytest.raises(AuditUnavailable, match="No space left on device"):
            trail.tick()
        ledger.files.segment(TODAY).unlink()
        trail.tick()
        trail.tick()
    assert [body["lines"] for body in ledger.bodies("dropped")] == [5]


def test_what_the_disk_would_not_take_is_brought_to_it_again(ledger, monkeypatch):
    synced, failures = [], [OSError(errno.EIO, "Input/output error")]

    def fdatasync(file):
        if failures:
            raise failures.pop()
        synced.append(file)

    monkeypatch.setattr("auth.audit.chain.os.fdatasync", fdatasync)
    with ledger.open() as trail:
        trail.write(ledger.line())
        with pytest.raises(AuditUnavailable, match="Input/output error"):
            trail.sync()
        trail.sync()
        assert len(synced) == 2, "the segment and the head"


# what came before, and what goes


def test_a_file_from_before_there_were_segments_is_named_with_its_hash_and_left_where_it_is(ledger):
    old = b'{"at":"2026-11-25T12:00:00Z","correlation":"00000000000000ff","outcome":"refused","reason":"code-wrong",'
    old += b'"door":"http","node":"vpn","address":"192.0.2.7"}\n'
    ledger.files.base.write_bytes(old)
    ledger.write()
    [header] = ledger.bodies("header")
    assert header["takes_over"] == {"file": "audit.jsonl", "octets": len(old), "sha256": hash_of(old)}
    assert ledger.files.base.read_bytes() == old
    assert ledger.recorded() == [255, 1]


def test_segments_that_are_too_old_are_recorded_and_deleted(ledger):
    ledger.write_days(5)
    with ledger.open(days=2) as trail:
        for _ in range(2):
            trail.tick()
            asyncio.run(trail.retire())
    assert ledger.files.days() == ["20261128", "20261129", "20261130"]
    [retired] = ledger.bodies("retired")
    first = row_of(ledger.lines()[0])
    assert retired["segments"] == [f"audit-{TODAY}.jsonl", f"audit-{TOMORROW}.jsonl"]
    assert retired["first"] == first.seq > 1


def test_a_clock_that_has_jumped_ahead_has_nothing_deleted_before_the_next_day(ledger):
    """Nor has a service that was away for longer than lines are kept; what was deleted by a wrong clock is gone."""
    ledger.write()
    ledger.later(days=4_000)
    with ledger.open(days=30) as trail:
        trail.tick()
        asyncio.run(trail.retire())
        assert TODAY in ledger.files.days()
        ledger.later(days=1)
        trail.tick()
        asyncio.run(trail.retire())
    assert TODAY not in ledger.files.days()


@pytest.mark.parametrize("slow", ["iterdir", "unlink"])
def test_outcomes_are_recorded_while_a_slow_disk_looks_for_old_segments_or_deletes_them(ledger, monkeypatch, slow):
    ledger.write_days(5)
    asked, written, at_once = threading.Event(), threading.Event(), getattr(Path, slow)

    def slowly(file, *values, **named):
        asked.set()
        assert written.wait(2), "the loop waits for the disk"
        return at_once(file, *values, **named)

    async def serve(trail):
        async with meanwhile(keep_up(trail, SyncPolicy.SYSTEM)):
            await asyncio.to_thread(asked.wait, 2)
            trail.write(ledger.line())
            written.set()
            while len(ledger.files.days()) > 3:
                await asyncio.sleep(0.01)

    monkeypatch.setattr("auth.audit.upkeep._PAUSE_SECONDS", 0.01)
    with ledger.open(days=2) as trail:
        monkeypatch.setattr(Path, slow, slowly)
        asyncio.run(asyncio.wait_for(serve(trail), 5))
    assert ledger.recorded()[-1] == 6


def test_a_segment_is_deleted_when_the_disk_has_what_says_so_and_not_before(ledger, monkeypatch):
    ledger.write_days(5)
    done = []
    monkeypatch.setattr("auth.audit.chain.os.fdatasync", lambda _: done.append(len(ledger.bodies("retired"))))
    monkeypatch.setattr(Path, "unlink", lambda file, **_: done.append(file.name))
    with ledger.open(days=2) as trail:
        trail.tick()
        asyncio.run(trail.retire())
        assert done == [1, 1, f"audit-{TODAY}.jsonl", f"audit-{TOMORROW}.jsonl"]


def test_what_could_not_be_deleted_is_the_next_time_and_is_recorded_once(ledger, monkeypatch):
    ledger.write_days(5)
    with ledger.open(days=2) as trail:
        trail.tick()
        with monkeypatch.context() as held:
            held.setattr(Path, "unlink", refused)
            for _ in range(2):
                with pytest.raises(AuditUnavailable, match=f"audit-{TODAY}.jsonl: Read-only file system"):
                    asyncio.run(trail.retire())
        assert TODAY in ledger.files.days()
        asyncio.run(trail.retire())
    assert ledger.files.days() == ["20261128", "20261129", "20261130"]
    assert len(ledger.bodies("retired")) == 1


def refused(file, **_):
    raise OSError(errno.EROFS, "Read-only file system", str(file))


# crashes and full disks


@pytest.mark.parametrize("kept", [1, 40, -1])
def test_a_torn_line_is_closed_and_recorded_and_nothing_before_it_is_lost(ledger, kept):
    ledger.write(2)
    torn = ledger.lines()[1][:kept]
    with ledger.files.segment(TODAY).open("ab") as segment:
        segment.write(torn)
    ledger.write()
    before, after = ["header", "outcome", "outcome", "checkpoint"], ["torn", "outcome", "checkpoint"]
    assert ledger.kinds() == [*before, None if kept > 0 else "outcome", *after]
    assert ledger.recorded()[:2] == [1, 2]
    assert ledger.recorded()[-1] == 3
    [recorded] = ledger.bodies("torn")
    assert (recorded["octets"], recorded["sha256"]) == (len(torn) + 1, hash_of(torn + b"\n"))


def test_a_line_of_which_only_the_head_or_the_newline_is_missing_is_taken_in(ledger):
    ledger.write(2)
    head = ledger.files.head.read_bytes()
    ledger.write()
    lines = ledger.lines()
    ledger.files.head.write_bytes(head)
    ledger.files.segment(TODAY).write_bytes(b"".join(lines)[:-1])
    ledger.write()
    assert ledger.lines()[: len(lines)] == lines
    assert is_chained(ledger.lines())
    assert not ledger.bodies("torn")


def test_lines_that_somebody_else_has_put_behind_the_last_one_are_never_taken_for_ours(ledger):
    ledger.write(2)
    lines = ledger.lines()
    forged = (
        lines[1].replace(b'"seq":2', b'"seq":5').replace(row_of(lines[1]).prev.encode(), hash_of(lines[-1]).encode())
    )
    with ledger.files.segment(TODAY).open("ab") as segment:
        segment.write(forged + lines[2])
    ledger.write()
    assert [notice["what"] for notice in ledger.bodies("notice")] == ["foreign"]
    assert row_of(ledger.lines()[6]).prev == hash_of(lines[-1])


@pytest.mark.parametrize("lost", ["head", "key"])
def test_a_head_that_is_missing_or_sealed_by_another_key_is_made_anew_and_that_is_recorded(ledger, lost):
    ledger.write(2)
    if lost == "head":
        ledger.files.head.unlink()
    else:
        ledger.key = type(ledger.key)(bytes(32))
    ledger.write()
    assert is_chained(ledger.lines())
    assert [notice["what"] for notice in ledger.bodies("notice")] == ["head-missing"]


def test_a_segment_that_is_removed_under_the_writer_s_hands_is_noticed_at_the_next_line(ledger):
    with ledger.open() as trail:
        trail.write(ledger.line())
        ledger.files.segment(TODAY).unlink()
        trail.write(ledger.line())
    assert [notice["what"] for notice in ledger.bodies("notice")] == ["shorter"]
    assert ledger.recorded() == [2]


def test_on_a_full_disk_nothing_is_half_written_and_when_there_is_room_it_goes_on(ledger):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with ledger.open() as trail:
        trail.write(ledger.line())
        before = ledger.lines()
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(b"".join(before)) + 100, hard))
        try:
            for _ in range(3):
                with pytest.raises(AuditUnavailable, match=r"audit-20261126\.jsonl"):
                    trail.write(ledger.line())
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert ledger.lines() == before
        trail.write(ledger.line())
    assert is_chained(ledger.lines())
    assert ledger.recorded() == [1, 5]


def test_a_disk_that_is_full_when_the_day_begins_keeps_nobody_out_longer_than_it_is(ledger):
    full = ledger.files.segment(TODAY)
    full.symlink_to("/dev/full")
    with ledger.open() as trail:
        with pytest.raises(AuditUnavailable, match="No space left on device"):
            trail.write(ledger.line())
        full.unlink()
        trail.write(ledger.line())
    assert is_chained(ledger.lines())


@pytest.mark.parametrize("lines", [0, 1])
def test_a_first_start_that_broke_off_before_there_was_a_head_is_no_loss(ledger, lines):
    """A full disk, or a kill, at the header of the very first segment: nothing was told yet."""
    ledger.write()
    first = ledger.lines()[:lines]
    ledger.files.head.write_bytes(b"")
    ledger.files.segment(TODAY).write_bytes(b"".join(first))
    ledger.write()
    assert ledger.kinds() == ["header", "outcome", "checkpoint"]
    assert is_chained(ledger.lines())


def test_whoever_is_killed_loses_nothing_that_was_told(ledger):
    told = 0
    for _ in range(5):
        with writer(ledger, told, 10_000) as process:
            while told % 100 < 50:
                told = int(process.stdout.readline())
            process.kill()
            told = max([told, *map(int, process.stdout.read().split())])
        recorded = ledger.recorded()
        assert recorded[:told] == list(range(1, told + 1))
        assert len(recorded) <= told + 1, "one may have been written and not told"
        told = recorded[-1]
    ledger.write()
    assert is_chained(ledger.lines())


def test_several_processes_write_one_chain(ledger):
    with writer(ledger, 0, 300) as one, writer(ledger, 1000, 300) as two:
        for process in (one, two):
            assert process.stdout.read().split()[-1] in {"300", "1300"}
    assert is_chained(ledger.lines())
    assert sorted(ledger.recorded()) == [*range(1, 301), *range(1001, 1301)]
