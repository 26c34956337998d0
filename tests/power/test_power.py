"""The power goes: whatever a disk had kept by then, the state file is whole, and no code that was accepted is good."""

import random
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from auth.embedded_state import EmbeddedStore
from auth.state import Wanted
from auth.turn import Turns
from power.cuts import OFTEN, after_cuts, cuts_of
from power.life import KEPT_ONE_IN, KEYS, kept_key, mark_key
from power.watched import watched

pytestmark = pytest.mark.servers  # strace comes with them
TURNS = 200
CUTS = 500
FEWEST_CHECKPOINTS = 5
FILE = "state.sqlite"
NOW = datetime(2026, 11, 27, 13, tzinfo=UTC)


@dataclass
class Told:
    """What must not be forgotten: by key, the number that was told last."""

    marks: dict[str, int] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)

    def take(self, number):
        self.marks[mark_key(number)] = max(self.marks.get(mark_key(number), 0), number)
        if number % KEPT_ONE_IN == 0:
            self.kept[kept_key(number)] = max(self.kept.get(kept_key(number), 0), number)

    async def demand(self, store):
        recalled = await store.recall(Wanted(marks=tuple(self.marks), kept=tuple(self.kept)), NOW)
        marks = dict(zip(self.marks, recalled.marks, strict=True))
        kept = dict(zip(self.kept, recalled.kept, strict=True))
        assert [key for key, number in self.marks.items() if (marks[key] or 0) < number] == [], "good again"
        assert [key for key, number in self.kept.items() if int(kept[key] or 0) < number] == [], (
            "what was chosen is lost"
        )


@pytest.fixture(scope="module")
def life(tmp_path_factory):
    folder = tmp_path_factory.mktemp("life")
    program = ["-m", "power.life", folder / FILE, folder / "told", str(TURNS)]
    return folder, list(watched(program, folder, folder / "strace.log"))


async def test_what_was_told_before_the_power_went_is_so_after_it(life):
    folder, steps = life
    dice = random.Random(20261127)
    cuts = cuts_of(steps, folder / FILE, CUTS, dice)
    told, taken = Told(), 0
    for _, numbers, place in after_cuts(steps, folder / "told", cuts, dice):
        for number in numbers[taken:]:
            told.take(number)
        taken = len(numbers)
        await demand_whole(place / FILE, told)
    assert cuts.total() > CUTS + FEWEST_CHECKPOINTS * OFTEN, "checkpoints are among what is cut off"
    assert len(told.marks) == KEYS
    assert told.kept


async def demand_whole(file, told):
    store = EmbeddedStore(file, "another boot", Turns())
    with closing(sqlite3.connect(file)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    await told.demand(store)
    await store.aclose()
