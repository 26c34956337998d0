"""Which logins are asked for."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from auth.audit.reader import Written
from auth.audit.told.story import Story
from schema.parse import fold

LONGEST_LOGIN = timedelta(hours=2)
"""No login goes on for longer: a challenge is answered within an hour, and begun within another."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a login must be like; what is empty does not count.

    Attributes:
        names: login names and DNs of the person, folded; one of them or of `ids` must be in a step.
        ids: objectGUIDs or entryUUIDs of the person, as 32 hexadecimal digits.
        login: correlation id of the request that began it.
        node: access node.
        reason: reason code that a step came to.
        is_refused: that it came to a refusal.
        since: that it was going on at this instant or later.
    """

    names: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()
    login: str = ""
    node: str = ""
    reason: str = ""
    is_refused: bool = False
    since: datetime | None = None

    def takes(self, story: Story) -> bool:
        """Whether the login is asked for."""
        return (
            self.login in {"", story.login}
            and (self.since is None or story.last.at >= self.since)
            and (not self.is_refused or story.last.outcome == "refused")
            and any(self.takes_step(step) for step in story.steps)
        )

    def takes_step(self, step: Written) -> bool:
        """Whether a step by itself is: of the person, at the node, for the reason."""
        is_theirs = step.user_id in self.ids or fold(step.name) in self.names or fold(step.user) in self.names
        return (
            (is_theirs or not (self.names or self.ids))
            and self.node in {"", step.node}
            and self.reason in {"", step.reason}
        )

    def worthwhile(self) -> Callable[[bytes], bool]:
        """Tells of lines, one or many, whether any can be wanted: by what must stand in each step of the login.

        Letters that are not ASCII and spaces have several forms that count as the same: by them nothing is ruled out.
        """
        needles = {self.login} if self.login else {*self.names, *self.ids}
        if not needles or not all(needle.isascii() and " " not in needle for needle in needles):
            return bool
        octets = [json.dumps(needle.lower())[1:-1].encode() for needle in needles]

        def any_of_them(lines: bytes) -> bool:
            lowered = lines.lower()
            return any(each in lowered for each in octets)

        return any_of_them

    def is_past(self, at: datetime) -> bool:
        """Whether nothing recorded at this instant or before can be of a login that is asked for."""
        return self.since is not None and at < self.since - LONGEST_LOGIN
