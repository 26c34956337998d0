"""What doctor makes of the audit's files."""

import pytest

from audit.ledger import SEED, Ledger
from auth.clock import Clock
from auth.doctor.audit import audit_examinations, room_left
from auth.doctor.runner import run
from auth.settings import ServiceSettings


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger(tmp_path)
    ledger.files.key.write_bytes(SEED)
    ledger.files.key.chmod(0o600)
    ledger.write(3)
    return ledger


def examined(ledger, **settings):
    service = ServiceSettings(state_directory=ledger.files.key.parent, **settings)
    clock = Clock(lambda: ledger.now, lambda: 0.0)
    return [(each.finding.status, each.finding.detail) for each in run(audit_examinations(service, clock), lambda _: 0)]


def test_an_audit_that_is_well_is_called_so(ledger):
    assert examined(ledger) == [("ok", "1 days, from 20261126 to 20261126")]


@pytest.mark.parametrize("which", ["key", "head", "segment"])
def test_files_that_others_may_touch_are_named(ledger, which):
    files = ledger.files
    file = {"key": files.key, "head": files.head, "segment": files.segment("20261126")}[which]
    file.chmod(0o662)
    [(status, detail)] = examined(ledger)
    assert status == "failed"
    assert str(file) in detail
    assert "others" in detail


def test_a_head_that_is_missing_or_not_ours_is_failed(ledger):
    octets = ledger.files.head.read_bytes()
    ledger.files.head.write_bytes(octets.replace(b'"seq":', b'"seq":1'))
    assert [status for status, _ in examined(ledger)] == ["failed"]
    ledger.files.head.write_bytes(octets.replace(b'"first":1', b'"first":2'))
    assert "not written by the service" in examined(ledger)[0][1]
    ledger.files.head.unlink()
    assert "is not there" in examined(ledger)[0][1]


def test_lines_that_nobody_has_signed_are_told_when_the_service_has_gone(ledger):
    trail = ledger.open()
    trail.__enter__().write(ledger.line())
    ledger.now = ledger.now.replace(year=2100)
    assert [status for status, _ in examined(ledger)] == ["info"]


def test_before_the_first_outcome_there_is_nothing_to_examine(tmp_path):
    assert [status for status, _ in examined(Ledger(tmp_path))] == ["skipped"]


@pytest.mark.parametrize(
    ("free", "segments", "status"),
    [
        (10**12, [], None),
        (10**12, [10**9] * 3, None),
        (3 * 10**10, [10**9, 10**9], None),
        (3 * 10**10 - 1, [10**9], "warning"),
        (10**10, [10**9, *[10**6] * 7], None),
        (49_999_999, [], "failed"),
    ],
)
def test_room_is_counted_in_days_of_the_busiest_of_the_last_week(free, segments, status):
    found = room_left(free, segments)
    assert (found.status if found else None) == status
