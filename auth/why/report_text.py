"""An explanation with what it rests on, as people read it. Pure."""

from collections.abc import Iterator, Sequence

from rich.text import Text

from auth.guessing import day_line
from auth.why.grounds import Grounds, GroupGround, TokenGround
from auth.why.report import Report, candidate_line

_GOOD, _BAD, _HEAD, _QUIET = "green", "bold red", "bold", "dim"


def as_text(report: Report) -> Text:
    """The answer for a terminal; its `plain` is what is printed elsewhere."""
    return Text("\n").join(_lines(report))


def _lines(report: Report) -> Iterator[Text]:
    explanation, known = report.explanation, report.grounds
    decided = explanation.decision
    yield Text(explanation.outcome, _GOOD if explanation.outcome == "accepted" else _BAD)
    if explanation.remedy:
        yield Text(f"  remedy: {explanation.remedy}")
    about = {
        "user": decided.person.dn if decided.person else "",
        "access node": report.node,
        "at": f"{report.asked_at:%a %Y-%m-%d %H:%M %Z}, with the directory as it is now" if report.asked_at else "",
        "policy": decided.policy_name,
        "directory data": f"version {explanation.directory_version}, {explanation.directory_age:.0f} s old,"
        f" too old after {known.staleness_limit} s",
    }
    yield from (Text(f"  {what:<20} {value}") for what, value in about.items() if value)
    if explanation.steps:
        yield from _headed("what happens", [f"{count}. {step}" for count, step in enumerate(explanation.steps, 1)])
    if decided.candidates:
        yield from _headed("policies that could govern", ())
        for candidate in decided.candidates:
            yield Text(candidate_line(candidate), _GOOD if candidate.won else _QUIET)
    if known.tokens:
        yield from _headed("tokens", ())
        yield from (Text(_token_line(token), "" if token.usable else _QUIET) for token in known.tokens)
    yield from _group_lines(known.groups)
    yield from _headed("violations", _violations(known))
    if known.replies:
        kind = "what an accept carries" if explanation.reply_attributes else "what an accept would carry"
        yield from _headed(kind, [f"{item.name} = {item.value}   from {item.source}" for item in known.replies])
    yield from _headed("what is looked at", [f"{item.check:<20} {item.found}" for item in explanation.trace])


def _headed(heading: str, lines: Sequence[str]) -> Iterator[Text]:
    yield Text("")
    yield Text(heading, _HEAD)
    yield from (Text(f"  {line}") for line in lines)


def _token_line(token: TokenGround) -> str:
    found = f"{token.address}, from {token.attribute}" if token.usable else f"not usable: {token.why}"
    return f"  {token.kind:<20} {found}"


def _group_lines(groups: Sequence[GroupGround]) -> Iterator[Text]:
    """Those that decide about something, by their paths; of the others how many there are."""
    if not groups:
        return
    counting = [group for group in groups if group.counts_for]
    lines = [f"{' > '.join(group.path)}   for {', '.join(group.counts_for)}" for group in counting]
    others = len(groups) - len(counting)
    rest = [f"{others} {'more ' if counting else ''}that decide nothing here"] if others else []
    yield from _headed("groups", [*lines, *rest])


def _violations(known: Grounds) -> Sequence[str]:
    where = known.standing
    if where is None:
        return ("not known: there is no one user with a policy",)
    line = f"{where.violations} violations, {where.failures} wrong codes that count"
    today = day_line(where.today)
    if known.failures_to_lock is not None:
        return (f"{line}; {known.failures_to_lock} more lock", today)
    if known.locked_until is not None:
        return (f"{line}; locked until {known.locked_until:%Y-%m-%d %H:%M:%S} UTC", today)
    return (line, today)
