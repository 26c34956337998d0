"""Renders the table of docs/defender.md: each of Defender's options, where it is set here, and what is different."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from options.row import Missing, Row, Scenario
from schema.attributes import ATTRIBUTES

PAGE = Path(__file__).parents[2] / "docs" / "defender.md"
BEGIN, END = "<!-- the table is rendered from tests/options -->", "<!-- end of the table -->"
OURS = "ours"
WORDS = {item.name for item in ATTRIBUTES if item.single and item.grammar.expected.startswith("one of ")}


def table(rows: Sequence[Row]) -> str:
    """One table for each tab, in the order of the rows; what is ours alone comes last."""
    tabs = {tab: list(found) for tab, found in groupby(sorted(rows, key=_order(rows)), key=lambda row: row.tab)}
    parts = []
    for tab, found in tabs.items():
        title, option = ("What Defender does not have", "what") if tab == OURS else (tab, "option")
        parts += [f"### {title}", "", f"| {option} | set by | |", "|---|---|---|", *map(_line, found), ""]
    return "\n".join(parts)


def with_table(text: str, rows: Sequence[Row]) -> str:
    """The page with the table in its place."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table(rows)}\n{END}{after}"


def _order(rows: Sequence[Row]):
    tabs = list(dict.fromkeys(row.tab for row in rows))
    return lambda row: (row.tab == OURS, tabs.index(row.tab))


def _place(row: Row, place: str) -> str:
    """A word that stands for an option of Defender's is shown with the attribute."""
    value = row.value(place) if isinstance(row, Scenario) else ""
    chosen = row.tab != OURS and place in WORDS and value
    return f"`{place}` = `{value}`" if chosen else f"`{place}`"


def _line(row: Row) -> str:
    places = ", ".join(_place(row, place) for place in row.places) or "-"
    note = f"not here: {row.note}" if isinstance(row, Missing) and not row.places else row.note
    return f"| {row.option} | {places} | {note} |"
