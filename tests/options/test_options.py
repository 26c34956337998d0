"""Each option on Defender's tabs has its row: what does the same here, shown by a scenario, or why there is none."""

import re
from collections import Counter
from pathlib import Path

import pytest

from options.every import ROWS
from options.page import PAGE, table, with_table
from options.row import Elsewhere, Missing, Scenario
from options.world import open_world
from schema.attributes import ATTRIBUTES

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NO_ROW = {
    "dirfactorPolicySubjects": "kept by the directory, for people to look at",
    "dirfactorMemberOfNode": "kept by the directory, for people to look at",
}
"""Attributes that no row can show, and why."""


def options() -> Counter[tuple[str, str]]:
    """Defender's options, as the list has them."""
    lines = (HERE / "defender.txt").read_text().splitlines()
    pairs = (line.split(" | ") for line in lines if line and not line.startswith("#"))
    return Counter((tab, option) for tab, option in pairs)


@pytest.mark.parametrize(
    "row",
    [row for row in ROWS if isinstance(row, Scenario)],
    ids=lambda row: f"{row.tab}: {row.option}: {','.join(row.places)}",
)
async def test_an_option_makes_the_difference_that_its_row_says(row, tmp_path):
    shown = []
    for name, setup in (("given", row.given), ("otherwise", row.otherwise)):
        (tmp_path / name).mkdir()
        async with open_world(tmp_path / name, setup.over(row.common)) as world:
            shown.append(str(await row.course(world)))
    assert shown == [row.shows, row.else_shows]
    assert row.shows != row.else_shows


def test_every_option_of_defender_has_a_row():
    rows = {(row.tab, row.option) for row in ROWS if row.tab != "ours"}
    assert rows - set(options()) == set(), "not in defender.txt"
    assert set(options()) - rows == set(), "without a row"


def test_no_option_stands_twice_in_the_list():
    assert [option for option, number in options().items() if number > 1] == []


def test_every_attribute_of_the_table_makes_a_difference_in_some_row():
    shown = {place for row in ROWS if isinstance(row, Scenario) for place in row.places}
    assert {item.name for item in ATTRIBUTES} - shown - NO_ROW.keys() - PROXY == set()
    assert NO_ROW.keys() & shown == set(), "no exception any more"


PROXY = {"dirfactorProxyTarget"}  # its row says where it is shown


def test_a_row_without_an_attribute_names_what_is_set_instead():
    for row in ROWS:
        assert row.places or isinstance(row, Missing), row
        assert not isinstance(row, Missing) or row.note, row


@pytest.mark.parametrize("row", [row for row in ROWS if isinstance(row, Elsewhere)], ids=lambda row: row.option)
def test_what_is_shown_elsewhere_is_shown_there(row):
    file, _, name = row.shown_by.partition("::")
    assert re.search(rf"^ *(async )?def {name}\(", (ROOT / file).read_text(), re.MULTILINE), row.shown_by


def test_the_page_has_the_table_as_the_rows_say_it():
    text = PAGE.read_text()
    assert table(ROWS) in text
    assert with_table(text, ROWS) == text, "run: PYTHONPATH=.:tests python -m options"


def test_what_the_page_about_attributes_says_is_missing_is_missing_here_too():
    missing = {row.option.casefold() for row in ROWS if isinstance(row, Missing)}
    told = (ROOT / "docs" / "attributes.md").read_text().partition("## What Defender has and this does not")[2]
    for option in re.findall(r"^\| (?!option|---)([^|]*) \|", told, re.MULTILINE):
        words = option.casefold().replace(" ad ", " active directory ").split()
        assert any(all(word in name for word in words) for name in missing), option
