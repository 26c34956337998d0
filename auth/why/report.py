"""An explanation as people and programs read it. Pure."""

from typing import Any

from auth.effective import Candidate
from auth.why.explain import Explanation


def as_text(explanation: Explanation) -> str:
    """The explanation for a terminal, without colours."""
    decided = explanation.decision
    lines = [explanation.outcome]
    if explanation.remedy:
        lines.append(f"  remedy: {explanation.remedy}")
    lines += ["", "what is looked at"]
    lines += [f"  {finding.check:<20} {finding.found}" for finding in explanation.trace]
    if decided.candidates:
        lines += ["", "policies that could govern"]
        lines += [candidate_line(candidate) for candidate in decided.candidates]
    if explanation.steps:
        lines += ["", "what happens"]
        lines += [f"  {number}. {step}" for number, step in enumerate(explanation.steps, 1)]
    if explanation.reply_attributes:
        lines += ["", "what an accept carries"]
        lines += [f"  {name} = {value}" for name, value in explanation.reply_attributes]
    lines += ["", f"directory data: version {explanation.directory_version}, {explanation.directory_age:.0f} s old"]
    return "\n".join(lines)


def candidate_line(candidate: Candidate) -> str:
    """A policy that could have governed, in two lines; a star marks the one that does."""
    mark = "*" if candidate.won else " "
    return f"  {mark} {candidate.level:<20} {candidate.policy_name}\n      at {candidate.holder}: {candidate.why}"


def as_data(explanation: Explanation) -> dict[str, Any]:
    """The explanation for --json."""
    decided = explanation.decision
    return {
        "outcome": explanation.outcome,
        "remedy": explanation.remedy,
        "user": decided.person.dn if decided.person else None,
        "policy": decided.policy_name,
        "trace": [{"check": item.check, "found": item.found} for item in explanation.trace],
        "candidates": [candidate_data(candidate) for candidate in decided.candidates],
        "steps": list(explanation.steps),
        "reply_attributes": [{"name": name, "value": value} for name, value in explanation.reply_attributes],
        "directory_version": explanation.directory_version,
        "directory_age": explanation.directory_age if explanation.directory_age != float("inf") else None,
    }


def candidate_data(candidate: Candidate) -> dict[str, Any]:
    """A policy that could have governed, for --json."""
    return {
        "level": candidate.level,
        "holder": candidate.holder,
        "policy": candidate.policy_name,
        "won": candidate.won,
        "why": candidate.why,
    }
