"""Refusals tell nothing: whatever the reason is, the answer is the same. Their times are for `make refusals`."""

import pytest

from auth.demo.service import audit_lines
from clients.house import open_house
from refusals.doors import LINES
from refusals.kinds import UNLIMITED, Refusals, entries

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with open_house(tmp_path_factory.mktemp("house"), entries=entries(), more_config=UNLIMITED) as house:
        yield house


@pytest.mark.parametrize("door", LINES)
def test_their_octets_are_the_same_but_for_what_is_of_the_exchange(house, door):
    line = LINES[door](house)
    refusals = Refusals(house, line)
    if door == "radius":  # who is locked is locked at both doors
        refusals.lock()
    said = set()
    for reason, make in refusals.kinds().items():
        line.say(make())
        heard = line.hear()
        assert heard.outcome == "refused"
        assert audit_lines(house.folder / "state" / "audit.jsonl")[-1]["reason"] == reason
        said.add(heard.octets)
    line.close()
    assert len(said) == 1
