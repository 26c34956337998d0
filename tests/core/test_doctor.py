"""What doctor makes of days, clocks, modes and secrets; and that one check does not stand in another's way."""

import errno
import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest

from auth.doctor.catalogue import Check
from auth.doctor.clocks import apart
from auth.doctor.days import Notice, days_left
from auth.doctor.doors import bind_finding
from auth.doctor.files import not_private, state_findings
from auth.doctor.replica import age
from auth.doctor.report import Finding, Result, Status, summary
from auth.doctor.runner import Examination, run
from auth.doctor.spend import spend_findings
from auth.doctor.strength import shared_secrets
from auth.embedded.version import VERSION
from auth.embedded_state import EmbeddedStore
from auth.settings import ServiceSettings
from auth.spend.settings import SpendSettings
from auth.turn import Turns
from dirsync.examination.session import NotExaminedError
from dirsync.view import Freshness
from schema.errors import Fault
from schema.secret import Secret

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
FILE, FOLDER = stat.S_IFREG, stat.S_IFDIR
GOOD = Finding(Status.OK, "good")


@pytest.mark.parametrize(
    ("days", "status"),
    [(-1, "failed"), (0, "failed"), (6.9, "failed"), (7, "warning"), (29.9, "warning"), (30, "ok"), (900, "ok")],
)
def test_a_certificate_fails_under_7_days_and_warns_under_30(days, status):
    found = days_left("the certificate", NOW + timedelta(days=days), NOW, "renew it")
    assert (found.status, found.remedy) == (status, "" if status == "ok" else "renew it")


@pytest.mark.parametrize(("days", "status"), [(60, "ok"), (59, "info"), (29, "warning"), (6, "failed")])
def test_a_notice_of_60_days_says_a_word_before_it_warns(days, status):
    notice = Notice(failed=7, warning=30, info=60)
    assert days_left("", NOW + timedelta(days=days), NOW, "", notice).status == status


@pytest.mark.parametrize(
    ("seconds", "status"), [(0, "ok"), (60, "ok"), (61, "warning"), (300, "warning"), (301, "failed")]
)
@pytest.mark.parametrize("sign", [1, -1])
def test_clocks_may_be_a_minute_apart_and_no_more_than_five(seconds, status, sign):
    found = apart("dc1", NOW, NOW + timedelta(seconds=sign * seconds))
    assert found.status == status
    assert ("behind" if sign < 0 < seconds else "dc1") in found.detail


@pytest.mark.parametrize(
    ("mode", "owner", "remedy"),
    [
        (FILE | 0o600, 1000, None),
        (FILE | 0o400, 1000, None),
        (FILE | 0o640, 1000, "chmod 600 /f"),
        (FILE | 0o602, 1000, "chmod 600 /f"),
        (FOLDER | 0o755, 1000, "chmod 700 /f"),
        (FOLDER | 0o700, 1000, None),
        (FILE | 0o600, 4242, "chown 1000 /f"),
    ],
)
def test_a_private_file_is_its_owners_alone_and_the_services(mode, owner, remedy, monkeypatch):
    monkeypatch.setattr("auth.doctor.files._name", str)
    found = not_private(Path("/f"), mode, owner, 1000)
    assert (found and found.remedy) == remedy


