"""What all looks together come to: what was not looked at is neither well nor unwell."""

from collections.abc import Iterable
from dataclasses import dataclass

WELL, NOT_WELL, NOT_ASKED = 0, 1, 3  # 2 is make's own


@dataclass(frozen=True)
class Verdict:
    """What one look has found.

    Attributes:
        problems: what somebody has to mend.
        unasked: packages about whom nobody could say whether there are advisories.
    """

    problems: tuple[str, ...] = ()
    unasked: tuple[str, ...] = ()


def verdict(found: Iterable[Verdict]) -> tuple[str, int]:
    """The last line, and the exit status."""
    found = list(found)
    problems = [problem for each in found for problem in each.problems]
    unasked = [package for each in found for package in each.unasked]
    missing = f"ADVISORIES WERE NOT ASKED FOR about {len(unasked)} packages" if unasked else ""
    if problems:
        return "; ".join(filter(None, (f"not well: {len(problems)} problems", missing))), NOT_WELL
    if unasked:
        return f"{missing}; all else is well. Run this where an index of packages tells advisories", NOT_ASKED
    return "all well", WELL
