"""A past outcome as people and programs read it. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.text import Text

from auth.reason import Reason
from auth.why.replay import Replay
from auth.why.report import candidate_data, candidate_line

_GOOD, _BAD, _HEAD, _QUIET = "green", "bold red", "bold", "dim"


def as_text(replays: Sequence[Replay]) -> Text:
    """The outcomes of a login for a terminal; its `plain` is what is printed elsewhere."""
    return Text("\n").join(line for number, replay in enumerate(replays) for line in _lines(replay, first=not number))


def _lines(replay: Replay, *, first: bool) -> Iterator[Text]:
    kept = replay.kept
    if not first:
        yield Text("")
    head = f"{kept.outcome}: {kept.reason}" if kept.reason != kept.outcome else kept.outcome
    yield Text(head, _BAD if kept.outcome == "refused" else _GOOD)
    reason = _reason(kept.reason)
    about = {
        "at": f"{kept.at:%Y-%m-%d %H:%M:%S} UTC, access node {kept.node}",
        "event": kept.correlation + (f", of the login {kept.login}" if kept.login else ""),
        "meaning": reason.meaning if reason else "",
        "remedy": reason.remedy if reason else "",
    }
    yield from (Text(f"  {what:<20} {value}") for what, value in about.items() if value)
    if not replay.again:
        yield Text("  nothing was decided: the request ended before anybody's entry was looked at")
        return
    moment, last = kept.moments[-1], replay.again[-1]
    age = moment.facts.freshness.age(moment.now)
    yield Text(f"  {'directory data':<20} version {moment.facts.freshness.version}, {age:.0f} s old then")
    yield from _headed("what was decided, and is decided from the same facts by this version")
    for count, item in enumerate(replay.again, 1):
        verdict = "the same" if item.same else f"now: {item.replayed}"
        yield Text(f"  {count}. {item.recorded:<40} {verdict}", "" if item.same else _BAD)
    if last.decision.candidates:
        yield from _headed("policies that could govern")
        for candidate in last.decision.candidates:
            yield Text(candidate_line(candidate), _GOOD if candidate.won else _QUIET)
    yield from _headed("what was looked at")
    yield from (Text(f"  {item.check:<20} {item.found}") for item in last.decision.trace)
    if replay.today:
        yield from _headed("what has changed since")
        yield from (Text(f"  {line}") for line in replay.since or ("nothing that was looked at",))
        yield Text(f"  today the same login would come to: {replay.today}")


def _headed(heading: str) -> Iterator[Text]:
    yield Text("")
    yield Text(heading, _HEAD)


def as_data(replay: Replay) -> dict[str, Any]:
    """One outcome for --json."""
    kept, reason = replay.kept, _reason(replay.kept.reason)
    last = replay.again[-1].decision if replay.again else None
    return {
        "at": kept.at,
        "event": kept.correlation,
        "login": kept.login or None,
        "access_node": kept.node,
        "outcome": kept.outcome,
        "reason": kept.reason,
        "meaning": reason.meaning if reason else None,
        "remedy": reason.remedy if reason else None,
        "user": last.person.dn if last and last.person else None,
        "policy": last.policy_name if last else None,
        "directory_version": kept.moments[-1].facts.freshness.version if kept.moments else None,
        "same": replay.same,
        "steps": [{"recorded": item.recorded, "replayed": item.replayed} for item in replay.again],
        "trace": [{"check": item.check, "found": item.found} for item in last.trace] if last else [],
        "candidates": [candidate_data(item) for item in last.candidates] if last else [],
        "since": replay.since,
        "today": replay.today or None,
    }


def _reason(code: str) -> Reason | None:
    """The reason, unless it is one of another version."""
    return next((item for item in Reason if item == code), None)