@pytest.mark.parametrize("name", ["state.sqlite", "shared.sqlite"])
def test_a_state_of_a_later_release_has_failed_before_the_service_is_started_with_it(name, tmp_path):
    tmp_path.chmod(0o700)
    service = ServiceSettings(state_directory=tmp_path)
    EmbeddedStore(tmp_path / name, "boot", Turns()).close()
    (found,) = state_findings(service)
    assert found.status is Status.OK
    with closing(sqlite3.connect(tmp_path / name)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    (found,) = [each for each in state_findings(service) if each.status is Status.FAILED]
    assert f"{name} is of a later release: version {VERSION + 1}" in found.detail
    assert f"{name}.version-{VERSION}" in found.remedy


@pytest.mark.parametrize(
    ("secret", "status"),
    [
        ("testing123", "failed"),
        ("Testing123", "failed"),
        ("fifteen-letters", "warning"),
        ("aaaaaaaaaaaaaaaaaaaa", "warning"),
        ("sixteen-letters!", None),
    ],
)
def test_a_shared_secret_is_long_and_in_no_manual(secret, status):
    found = [finding.status for finding in shared_secrets({"vpn": Secret(secret)})]
    assert found == ([status] if status else [])


@pytest.mark.parametrize(
    ("limits", "region", "found"),
    [
        ({}, "AT", []),
        ({}, None, [Status.WARNING]),
        ({"countries": ("any",)}, None, []),
        ({"per_day": 0}, "AT", [Status.WARNING]),
        ({"per_day": 0, "money_per_day": 9.0, "prices": ("one = 1", "two = 1")}, "AT", []),
        ({"per_day": 499}, "AT", [Status.INFO]),
        ({"money_per_day": 9.0, "prices": ("one = 1",)}, "AT", [Status.WARNING]),
    ],
)
def test_limits_for_texts_are_neither_missing_nor_smaller_than_a_busy_day(limits, region, found):
    seen = list(spend_findings(SpendSettings(**limits), region, ["one", "two"], 500))
    assert [each.status for each in seen] == found
    assert all(each.remedy for each in seen)


def test_two_access_nodes_with_one_secret_are_named_and_the_secret_is_not():
    secret = "e3b0c44298fc1c149afb"
    same, others = {"a": Secret(secret), "b": Secret(secret)}, {"c": Secret(secret + "!")}
    (found,) = shared_secrets(same | others)
    assert found.detail == "a and b have the same shared secret"
    assert secret not in str(found)


@pytest.mark.parametrize(
    ("hours", "status"), [(0, "ok"), (6, "ok"), (6.1, "warning"), (24, "warning"), (24.1, "failed")]
)
def test_a_replica_warns_long_before_logons_are_refused(hours, status):
    assert age(Freshness(7, NOW - timedelta(hours=hours)), NOW, 86400).status == status


def test_a_replica_without_a_directory_has_failed():
    assert age(Freshness(0, None), NOW, 86400).status == "failed"


@pytest.mark.parametrize(
    ("number", "status"), [(errno.EADDRINUSE, "info"), (errno.EACCES, "failed"), (errno.EADDRNOTAVAIL, "failed")]
)
def test_a_port_in_use_is_no_problem_and_one_that_cannot_be_had_is(number, status):
    assert bind_finding("UDP", OSError(number, "text")).status == status


def results(*looks, seconds=5.0):
    examinations = [Examination(Check.VALUES, "", look, Status.WARNING, seconds) for look in looks]
    return [result.finding for result in run(examinations, lambda _: None)]


def fails():
    raise Fault("a problem", remedy="a remedy")
    yield


def is_skipped():
    raise NotExaminedError("nothing there")
    yield


def errs():
    yield GOOD
    raise KeyError


def test_what_goes_wrong_in_one_check_is_said_and_the_next_is_made():
    assert results(fails, is_skipped, errs, lambda: [GOOD]) == [
        Finding(Status.WARNING, "a problem", "a remedy"),
        Finding(Status.SKIPPED, "nothing there"),
        GOOD,
        Finding(Status.FAILED, "the check itself has failed: KeyError", "report this"),
        GOOD,
    ]


def test_a_check_that_never_ends_fails_in_its_time_with_what_it_has_seen():
    never = Event()

    def waits():
        yield GOOD
        never.wait()

    first, second, third = results(waits, lambda: [GOOD], seconds=0.2)
    never.set()
    assert (first, second.detail, third) == (GOOD, "not done within 0.2 s", GOOD)


def test_the_summary_counts_the_worst_first():
    found = [Result(Check.VALUES, "", Finding(status, "")) for status in (Status.OK, Status.WARNING, Status.OK)]
    assert summary(found) == "1 warning, 2 ok"
