"""Whatever is done to a log, at whatever line, the proof names what it was and where; to a log left alone, nothing."""

import asyncio
import random
from dataclasses import dataclass

import pytest

from audit.ledger import NOON, Ledger
from auth.audit.keys import AuditKey
from auth.audit.proof.lines import Keys
from auth.audit.proof.tampering import Tampering
from auth.audit.proof.verify import verify
from auth.audit.rows import Kind, hash_of, line_of, row_of
from auth.audit.trail import CHECKPOINT_LINES

HEADERS = {"header"}


@dataclass
class Log:
    """A log of some days, and ways to put other lines in its place."""

    ledger: Ledger
    keys: Keys
    rows: list  # of (day, line)
    head: bytes

    def put(self, rows, head=None):
        """Write these lines and prove them."""
        files = self.ledger.files
        for day in files.days():
            files.segment(day).unlink()
        for day in sorted({day for day, _ in rows}):
            files.segment(day).write_bytes(b"".join(line for each, line in rows if each == day))
        files.head.write_bytes(self.head if head is None else head)
        return self.proved()

    def proved(self, **arguments):
        return verify(self.ledger.files, self.keys, lambda lines, _: lines, **arguments)

    def place(self, rows, number):
        """File and line of the row with this number in the list."""
        day = rows[number][0]
        return self.ledger.files.segment(day).name, 1 + sum(each == day for each, _ in rows[:number])

    def is_header(self, number):
        return row_of(self.rows[number][1]).kind == "header"

    def forged(self, before, seq=None, body=b'{"at":"2026-11-26T12:00:00Z","outcome":"accepted"}', kind=Kind.OUTCOME):
        """A line that fits behind another, by somebody who does not have the key."""
        row = row_of(before)
        return line_of(seq or row.seq + 1, hash_of(before), kind, body, AuditKey(bytes(32)).seal)


@pytest.fixture(params=["own key", "public key"])
def log(request, tmp_path):
    ledger = Ledger(tmp_path)
    draw = random.Random(request.param)
    for sessions in (1, 1, 2):
        for _ in range(sessions):
            ledger.write(draw.randint(1, 2))
        ledger.later(days=1)
    rows = [(day, line) for day in ledger.files.days() for line in ledger.lines(day)]
    keys = Keys(ledger.key.public, ledger.key if request.param == "own key" else None)
    return Log(ledger, keys, rows, ledger.files.head.read_bytes())


def named(verdict):
    found = verdict.found
    return (found.what, (found.file, found.line)) if found else None


# a log that was left alone


def test_nothing_is_found_in_a_log_that_was_left_alone(log):
    verdict = log.put(log.rows)
    assert verdict.found is None
    assert (verdict.lines, verdict.first, verdict.last, verdict.signed) == (len(log.rows), 1, *[len(log.rows)] * 2)


def test_nothing_is_found_in_a_log_that_a_crash_has_torn(log):
    log.put(log.rows)
    file = log.ledger.files.segment(log.rows[-1][0])
    with file.open("ab") as segment:
        segment.write(log.rows[1][1][:50])
    assert log.proved().found is None, "before the next start"
    log.ledger.later(days=-1)
    log.ledger.write(2)
    verdict = log.proved()
    assert (verdict.found, verdict.torn) == (None, 1)


def test_what_a_crash_has_torn_is_proved_as_well(log):
    day = log.rows[-1][0]
    log.put([*log.rows, (day, log.rows[1][1][:50])])
    log.ledger.later(days=-1)
    log.ledger.write(1)
    log.head = log.ledger.files.head.read_bytes()
    rows = [(each, line) for each in log.ledger.files.days() for line in log.ledger.lines(each)]
    torn = len(log.rows)
    assert log.put(rows).found is None
    changed = [*rows[:torn], (day, rows[torn][1].replace(b"seq", b"qes")), *rows[torn + 1 :]]
    assert named(log.put(changed)) == (Tampering.INSERTED, log.place(changed, torn))
    without = [*rows[:torn], *rows[torn + 1 :]]
    assert named(log.put(without)) == (Tampering.REMOVED, log.place(without, torn))


def test_nothing_is_found_in_a_log_whose_old_segments_are_retired(log):
    log.put(log.rows)
    with log.ledger.open(days=1) as trail:
        trail.write(log.ledger.line())
        trail.tick()
        asyncio.run(trail.retire())
    assert len(log.ledger.files.days()) == 2
    assert log.proved().found is None
    assert log.proved().first > 1


def test_what_a_service_appends_meanwhile_is_no_tampering(log):
    head = log.head
    log.ledger.write(3)
    log.ledger.files.head.write_bytes(head)
    assert log.proved().found is None


