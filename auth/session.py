"""One request on its way through the service: what it brought, what it has shown, what is recorded of it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from auth.chap.response import MsChap2Success, Shown
from auth.facts import Evidence, Field
from auth.forwarding import Verdict
from auth.repeats import Repeat
from auth.request import Origin
from auth.state import Challenge, Recalled
from auth.steps import Decision, Part
from auth.why.record import Moment
from dirsync.view import Person
from schema.errors import Fault
from schema.secret import Secret

_NOTHING = Recalled()


@dataclass(slots=True)
class Session:
    """It never leaves the service.

    Attributes:
        origin: where the request came from.
        name: the login name as typed.
        find: gives the users that it may stand for, as of now.
        texts: what was typed, by field, as the client shows it.
        evidence: what was shown.
        recalled: what the store remembers of the user, as of the last decision.
        challenge: the open challenge that it answers, or may answer.
        taken: whether a challenge that waited for this second login is out of the store.
        login: correlation of the request that began the login, when this is a later step.
        decision: the last one.
        moments: everything that was decided, for the journal.
        notes: for the audit.
        held: what the judge of a code wants to find again.
        success: what a client of MS-CHAPv2 is told with the accept.
        verdict: what another server said.
        repeat: what it has in common with first steps that repeat it; None for what is no first step.
        second_login: at a node that can ask nothing, under what a challenge waits for the second login.
    """

    origin: Origin
    name: str
    find: Callable[[], tuple[Person, ...]]
    texts: dict[Field, Shown]
    evidence: Evidence
    recalled: Recalled = _NOTHING
    challenge: Challenge | None = None
    taken: bool = False
    login: str = ""
    decision: Decision | None = None
    moments: list[Moment] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    held: bytes | None = field(default=None, repr=False)
    success: MsChap2Success | None = None
    second_login: Secret | None = None
    repeat: Repeat | None = None
    verdict: Verdict | None = None

    def text(self, part: Part) -> Secret:
        """What was typed in a part of a field.

        Raises:
            Fault: there is only a response that was computed from it, and no decision may want to read it.
        """
        shown = self.texts[part.field]
        if not isinstance(shown, Secret):
            raise Fault("a response is no text", remedy="report this with the log")
        return Secret(shown.text[part.start : part.end])

    def shown(self, part: Part) -> Shown:
        """What was typed in a part of a field, or the response that was computed from all of the field."""
        shown = self.texts[part.field]
        return self.text(part) if isinstance(shown, Secret) else shown

    @property
    def kept_pin(self) -> bytes | None:
        """The PIN that the user has chosen, which is the one value that `FactsReader.wanted` recalls."""
        return self.recalled.kept[0] if self.recalled.kept else None

    @property
    def shows_responses(self) -> bool:
        """Whether the client shows responses instead of what was typed."""
        return any(not isinstance(shown, Secret) for shown in self.texts.values())

    @property
    def answered(self) -> Challenge | None:
        """The challenge of the method that the login has come to."""
        challenge = self.challenge
        return challenge if challenge is not None and challenge.stage == self.evidence.stage else None
