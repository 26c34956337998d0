"""The quick rows of `make faults` in every run of the tests; and the page has the table."""

import pytest

from faults.__main__ import MOST_SECONDS, run
from faults.measured import DOCUMENT, measured
from faults.plant import LDAP
from faults.table import FOR_LONG, NO_ROW, ROWS, WAYS, besides, page, reasons

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
    """A row that is late is late twice: once it may be the machine that has too much to do."""
    (tmp_path / "first").mkdir()
    came_to = await run(tmp_path / "first", [row for row in ROWS if row.quick])
    assert (came_to.wrong, came_to.holes) == ([], [])
    if came_to.late:
        (tmp_path / "once-more").mkdir()
        once_more = await run(tmp_path / "once-more", [row for row in ROWS if row.name in came_to.late])
        assert (once_more.wrong, once_more.holes, once_more.late) == ([], [], [])


def test_every_run_has_each_fault_and_each_thing():
    quick = [row for row in ROWS if row.quick]
    assert {row.thing for row in quick} == {row.thing for row in ROWS}
    assert {row.fault for row in quick} == {row.fault.removesuffix(FOR_LONG) for row in ROWS}, "however long it lasts"


def test_the_page_has_the_table():
    text = DOCUMENT.read_text()
    for table in (page(measured()), reasons(), besides()):
        assert f"\n\n{table}\n\n" in text, f"put this table into docs/faults.md:\n{table}"


def test_after_no_fault_logons_went_on_later_than_is_promised():
    assert [name for name, seconds in measured().items() if seconds > MOST_SECONDS] == []


def test_everything_has_a_row_for_each_fault_or_a_reason_why_not():
    rows = [(row.thing, row.fault) for row in ROWS]
    excused = [(thing, fault) for thing, found in NO_ROW.items() for faults in found for fault in faults]
    things = dict.fromkeys(thing for thing, _ in rows + excused)
    assert [(thing, way) for thing in things for way in WAYS if (rows + excused).count((thing, way)) != 1] == []
    assert {thing for thing, _ in rows + excused} >= SOURCES