def test_a_proof_may_begin_with_any_segment(log):
    log.put(log.rows)
    days = log.ledger.files.days()
    log.ledger.files.segment(days[0]).unlink()
    assert log.proved(since=days[1]).found is None
    assert log.proved(since="20270101").found is None
    assert log.proved().found.what == Tampering.CUT_AT_START


def test_a_proof_that_begins_later_misses_what_was_cut_from_there_on(log):
    days = log.ledger.files.days()
    for day in days:
        first = next(number for number, row in enumerate(log.rows) if row[0] == day)
        last = max(number for number, row in enumerate(log.rows) if row[0] == day)
        for number in range(first + 1, last + 1):
            rows = [*log.rows[:first], *log.rows[number:]]
            log.put(rows)
            what = Tampering.CUT_AT_START if first == 0 else Tampering.REMOVED
            assert named(log.proved(since=day)) == (what, log.place(rows, first))
            alone = log.rows[number:]
            log.put(alone)
            assert log.proved(since=day).found is not None, "with no older segment to begin from"
            if number < last:
                rows = [*log.rows[:number], *log.rows[number + 1 :]]
                log.put(rows)
                assert named(log.proved(since=day)) == (Tampering.REMOVED, log.place(rows, number))


def test_a_proof_that_begins_with_a_missing_segment_says_so_with_older_ones_or_without(log):
    days = log.ledger.files.days()
    rows = [row for row in log.rows if row[0] != days[1]]
    log.put(rows)
    named_segment = (Tampering.SEGMENT_MISSING, (log.ledger.files.segment(days[2]).name, 1))
    assert named(log.proved(since=days[1])) == named_segment
    log.put([row for row in log.rows if row[0] == days[2]])
    assert named(log.proved(since=days[1])) == named_segment
    assert log.proved(since=days[2]).found is None


def test_a_proof_that_begins_with_the_last_segment_misses_it_when_it_is_gone(log):
    last = log.ledger.files.days()[-1]
    rows = [row for row in log.rows if row[0] != last]
    log.put(rows)
    assert named(log.proved(since=last)) == (Tampering.CUT_AT_END, log.place(rows, len(rows) - 1))
    log.put([])
    assert log.proved(since=last).found.what in {Tampering.CUT_AT_START, Tampering.CUT_AT_END}
    assert log.proved(since="20270101").found is None, "the audit ends before"


def test_a_proof_that_begins_later_goes_on_from_the_last_line_that_was_ever_written(log):
    """Behind it may be what a crash leaves: a segment that was opened and never written to."""
    log.put(log.rows)
    empty = log.ledger.now.strftime("%Y%m%d")
    log.ledger.files.segment(empty).touch()
    log.ledger.later(days=1)
    log.ledger.write()
    today = log.ledger.files.days()[-1]
    assert log.proved(since=today).found is None
    rows = [*log.rows[:-1], *((today, line) for line in log.ledger.lines(today))]
    verdict = log.put(rows, log.ledger.files.head.read_bytes())
    log.ledger.files.segment(empty).touch()
    assert log.proved(since=today).found == verdict.found
    assert verdict.found.what == Tampering.REMOVED


def test_what_a_service_appends_meanwhile_is_no_tampering_to_a_proof_that_begins_later(log):
    log.put(log.rows)
    log.ledger.write(3)
    log.ledger.files.head.write_bytes(log.head)
    today = log.ledger.files.days()[-1]
    assert today > log.rows[-1][0]
    assert log.proved(since=today).found is None
    assert log.proved(since=log.rows[-1][0]).found is None


# at every line


def test_an_altered_line_is_named_whatever_octet_of_it_was_altered(log):
    draw = random.Random(7)
    for number, (day, line) in enumerate(log.rows):
        for _ in range(12):
            octet = draw.randrange(len(line) - 1)
            other = draw.choice(b"07af{x".replace(line[octet : octet + 1], b""))
            altered = line[:octet] + bytes([other]) + line[octet + 1 :]
            rows = [*log.rows[:number], (day, altered), *log.rows[number + 1 :]]
            verdict = log.put(rows)
            what = Tampering.HEADER_FORGED if log.place(rows, number)[1] == 1 else Tampering.ALTERED
            whats = {what}
            if row_of(line).kind == "checkpoint" and log.keys.own is None:
                whats.add(Tampering.CHECKPOINT_FORGED)
            assert named(verdict)[0] in whats, altered
            assert named(verdict)[1] == log.place(rows, number), altered


def test_a_removed_line_is_named_at_the_line_that_comes_after_it(log):
    last = len(log.rows) - 1
    for number in range(len(log.rows)):
        rows = log.rows[:number] + log.rows[number + 1 :]
        verdict = log.put(rows)
        if number == last:
            assert named(verdict) == (Tampering.CUT_AT_END, log.place(rows, last - 1))
            continue
        what = Tampering.CUT_AT_START if number == 0 else Tampering.REMOVED
        assert named(verdict) == (what, log.place(rows, number))
        assert verdict.found.seq == number + 1


