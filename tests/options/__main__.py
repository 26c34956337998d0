"""Writes the table of docs/defender.md anew: `PYTHONPATH=.:tests python -m options`."""

from options.every import ROWS
from options.page import PAGE, with_table

if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(), ROWS))
