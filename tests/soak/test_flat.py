"""What decides about a soak: windows, growth and trend, the minutes of the table, and when a fault was in force."""

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soak.__main__ import told
from soak.course import Seen
from soak.flat import early_and_late, growth, more, trend
from soak.minutes import Sample, minutes
from soak.processes import Standing, standing
from soak.spells import Spells

HALF_HOUR = 1800.0


def series(value, seconds=HALF_HOUR, step=5.0):
    """What a function of time comes to, sample by sample."""
    return [(number * step, value(number * step)) for number in range(int(seconds / step) + 1)]


@given(st.lists(st.floats(1.0, 1e6), min_size=10, max_size=60), st.floats(0.01, 0.5))
def test_the_trend_of_what_grows_steadily_is_its_growth(values, part):
    assert trend([values[0]] * len(values)) == 0.0
    rising = [values[0] * (1 + part * number / (len(values) - 1)) for number in range(len(values))]
    assert trend(rising) == pytest.approx(part / (1 + part / 2), rel=0.01)


def test_minutes_five_to_seven_are_compared_with_the_last_three():
    named = {range(300, 421): 100.0, range(1620, 1801): 101.0}

    def value(at):
        return next((found for window, found in named.items() if int(at) in window), 9e9)

    assert early_and_late(series(value), HALF_HOUR) == (100.0, 101.0)
    assert growth(series(value), HALF_HOUR) == pytest.approx(0.01)
    assert more(series(value), HALF_HOUR) == pytest.approx(1.0)


@given(st.floats(12.0, 7200.0))
def test_the_windows_of_another_time_are_in_proportion(seconds):
    rising = series(lambda at: at / seconds, seconds, seconds / 120)
    early, late = early_and_late(rising, seconds)
    assert early == pytest.approx(0.2, abs=0.01)
    assert late == pytest.approx(0.95, abs=0.01)


@given(st.floats(0.0, 0.5))
def test_what_is_paid_at_the_beginning_is_no_growth(part):
    assert growth(series(lambda at: 1.0 + part * min(at, 290.0) / 290.0), HALF_HOUR) == pytest.approx(0.0)


def test_without_samples_nothing_is_said_to_be_flat():
    with pytest.raises(ValueError, match="0 values are early"):
        growth([(1700.0, 1.0)], HALF_HOUR)


def sample(at, *, cpu=0.0, logons=0, kilobytes=1024, files=40, threads=8, took=(), yard=0.001):
    return Sample(at, Standing(kilobytes, files, threads, cpu), logons, took, yard)


def half_an_hour(**grows):
    """A service that stays as it is, but for what grows in all of the time: by that part of its first value."""
    usual = {"cpu": 1.0, "kilobytes": 100_000, "files": 40, "threads": 8, "yard": 0.002}

    def grown(name, at):
        return usual[name] * (1 + grows.get(name, 0.0) * at / HALF_HOUR)

    seen, cpu = Seen(begun=0.0), 0.0
    for number in range(361):
        cpu += grown("cpu", number * 5.0)
        standing = {name: grown(name, number * 5.0) for name in usual if name != "cpu"}
        seen.samples.append(sample(number * 5.0, cpu=cpu, logons=number * 100, **standing))
    return seen


@pytest.mark.parametrize(
    ("grows", "status"),
    [
        ({}, 0),
        ({"kilobytes": 0.03}, 1),
        ({"files": 0.2}, 1),
        ({"threads": 1.0}, 1),
        ({"cpu": 0.6}, 1),
        ({"cpu": 0.6, "yard": 0.6}, 0),  # all work on the machine has become dearer
    ],
)
def test_a_soak_that_grows_has_failed(grows, status, capsys):
    assert told(half_an_hour(**grows), HALF_HOUR) == status
    assert "memory" in capsys.readouterr().out


def test_a_soak_in_which_anything_was_wrong_has_failed(capsys):
    seen = half_an_hour()
    seen.done.wrong.append("a wrong code was accepted")
    assert told(seen, HALF_HOUR) == 1
    assert "1 x a wrong code was accepted" in capsys.readouterr().out


def test_a_minute_has_what_was_added_within_it_and_the_median_of_what_stood():
    spells = Spells()
    spells.begin("gateway", 1_070.0, aftermath=9.0).ended = 1_075.0
    samples = [
        sample(30.0, cpu=1.0, logons=100),
        sample(59.0, cpu=2.0, logons=300),
        sample(70.0, cpu=2.5, logons=400, kilobytes=2048, took=(0.001,) * 99),
        sample(80.0, cpu=3.0, logons=500, kilobytes=9999, took=(0.009,) * 2),
        sample(90.0, cpu=3.0, logons=500, kilobytes=2048),
    ]
    first, second = minutes(samples, spells, begun=1_000.0)
    assert (first.number, first.logons, first.cpu_ms, first.yards) == (1, 200, 5.0, 5.0)
    assert (second.number, second.logons, second.cpu_ms, second.megabytes) == (2, 200, 5.0, 2.0)
    assert (second.p50, second.p99, second.faults) == (0.001, 0.009, 5.0)


def test_a_fault_that_comes_and_goes_while_somebody_waits_is_no_secret():
    spells = Spells()
    spell = spells.begin("gateway", 10.0, aftermath=6.0)
    assert spells.touch("gateway", 9.0, 11.0), "it has begun, and nobody knows until when"
    spell.ended = 12.0
    assert spells.touch("gateway", 9.0, 30.0), "the whole of it lies within"
    assert spells.touch("gateway", 17.9, 30.0), "it is still avoided"
    assert not spells.touch("gateway", 18.1, 30.0)
    assert not spells.touch("gateway", 1.0, 9.9)
    assert not spells.touch("mail server", 9.0, 30.0), "it is about another thing"


def test_processes_that_were_started_count_with_the_one_that_started_them():
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True); input()'])"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        both, alone = standing(process.pid), standing(os.getpid())
        process.stdin.write(b"\n")
        process.stdin.close()
    assert both.threads >= 2
    assert both.files >= 6
    assert min(both.kilobytes, alone.kilobytes) > 1000
    assert alone.cpu_seconds > 0