def test_removed_lines_are_counted(log):
    rows = log.rows[:2] + log.rows[4:]
    assert log.put(rows).found.detail == "missing: lines 3 to 4"


def test_an_inserted_line_is_named_whether_it_is_a_copy_or_fits_or_is_no_line_at_all(log):
    for number in range(len(log.rows) + 1):
        day = log.rows[min(number, len(log.rows) - 1)][0]
        before = log.rows[number - 1][1] if number else log.rows[0][1]
        copies = [line for place, (_, line) in enumerate(log.rows) if place not in {number - 1, number}]
        lines = [*copies, b"no line\n", b"\n", log.forged(before, 9999), log.forged(before, None if number else 1)]
        for line in lines:
            rows = [*log.rows[:number], (day, line), *log.rows[number:]]
            # whoever has no key but the public one cannot tell a line that fits behind the last one of all
            if log.keys.own is None and number == len(log.rows) and line == lines[-1]:
                continue
            assert named(log.put(rows)) == (Tampering.INSERTED, log.place(rows, number)), line


def test_a_line_that_was_written_twice_is_inserted_once(log):
    for number, row in enumerate(log.rows):
        rows = [*log.rows[:number], row, *log.rows[number:]]
        what, place = named(log.put(rows))
        assert what == Tampering.INSERTED
        assert place in {log.place(rows, number), log.place(rows, number + 1)}


def test_a_run_of_inserted_lines_that_fit_each_other_is_named_at_its_first(log):
    for number in range(1, len(log.rows)):
        one = log.forged(log.rows[number - 1][1])
        two = log.forged(one)
        day = log.rows[number][0]
        rows = [*log.rows[:number], (day, one), (day, two), *log.rows[number:]]
        assert named(log.put(rows)) == (Tampering.INSERTED, log.place(rows, number))


def test_lines_that_changed_places_are_named_at_the_first_of_both(log):
    for one in range(len(log.rows)):
        for two in range(one + 1, len(log.rows)):
            rows = [*log.rows]
            rows[one], rows[two] = (rows[one][0], rows[two][1]), (rows[two][0], rows[one][1])
            verdict = log.put(rows)
            assert named(verdict) == (Tampering.REORDERED, log.place(rows, one)), (one, two)
            assert verdict.found.seq == two + 1


def test_a_line_that_was_moved_further_down_is_named_where_it_is_missing(log):
    for one in range(len(log.rows) - 1):
        for two in range(one + 2, len(log.rows) + 1):
            day = log.rows[two - 1][0]
            rows = [*log.rows[:one], *log.rows[one + 1 : two], (day, log.rows[one][1]), *log.rows[two:]]
            assert named(log.put(rows)) == (Tampering.REORDERED, log.place(rows, one)), (one, two)


def test_a_log_that_is_cut_at_the_start_or_the_end_is_named_so_wherever_the_cut_is(log):
    for number in range(1, len(log.rows)):
        rows = log.rows[number:]
        assert named(log.put(rows)) == (Tampering.CUT_AT_START, log.place(rows, 0))
        rows = log.rows[:number]
        assert named(log.put(rows)) == (Tampering.CUT_AT_END, log.place(rows, number - 1))
    assert log.put([]).found.what in {Tampering.CUT_AT_START, Tampering.CUT_AT_END}


def test_a_cut_in_the_middle_of_the_last_line_is_named(log):
    day, line = log.rows[-1]
    rows = [*log.rows[:-1], (day, line[:-20])]
    assert named(log.put(rows))[1] == log.place(rows, len(rows) - 1)


def test_what_is_cut_at_the_end_stays_named_after_the_service_was_started_again(log):
    log.put(log.rows[:-2])
    log.ledger.later(days=-1)
    log.ledger.write()
    assert log.proved().found.what == Tampering.REMOVED
    assert log.proved().found.seq == len(log.rows) - 1


# segments, headers, head


def test_a_missing_segment_is_named_with_the_file(log):
    days = log.ledger.files.days()
    rows = [row for row in log.rows if row[0] != days[1]]
    verdict = log.put(rows)
    assert verdict.found.what == Tampering.SEGMENT_MISSING
    assert verdict.found.file == log.ledger.files.segment(days[2]).name
    assert log.ledger.files.segment(days[1]).name in verdict.found.detail


def test_a_forged_header_is_named_in_every_segment(log):
    for number, (day, line) in enumerate(log.rows):
        if row_of(line).kind != "header":
            continue
        before = log.rows[number - 1][1] if number else None
        prev = hash_of(before) if before else row_of(line).prev
        body = b'{"at":"2026-11-26T12:00:00Z","segment":"x","key":"%b"}' % log.ledger.key.public.id.encode()
        forged = line_of(number + 1, prev, Kind.HEADER, body, AuditKey(bytes(32)).seal)
        rows = [*log.rows[:number], (day, forged), *log.rows[number + 1 :]]
        assert named(log.put(rows)) == (Tampering.HEADER_FORGED, log.place(rows, number))


