"""Outcomes that end together are recorded together: all before any of them is told."""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime

import msgspec
import pytest

from auth.audit import AuditFiles, AuditKey, AuditLine, AuditTrail, AuditUnavailable
from auth.audit.reader import outcomes
from auth.reason import Reason
from auth.recording import Recorder
from auth.why.record import Event, JournalUnavailable, NoJournal

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


def event(number):
    return Event(NOW, f"c{number}", "", "vpn", "refused", Reason.USER_UNKNOWN)


def line(number):
    def made(problem):
        return AuditLine(NOW, f"c{number}", "refused", "user-unknown", "radius", "vpn", "192.0.2.1", journal=problem)

    return made


@pytest.fixture
def files(tmp_path):
    return AuditFiles(tmp_path / "audit.jsonl", tmp_path / "audit.key")


@pytest.fixture
async def trail(files):
    async with aclosing(AuditTrail(files, AuditKey(bytes(32)), lambda: NOW)) as opened:
        yield opened


async def test_all_lines_are_there_when_the_first_is_told_in_the_order_in_which_they_came(files, trail):
    recorder = Recorder(trail, NoJournal())

    async def login(number):
        await recorder.record(event(number), line(number))
        return [found.correlation for found in outcomes(files)]

    seen = await asyncio.gather(*map(login, range(20)))
    assert seen == [[f"c{number}" for number in range(20)]] * 20


async def test_a_journal_that_keeps_nothing_is_told_in_the_line_and_keeps_nobody_out(files, trail):
    class Full(NoJournal):
        def keep_all(self, events):
            return [
                JournalUnavailable("journal full", remedy="make room") if each.correlation == "c1" else None
                for each in events
            ]

    recorder = Recorder(trail, Full())
    await asyncio.gather(*(recorder.record(event(number), line(number)) for number in range(3)))
    assert [found.journal for found in outcomes(files)] == ["", "journal full", ""]


async def test_without_its_line_no_outcome_is_told(trail):
    class Broken:
        def write_all(self, _):
            raise AuditUnavailable("audit file: disk full", remedy="make room")

    recorder = Recorder(Broken(), NoJournal())
    told = await asyncio.gather(
        *(recorder.record(event(number), line(number)) for number in range(3)), return_exceptions=True
    )
    assert [type(each) for each in told] == [AuditUnavailable] * 3


async def test_a_line_that_cannot_be_written_keeps_its_own_login_out_and_no_other(files, trail):
    recorder = Recorder(trail, NoJournal())

    def impossible(_):
        return msgspec.structs.replace(line(2)(""), name="\ud800")

    told = await asyncio.gather(
        recorder.record(event(1), line(1)),
        recorder.record(event(2), impossible),
        recorder.record(event(3), line(3)),
        return_exceptions=True,
    )
    assert [type(each) for each in told] == [type(None), UnicodeEncodeError, type(None)]
    assert [found.correlation for found in outcomes(files)] == ["c1", "c3"]


async def test_who_stops_waiting_is_recorded_all_the_same(files, trail):
    recorder = Recorder(trail, NoJournal())
    gone = asyncio.ensure_future(recorder.record(event(1), line(1)))
    await asyncio.sleep(0)
    gone.cancel()
    await recorder.record(event(2), line(2))
    assert [found.correlation for found in outcomes(files)] == ["c1", "c2"]
