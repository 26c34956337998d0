"""What bandit's rules find, through the linter, and is let pass all the same: each place with its reason."""

import re
import tomllib
from dataclasses import dataclass

from supply.locks import ROOT

_MARK = re.compile(r"# noqa: (?P<rules>[A-Z0-9, ]+?)(?: - (?P<reason>.+))?$")
_FOLDERS = ("auth", "dirsync", "schema", "bench", "tests")


@dataclass(frozen=True)
class Allowed:
    """A rule that does not count somewhere."""

    where: str
    rule: str
    reason: str


def allowed() -> list[Allowed]:
    """All of them, in the code and in pyproject.toml."""
    return [*_in_the_code(), *_in_the_settings()]


def _in_the_code() -> list[Allowed]:
    found = []
    for folder in _FOLDERS:
        for file in sorted((ROOT / folder).rglob("*.py")):
            for number, line in enumerate(file.read_text().splitlines(), 1):
                mark = _MARK.search(line)
                rules = [rule.strip() for rule in mark["rules"].split(",")] if mark else []
                found += [
                    Allowed(f"{file.relative_to(ROOT)}:{number}", rule, (mark["reason"] or "").strip())
                    for rule in rules
                    if re.fullmatch(r"S\d+", rule)
                ]
    return found


def _in_the_settings() -> list[Allowed]:
    text = (ROOT / "pyproject.toml").read_text()
    lint = tomllib.loads(text)["tool"]["ruff"]["lint"]
    found = []
    for pattern, rules in lint["per-file-ignores"].items():
        for rule in rules:
            if re.fullmatch(r"S\d+", rule):
                block = text[text.index(f'"{pattern}" = [') :]
                reason = re.search(rf'"{rule}",\s*# (.+)', block)
                found.append(Allowed(pattern, rule, reason[1] if reason else ""))
    return found + [Allowed("everywhere", rule, "") for rule in lint["ignore"] if re.fullmatch(r"S\d*", rule)]
