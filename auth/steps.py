"""The steps that a login can take, and the decision that names the next one with its trace. Values only."""

from dataclasses import dataclass, field
from enum import StrEnum

from auth.effective import Candidate
from auth.reason import Reason
from auth.tokens import Usable
from dirsync.view import Person
from schema.entry import Policy
from schema.grammar import ReplyRule
from schema.words import Method


class Field(StrEnum):
    """Which field of the request is meant."""

    PASSWORD = "password"  # noqa: S105 - the name of a field
    CODE = "code"


@dataclass(frozen=True, slots=True)
class CheckPassword:
    """Ask the directory whether the password is right."""


@dataclass(frozen=True, slots=True)
class SendCode:
    """Mint a code, send it to the token's address, and ask for it."""

    token: Usable


@dataclass(frozen=True, slots=True)
class AskCode:
    """Ask for a code that the person's own token shows."""

    token: Usable
    reason: Reason = Reason.CODE_WANTED


@dataclass(frozen=True, slots=True)
class CheckCode:
    """Check the code that was typed, which stands in `field`."""

    token: Usable
    field: Field


@dataclass(frozen=True, slots=True)
class AskPassword:
    """Ask for the password."""


@dataclass(frozen=True, slots=True)
class Accept:
    """Let the person in."""

    reply_rules: tuple[ReplyRule, ...]


@dataclass(frozen=True, slots=True)
class Refuse:
    """Do not."""

    reason: Reason


Step = CheckPassword | SendCode | AskCode | CheckCode | AskPassword | Accept | Refuse


@dataclass(frozen=True, slots=True)
class Stage:
    """A method that a login has to pass, and how many tries it has for it."""

    method: Method
    attempts: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the trace: what was looked at, and what was found."""

    check: str
    found: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The next step of a login, and why.

    Attributes:
        step: what is to be done now.
        trace: what was looked at, in order.
        person: the user, once found.
        policy: the effective policy, once known.
        policy_name: its DN or name.
        candidates: every policy that could have governed, with why it lost.
        stage: how many methods have been passed.
        stages: the methods that this login has to pass.
    """

    step: Step
    trace: tuple[Finding, ...] = ()
    person: Person | None = None
    policy: Policy | None = None
    policy_name: str = ""
    candidates: tuple[Candidate, ...] = ()
    stage: int = 0
    stages: tuple[Stage, ...] = ()


@dataclass(slots=True)
class Trace:
    """The trace while it grows; it never leaves `decide`."""

    findings: list[Finding] = field(default_factory=list)

    def note(self, check: str, found: str) -> None:
        """Add what was looked at and what was found."""
        self.findings.append(Finding(check, found))