def test_a_missing_head_and_one_that_others_have_sealed_are_named(log):
    log.put(log.rows)
    log.ledger.files.head.unlink()
    assert log.proved().found.what == Tampering.HEAD_MISSING
    forged = log.head.replace(b'"first":1,', b'"first":2,')
    what = Tampering.HEAD_FORGED if log.keys.own else Tampering.INSERTED
    assert log.put(log.rows, forged).found.what == what


def test_a_head_that_was_missing_when_the_service_was_started_stays_named(log):
    log.put(log.rows[:-2])
    log.ledger.files.head.unlink()
    log.ledger.later(days=-1)
    log.ledger.write()
    assert log.proved().found.what == Tampering.HEAD_MISSING


def test_whoever_cuts_the_start_and_forges_the_head_to_it_is_found_by_what_was_signed(log):
    days = log.ledger.files.days()
    rows = [row for row in log.rows if row[0] != days[0]]
    first = row_of(rows[0][1])
    head = log.head.replace(b'"first":1,', b'"first":%d,' % first.seq).replace(b"0" * 64, first.prev.encode())
    head = head.replace(b'"first_day":"%b"' % days[0].encode(), b'"first_day":"%b"' % days[1].encode())
    found = log.put(rows, head.rstrip().ljust(511) + b"\n").found
    assert found.what == (Tampering.HEAD_FORGED if log.keys.own else Tampering.CUT_AT_START)


# whoever computes the chain anew


def rechained(log, number):
    """The rows with one altered and all after it computed anew, without the key."""
    rows = [*log.rows]
    for place in range(number, len(rows)):
        day, line = rows[place]
        seal = AuditKey(bytes(32)).seal
        prev = hash_of(rows[place - 1][1]).encode() if place else row_of(line).prev.encode()
        changed = line.replace(row_of(line).prev.encode(), prev, 1)
        changed = changed.replace(b'"node":"vpn"', b'"node":"lan"') if place == number else changed
        octets = changed[: changed.rindex(b',"seal"')]
        rows[place] = (day, octets + b',"seal":"' + seal(octets).encode() + b'"}\n')
    return rows


def test_with_the_key_the_altered_line_is_named_and_without_it_the_first_checkpoint_after_it(log):
    for number, (_, line) in enumerate(log.rows):
        if row_of(line).kind != "outcome":
            continue
        rows = rechained(log, number)
        checkpoint = next(n for n in range(number, len(rows)) if row_of(rows[n][1]).kind == "checkpoint")
        if log.keys.own:
            assert named(log.put(rows)) == (Tampering.ALTERED, log.place(rows, number))
        else:
            assert named(log.put(rows)) == (Tampering.CHECKPOINT_FORGED, log.place(rows, checkpoint))


def test_a_log_of_another_key_is_not_taken_for_ours(log):
    log.put(log.rows)
    log.keys = Keys(AuditKey(bytes(32)).public)
    assert log.proved().found.what == Tampering.OTHER_KEY


def test_checkpoints_that_were_left_out_are_missed(log):
    rows, day = [*log.rows[:2]], log.rows[0][0]
    for _ in range(CHECKPOINT_LINES + 20):
        rows.append((day, log.forged(rows[-1][1])))
    if log.keys.own is None:
        assert log.put(rows).found.what == Tampering.CHECKPOINT_MISSING


def test_an_older_file_that_was_taken_over_is_proved_too(tmp_path):
    ledger = Ledger(tmp_path)
    ledger.files.base.write_bytes(b'{"at":"2026-11-25T12:00:00Z"}\n')
    ledger.write()
    log = Log(ledger, Keys(ledger.key.public, ledger.key), [], b"")
    assert log.proved().found is None
    ledger.files.base.write_bytes(b'{"at":"2026-11-25T12:00:01Z"}\n')
    assert log.proved().found.what == Tampering.OLDER_FILE
    ledger.now = NOON


def test_a_line_that_is_nested_without_end_is_named_as_any_other(log):
    nested = b'{"more":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    rows = [*log.rows[:-1], (log.rows[-1][0], log.forged(log.rows[-2][1], body=nested))]
    assert log.put(rows).found is not None


def test_a_line_that_is_nested_without_end_keeps_nobody_from_writing(log):
    nested = b'{"more":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    log.put([*log.rows, (log.rows[-1][0], log.forged(log.rows[-1][1], body=nested))])
    before = log.ledger.recorded()
    log.ledger.write(1)
    assert len(log.ledger.recorded()) == len(before) + 1
