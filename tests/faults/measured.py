"""How soon logons went on in the last runs of `make faults`: docs/measured/faults.json, and the table made with it."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from faults.table import ROWS, page

DOCS: Final = Path(__file__).parents[2] / "docs"
DOCUMENT: Final = DOCS / "faults.md"
_MEASURED: Final = DOCS / "measured" / "faults.json"
_TABLE: Final = re.compile(r"^\| what \| fault \| password .*?(?=^$)", re.MULTILINE | re.DOTALL)


def measured() -> Mapping[str, float]:
    """After how many seconds logons went on, by the names of rows."""
    return msgspec.json.decode(_MEASURED.read_bytes(), type=dict[str, float]) if _MEASURED.exists() else {}


def note(back: Mapping[str, float]) -> None:
    """Keep what was measured now, and of other rows what was before; the page has it as well."""
    known = {**measured(), **back}
    kept = {row.name: round(known[row.name], 2) for row in ROWS if row.name in known}
    _MEASURED.write_bytes(msgspec.json.format(msgspec.json.encode(kept), indent=2) + b"\n")
    DOCUMENT.write_text(_TABLE.sub(lambda _: f"{page(kept)}\n", DOCUMENT.read_text(), count=1))
