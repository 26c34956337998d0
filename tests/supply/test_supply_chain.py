"""What we are made of is locked, let pass for a reason, and built the same everywhere; each threat has its test."""

import re

import pytest

from supply.allowed import allowed
from supply.locks import LOCKS, ROOT, amiss, lock
from supply.wheel import built

_NAMED = re.compile(r"`((?:tests|auth|dirsync|schema)/[\w/.]*)`|`make ([a-z-]+)`")


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_a_digest_for_everything_and_what_pyproject_wants(name):
    assert amiss(name) == []


def test_what_runs_is_tested_in_the_versions_in_which_it_runs():
    developed = lock("develop")
    assert [name for name, pinned in lock("run").items() if developed.get(name) != pinned] == []


def test_every_rule_of_bandit_that_is_let_pass_has_its_reason():
    assert [each for each in allowed() if not each.reason] == []


def test_the_wheel_is_the_same_wherever_it_is_built(tmp_path):
    one = built(tmp_path / "one", umask=0o022, zone="Pacific/Auckland")
    other = built(tmp_path / "deeper" / "two", umask=0o077, zone="America/Anchorage")
    assert one.read_bytes() == other.read_bytes()


def test_every_threat_names_what_shows_that_it_is_met_and_all_that_is_named_is_there():
    text = (ROOT / "SECURITY.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| threat")]
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert len(rows) >= 20
    for row in rows:
        shown = _NAMED.findall(row.rsplit(" | ", 1)[1])
        assert shown, f"nothing shows it: {row}"
        for path, target in shown:
            assert target in targets if target else (ROOT / path).exists(), row
