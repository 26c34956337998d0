"""The quick rows of `make faults` in every run of the tests; and the page has the table."""

from pathlib import Path

import pytest

from faults.__main__ import run
from faults.plant import LDAP
from faults.table import NO_ROW, ROWS, WAYS, besides, page, reasons

DOCUMENT = Path(__file__).parents[2] / "docs" / "faults.md"
SOURCES = {
    LDAP,
    "state store",
    "SMS gateway",
    "mail server",
    "VIP",
    "DNS",
    "disk",
    "clock",
    "configuration",
    "certificate for VIP",
}


@pytest.mark.servers
async def test_no_fault_lets_anybody_in_without_the_factor_and_everything_comes_back(tmp_path):
    came_to = await run(tmp_path, [row for row in ROWS if row.quick])
    assert (came_to.wrong, came_to.holes) == ([], [])


def test_every_run_has_each_fault_and_each_thing():
    quick = [row for row in ROWS if row.quick]
    assert {row.thing for row in quick} == {row.thing for row in ROWS}
    assert {row.fault for row in quick} == {row.fault for row in ROWS}


def test_the_page_has_the_table():
    text = DOCUMENT.read_text()
    for table in (page(), reasons(), besides()):
        assert f"\n\n{table}\n\n" in text, f"put this table into docs/faults.md:\n{table}"


def test_everything_has_a_row_for_each_fault_or_a_reason_why_not():
    rows = [(row.thing, row.fault) for row in ROWS]
    excused = [(thing, fault) for thing, found in NO_ROW.items() for faults in found for fault in faults]
    things = dict.fromkeys(thing for thing, _ in rows + excused)
    assert [(thing, way) for thing in things for way in WAYS if (rows + excused).count((thing, way)) != 1] == []
    assert {thing for thing, _ in rows + excused} >= SOURCES
