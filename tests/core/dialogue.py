"""A login carried from its first step to its end, with somebody who answers as a test says."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from auth import decision
from auth.decision import Decision, decide, passed
from auth.facts import CodeVerdict, Evidence, Facts, Typed
from auth.reason import Reason
from auth.tokens import Usable
from core.logins import NOW
from dirsync.password import PasswordVerdict
from schema.words import Method, TokenKind

RADIUS = Evidence(typed_password=Typed.GIVEN)
HTTP = Evidence(typed_password=Typed.GIVEN, typed_code=Typed.GIVEN)


@dataclass
class Answers:
    """What the world says to each step: by default everything is right and every message arrives."""

    password: PasswordVerdict = PasswordVerdict.RIGHT
    codes: Iterator[CodeVerdict] | None = None
    lost: frozenset[TokenKind] = frozenset()
    send_limited: bool = False

    def code(self) -> CodeVerdict:
        return CodeVerdict.RIGHT if self.codes is None else next(self.codes, CodeVerdict.WRONG)


@dataclass
class Course:
    """How a login went.

    Attributes:
        steps: every step, in order; the last one is an Accept or a Refuse.
        verified: the methods for which there was a right verdict.
        tokens: the tokens of the codes that were checked.
        tries: codes checked since the method was begun.
        decided: the last decision.
    """

    steps: list[decision.Step] = field(default_factory=list)
    verified: list[Method] = field(default_factory=list)
    tokens: list[Usable] = field(default_factory=list)
    tries: int = 0
    decided: Decision | None = None

    @property
    def accepted(self) -> bool:
        return isinstance(self.steps[-1], decision.Accept)

    @property
    def reason(self) -> Reason | None:
        last = self.steps[-1]
        return last.reason if isinstance(last, decision.Refuse) else None

    @property
    def names(self) -> list[str]:
        return [type(step).__name__ for step in self.steps]


def login(
    facts: Facts | Callable[[], Facts], answers: Answers | None = None, first: Evidence = RADIUS, now=NOW
) -> Course:
    """Perform the steps as the service does, until there is an outcome.

    Args:
        facts: what is known; a callable is asked before each decision, for a directory that changes meanwhile.
        answers: what comes of the steps.
        first: what the first request brings.
        now: the instant.
    """
    answers = answers or Answers()
    course, evidence = Course(), first
    for _ in range(40):
        decided = course.decided = decide(facts() if callable(facts) else facts, evidence, now)
        course.steps.append(decided.step)
        if isinstance(decided.step, decision.Accept | decision.Refuse):
            return course
        if decided.stage != evidence.stage:
            evidence = passed(evidence, decided.stage)
            course.tries = 0
        evidence = _performed(course, decided, evidence, answers)
    raise AssertionError(f"a login without end: {course.names}")


def _performed(course: Course, decided: Decision, evidence: Evidence, answers: Answers) -> Evidence:
    match decided.step:
        case decision.CheckPassword():
            return _password(course, decided, evidence, answers.password)
        case decision.CheckCode(token=token):
            return _code(course, decided, replace(evidence, token=token.kind), token, answers.code())
        case decision.SendCode() if answers.send_limited:
            return replace(evidence, send_limited=True)
        case decision.SendCode(token=token) if token.kind in answers.lost:
            return replace(evidence, undelivered=evidence.undelivered | {token.kind})
        case decision.SendCode(token=token) | decision.AskCode(token=token):
            return Evidence(decided.stage, token=token.kind, typed_code=Typed.GIVEN, answering=True)
        case _:
            return Evidence(decided.stage, typed_password=Typed.GIVEN, answering=True)


def _password(course: Course, decided: Decision, evidence: Evidence, verdict: PasswordVerdict) -> Evidence:
    tolerated = verdict is PasswordVerdict.EXPIRED and decided.policy.allow_expired_password
    if verdict is PasswordVerdict.RIGHT or tolerated:
        course.verified.append(Method.PASSWORD)
    return replace(evidence, password=verdict)


def _code(course: Course, decided: Decision, evidence: Evidence, token: Usable, verdict: CodeVerdict) -> Evidence:
    course.tokens.append(token)
    course.tries += 1
    limit = min(decided.policy.code_attempts, decided.stages[decided.stage].attempts)
    if verdict is CodeVerdict.WRONG and course.tries >= limit:
        verdict = CodeVerdict.EXHAUSTED
    if verdict is CodeVerdict.RIGHT:
        course.verified.append(Method.TOKEN)
    return replace(evidence, code=verdict)
