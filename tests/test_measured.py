"""README's figures and their plot are what the benchmarks left in docs/measured, to the letter."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def check(root: Path) -> subprocess.CompletedProcess[str]:
    """What `bench/published.py --check` says of a folder."""
    command = [sys.executable, ROOT / "bench" / "published.py", "--check", "--root", root]
    return subprocess.run(command, check=False, capture_output=True, text=True)


@pytest.fixture
def copy(tmp_path) -> Path:
    """README and the results, to be changed at will."""
    shutil.copy(ROOT / "README.md", tmp_path)
    shutil.copytree(ROOT / "docs" / "measured", tmp_path / "docs" / "measured")
    return tmp_path


def test_what_is_shown_is_what_was_measured():
    said = check(ROOT)
    assert said.returncode == 0, said.stderr


@pytest.mark.parametrize("name", ["README.md", "docs/measured/logons.svg"])
def test_a_figure_that_somebody_typed_is_noticed(copy, name):
    file = copy / name
    before, mark, after = file.read_text().partition("dirfactor: PIN + HOTP")
    digit = next(place for place, letter in enumerate(after) if letter.isdigit())
    changed = str((int(after[digit]) + 1) % 10)
    file.write_text(before + mark + after[:digit] + changed + after[digit + 1 :])
    said = check(copy)
    assert (said.returncode, name in said.stderr) == (1, True)


def test_results_that_nobody_published_are_noticed(copy):
    results = copy / "docs" / "measured" / "http.json"
    results.write_text(results.read_text().replace('"people', '"more people').replace("20,000", "21,000"))
    said = check(copy)
    assert (said.returncode, "README.md" in said.stderr) == (1, True)
