"""The steps that a login can take, and the decision that names the next one with its trace. Values only."""

from dataclasses import dataclass, field

import msgspec

from auth.effective import Candidate
from auth.facts import Evidence, Field
from auth.reason import Reason
from auth.tokens import Usable
from dirsync.view import Person
from schema.entry import Policy
from schema.grammar import ReplyRule
from schema.words import KeywordKind, Method, TokenKind

WHOLE: tuple[None, None] = (None, None)
"""The bounds of a whole field."""


class Part(msgspec.Struct, frozen=True):
    """A part of a field: its characters from `start` up to `end`, as a slice counts them."""

    field: Field
    start: int | None = None
    end: int | None = None


Words = tuple[tuple[str, TokenKind], ...]
"""Keywords that may stand in place of a code, each with the token that it has a code sent by."""


class CheckPassword(msgspec.Struct, frozen=True):
    """Ask the directory whether the password is right."""

    part: Part


class CheckPin(msgspec.Struct, frozen=True):
    """Check the PIN at the beginning of what was typed, unless all of it is one of the words.

    Attributes:
        part: where PIN and what follows it stand.
        code_lengths: how many characters of a code may follow; none when the PIN stands by itself.
        words: the keywords.
    """

    part: Part
    code_lengths: tuple[int, ...] = ()
    words: Words = ()


class CheckNewPin(msgspec.Struct, frozen=True):
    """See whether a new PIN was typed, twice the same, and whether the policy allows it."""

    part: Part


class KeepPin(msgspec.Struct, frozen=True):
    """Put the new PIN, of which this is one copy, in the place of the old one."""

    part: Part


class CheckKeyword(msgspec.Struct, frozen=True):
    """Check the PIN or password that is the token's keyword."""

    token: Usable
    kind: KeywordKind
    part: Part


class CheckCode(msgspec.Struct, frozen=True):
    """Check the code that was typed, unless it is one of the words."""

    token: Usable
    part: Part
    words: Words = ()


class SendCode(msgspec.Struct, frozen=True):
    """Have a code sent to the token's address, and ask for it.

    Attributes:
        token: whose.
        stock: how many codes for logons to come the message has; 0 for one code that is good for this login only.
    """

    token: Usable
    stock: int = 0


class AskCode(msgspec.Struct, frozen=True):
    """Ask for a code that the person has already."""

    token: Usable
    reason: Reason = Reason.CODE_WANTED


class AskPassword(msgspec.Struct, frozen=True):
    """Ask for the password."""

    reason: Reason = Reason.PASSWORD_WANTED


class AskPin(msgspec.Struct, frozen=True):
    """Ask for the PIN."""

    reason: Reason = Reason.PIN_WANTED


class AskNewPin(msgspec.Struct, frozen=True):
    """Ask for a new PIN, typed twice."""

    reason: Reason = Reason.PIN_EXPIRED


class Forward(msgspec.Struct, frozen=True):
    """Have another RADIUS server decide.

    Attributes:
        target: address and port of it.
        part: where that stands which it is to judge.
    """

    target: str
    part: Part


class AskForwarded(msgspec.Struct, frozen=True):
    """Ask what the other server asks."""


class AcceptForwarded(msgspec.Struct, frozen=True):
    """Let the person in, because the other server does."""


class Accept(msgspec.Struct, frozen=True):
    """Let the person in."""

    reply_rules: tuple[ReplyRule, ...]


class Refuse(msgspec.Struct, frozen=True):
    """Do not."""

    reason: Reason


Check = CheckPassword | CheckPin | CheckNewPin | CheckKeyword | CheckCode
Ask = AskCode | AskPassword | AskPin | AskNewPin
Performed = Check | KeepPin | SendCode | Ask
Elsewhere = Forward | AskForwarded | AcceptForwarded
Step = Performed | Elsewhere | Accept | Refuse


class Stage(msgspec.Struct, frozen=True):
    """A method that a login has to pass, and how many tries it has for it."""

    method: Method
    attempts: int


class Finding(msgspec.Struct, frozen=True):
    """One line of the trace: what was looked at, and what was found."""

    check: str
    found: str


class Decision(msgspec.Struct, frozen=True):
    """The next step of a login, and why.

    Attributes:
        step: what is to be done now.
        trace: what was looked at, in order.
        person: the user, once found.
        policy: the effective policy, once known.
        policy_name: its DN or name.
        candidates: every policy that could have governed, with why it lost.
        evidence: what was shown, for the next decision: of methods that were passed nothing is left in it.
        stages: the methods that this login has to pass.
    """

    step: Step
    trace: tuple[Finding, ...] = ()
    person: Person | None = None
    policy: Policy | None = None
    policy_name: str = ""
    candidates: tuple[Candidate, ...] = ()
    evidence: Evidence = Evidence()
    stages: tuple[Stage, ...] = ()

    @property
    def methods(self) -> tuple[Method, ...]:
        """The methods that this login has to pass, in order."""
        return tuple(stage.method for stage in self.stages)


@dataclass(slots=True)
class Trace:
    """The trace while it grows; it never leaves `decide`."""

    findings: list[Finding] = field(default_factory=list)

    def note(self, check: str, found: str) -> None:
        """Add what was looked at and what was found."""
        self.findings.append(Finding(check, found))
