"""The quick rows of `make faults` in every run of the tests; and the page has the table."""

from pathlib import Path

import pytest

from faults.__main__ import run
from faults.table import ROWS, page

DOCUMENT = Path(__file__).parents[2] / "docs" / "faults.md"


@pytest.mark.servers
async def test_no_fault_lets_anybody_in_without_the_factor_and_everything_comes_back(tmp_path):
    assert await run(tmp_path, [row for row in ROWS if row.quick]) == []


def test_the_page_has_the_table():
    text = DOCUMENT.read_text()
    begin, end = text.index("| what | fault |"), text.rindex(" |\n") + 2
    assert text[begin:end] == page(), f"put this table into docs/faults.md:\n{page()}"
