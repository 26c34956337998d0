"""A login in words, and as data."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from auth.audit.printable import printable
from auth.audit.reader import Written
from auth.audit.told.story import Story
from auth.reason import Reason


def as_text(story: Story) -> str:
    """The login with what it came to, what that means, what helps, and each step on the way."""
    return "\n".join(map(printable, _lines(story)))


class LoginTold(msgspec.Struct, frozen=True):
    """A login as it is recorded.

    Attributes:
        login: correlation id of the request that began it.
        at: when it began.
        name: the login name as typed, or the DN.
        outcome: what it came to.
        reason: the reason code.
        meaning: what that means.
        remedy: what helps.
        steps: as they stand in the audit, oldest first.
    """

    login: str
    at: datetime
    name: str
    outcome: str
    reason: str
    meaning: str
    remedy: str
    steps: Sequence[Written]


def as_data(story: Story) -> LoginTold:
    """The same for programs: the steps as they stand in the audit."""
    last = story.last
    reason = known_reason(last.reason)
    meaning, remedy = (reason.meaning, reason.remedy) if reason else ("", "")
    return LoginTold(
        story.login, story.steps[0].at, _name(story), last.outcome, last.reason, meaning, remedy, story.steps
    )


def step_line(step: Written) -> str:
    """An outcome on one line, for whoever watches them come."""
    return printable(
        f"{step.at:%Y-%m-%d %H:%M:%S}  {step.name or '-':20}  {_step(step)}  at {step.node}  {step.correlation}"
    )


def known_reason(code: str) -> Reason | None:
    """The reason with this code; None when another version has written it."""
    return next((reason for reason in Reason if reason.value == code), None)


def _lines(story: Story) -> Iterator[str]:
    first, last = story.steps[0], story.last
    yield f"{first.at:%Y-%m-%d %H:%M:%S} UTC  {_name(story)}  {last.outcome}: {last.reason}"
    yield f"    at {first.node} by {first.door} from {first.address}, login {story.login}"
    reason = known_reason(last.reason)
    if reason is not None:
        yield f"    {reason.meaning}"
        if reason.remedy:
            yield f"    what helps: {reason.remedy}"
    who = next((step for step in reversed(story.steps) if step.user), None)
    if who is not None:
        yield f"    {who.user}, policy {who.policy or 'none'}"
        yield f"    directory version {who.directory_version}, {who.directory_age:g} s old"
    for step in story.steps:
        yield f"      {step.at:%H:%M:%S.%f}"[:-3] + f"  {_step(step)}"


def _name(story: Story) -> str:
    return next((step.name or step.user for step in story.steps if step.name or step.user), "-")


def _step(step: Written) -> str:
    parts = [f"{step.outcome:10}  {step.reason}"]
    if step.method:
        parts.append(step.method)
    if step.destination:
        parts.append(f"to {step.destination}")
    if step.gateway:
        parts.append(f"by {step.gateway}")
    if step.message_id:
        parts.append(f"message {step.message_id}")
    if step.detail:
        parts.append(f"({step.detail})")
    if step.milliseconds:
        parts.append(f"{step.milliseconds:g} ms")
    return "  ".join(parts)
