"""The power goes: the audit goes on, has every line that was brought to the disk, and proves what is whole."""

import random

import pytest

from audit.ledger import Ledger
from auth.audit.proof.lines import Keys
from auth.audit.proof.verify import verify
from power.cuts import after_cuts
from power.watched import watched

pytestmark = pytest.mark.servers  # strace comes with them
LINES = 150
CUTS = 300


@pytest.fixture(scope="module")
def life(tmp_path_factory):
    folder = tmp_path_factory.mktemp("audit")
    program = ["-m", "power.audit_life", folder, folder / "told", str(LINES)]
    return folder, list(watched(program, folder, folder / "strace.log"))


def test_what_was_brought_to_the_disk_is_recorded_and_the_next_line_too(life):
    folder, steps = life
    dice = random.Random(20261127)
    cuts = dict.fromkeys(dice.sample(range(len(steps)), min(CUTS, len(steps))), 1)
    synced, whole = 0, 0
    for _, numbers, place in after_cuts(steps, folder / "told", cuts, dice):
        synced = numbers[-1] if numbers else 0
        whole += goes_on(place, synced)
    assert synced > LINES / 2
    assert whole > len(cuts) / 10, "some cuts take nothing that was sealed"


def goes_on(place, synced):
    """Whether it verifies, too."""
    ledger = Ledger(place)
    ledger.written = LINES
    ledger.later(days=100)
    ledger.write()
    recorded = set(ledger.recorded())
    assert recorded >= {*range(1, synced + 1), LINES + 1}
    return verify(ledger.files, Keys(ledger.key.public, ledger.key), lambda lines, _: lines).found is None
