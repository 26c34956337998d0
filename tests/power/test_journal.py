"""The power goes: the journal goes on by itself, and has whole events, all but the last ones."""

import random
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from auth.why.journal import JournalFile, read_events
from auth.why.record import JournalUnavailable
from power.cuts import OFTEN, after_cuts, brought_over, cuts_of
from power.journal_life import DAYS, SIZES, about, at, event, login
from power.watched import watched

pytestmark = pytest.mark.servers  # strace comes with them
TURNS = 40
CUTS = 100
FEWEST_CHECKPOINTS = 5
LATER = 100_000
"""Number of the event that comes after the cut."""
LONG = 10_000
"""Days, so that it takes nothing away."""
FILE = "journal.sqlite"


@pytest.fixture(scope="module")
def life(tmp_path_factory):
    folder = tmp_path_factory.mktemp("journal")
    program = ["-m", "power.journal_life", folder / FILE, folder / "told", str(TURNS)]
    return folder, list(watched(program, folder, folder / "strace.log"))


def test_after_it_the_journal_is_written_again_and_has_whole_events_but_the_last_ones(life):
    folder, steps = life
    dice = random.Random(20261128)
    cuts = cuts_of(steps, folder / FILE, CUTS, dice)
    over, found, told = brought_over(steps, folder / FILE, folder / "told"), [], 0
    for step, numbers, place in after_cuts(steps, folder / "told", cuts, dice):
        told = numbers[-1] if numbers else 0
        last = demand_whole_events(place / FILE, told)
        assert over[step] <= last <= told + max(SIZES)
        found.append(last < told)
    assert cuts.total() > CUTS + FEWEST_CHECKPOINTS * OFTEN, "checkpoints are among what is cut off"
    assert at(told) - at(1) > 2 * timedelta(days=DAYS), "what is old goes meanwhile"
    assert len(found) / 10 < sum(found) < len(found), "some cuts take events that were told, and some do not"


def demand_whole_events(file, told):
    """The number of the last one; 0 when there is none."""
    try:
        seen = read_events(file, login(told))
    except JournalUnavailable:
        seen = None
    with closing(JournalFile(file, LONG)) as journal:
        journal.keep(event(LATER))
    with closing(sqlite3.connect(file)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = db.execute("SELECT correlation FROM event ORDER BY number").fetchall()
    *numbers, later = [int(correlation.split()[1]) for (correlation,) in rows]
    assert later == LATER
    first, last = (numbers[0], numbers[-1]) if numbers else (1, 0)
    assert numbers == list(range(first, last + 1))
    assert first == 1 or at(first) <= at(last) - timedelta(days=DAYS), "old ones only are gone"
    kept = [each for identity in sorted({*map(login, numbers)}) for each in read_events(file, identity)]
    assert {each.correlation: whole(each) for each in kept} == {f"event {number}": number for number in numbers}
    assert seen in (None, read_events(file, login(told)))
    return last


def whole(kept):
    """The number of the event, which is in all of its parts."""
    [moment] = kept.moments
    number = moment.facts.wrong_today
    [person] = moment.facts.found
    expected = about(number)
    assert (person.dn, person.policy.policy.priority) == (expected.dn, expected.policy.policy.priority)
    assert (kept.at, moment.now) == (at(number), at(number))
    return number
