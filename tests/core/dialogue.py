"""A login carried from its first step to its end, with somebody who answers as a test says."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from msgspec.structs import replace

from auth import steps
from auth.decision import decide
from auth.facts import CodeVerdict, Evidence, Facts, Field, PinShown, Question, Typed, Waiting
from auth.reason import Reason
from auth.steps import Decision, Step
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
    pin: PinShown = PinShown.RIGHT
    new_pin: PinShown = PinShown.CHANGED
    pins: Iterator[CodeVerdict] | None = None
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

    steps: list[Step] = field(default_factory=list)
    verified: list[Method] = field(default_factory=list)
    tokens: list[Usable] = field(default_factory=list)
    tries: int = 0
    decided: Decision | None = None

    @property
    def accepted(self) -> bool:
        return isinstance(self.steps[-1], steps.Accept)

    @property
    def reason(self) -> Reason | None:
        last = self.steps[-1]
        return last.reason if isinstance(last, steps.Refuse) else None

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
    for _ in range(60):
        decided = course.decided = decide(facts() if callable(facts) else facts, evidence, now)
        course.steps.append(decided.step)
        if isinstance(decided.step, steps.Accept | steps.Refuse):
            return course
        if decided.evidence.stage != evidence.stage:
            course.tries = 0
        evidence = _performed(course, decided, decided.evidence, answers)
    raise AssertionError(f"a login without end: {course.names}")


def _performed(course: Course, decided: Decision, evidence: Evidence, answers: Answers) -> Evidence:  # noqa: C901, PLR0912 - one branch for each step
    match decided.step:
        case steps.CheckPassword():
            return _password(course, decided, evidence, answers.password)
        case steps.CheckPin():
            return _pin(course, decided, evidence, answers)
        case steps.CheckNewPin():
            return replace(evidence, pin=answers.new_pin)
        case steps.KeepPin():
            return replace(evidence, pin=PinShown.RIGHT)
        case steps.CheckKeyword(token=token):
            verdict = _verdict(course, decided, answers.code())
            if verdict is CodeVerdict.RIGHT:
                return replace(evidence, keyword=token.kind, factor=True)
            return replace(evidence, token=token.kind, code=verdict)
        case steps.CheckCode(token=token):
            course.tokens.append(token)
            verdict = _verdict(course, decided, answers.code())
            if verdict is CodeVerdict.RIGHT:
                course.verified.append(Method.TOKEN)
            return replace(evidence, token=token.kind, code=verdict)
        case steps.SendCode() if answers.send_limited:
            return replace(evidence, send_limited=True)
        case steps.SendCode(token=token) if token.kind in answers.lost:
            return replace(evidence, undelivered=evidence.undelivered | {token.kind})
        case steps.SendCode(token=token, stock=stock):
            return _answer(evidence, Question(token.kind), sent=not stock)
        case steps.AskCode(token=token):
            waiting = evidence.waiting
            sent = waiting is not None and waiting.sent and waiting.question.token is token.kind
            return _answer(evidence, Question(token.kind), sent=sent)
        case steps.AskPassword():
            return _answer(evidence, Question.PASSWORD)
        case steps.AskPin():
            return _answer(evidence, Question.PIN)
        case steps.AskNewPin():
            course.tries += 1
            return _answer(evidence, Question.NEW_PIN, last_try=course.tries > 3)
        case _:
            raise AssertionError(decided.step)


def _answer(evidence: Evidence, question: Question, *, sent: bool = False, last_try: bool = False) -> Evidence:
    """What the answer to a challenge brings, as the service makes it up from the stored challenge."""
    field = Field.PASSWORD if question is Question.PASSWORD else Field.CODE
    waiting = Waiting(question, evidence.stage, sent=sent, last_try=last_try)
    return Evidence(evidence.methods, evidence.stage, answer=field, waiting=waiting).with_typed(field, Typed.GIVEN)


def _password(course: Course, decided: Decision, evidence: Evidence, verdict: PasswordVerdict) -> Evidence:
    tolerated = verdict is PasswordVerdict.EXPIRED and decided.policy.allow_expired_password
    if verdict is PasswordVerdict.RIGHT or tolerated:
        course.verified.append(Method.PASSWORD)
    course.tries += 1
    if evidence.waiting:
        tries = decided.stages[evidence.stage].attempts
        evidence = replace(evidence, waiting=replace(evidence.waiting, last_try=course.tries >= tries))
    return replace(evidence, password=verdict)


def _pin(course: Course, decided: Decision, evidence: Evidence, answers: Answers) -> Evidence:
    verdict = _verdict(course, decided, next(answers.pins, CodeVerdict.RIGHT) if answers.pins else CodeVerdict.RIGHT)
    if verdict is not CodeVerdict.RIGHT:
        return replace(evidence, code=verdict)
    if decided.stages[evidence.stage].method is Method.PIN:
        course.verified.append(Method.PIN)
    return replace(evidence, pin=answers.pin, pin_length=4, code_length=6)


def _verdict(course: Course, decided: Decision, verdict: CodeVerdict) -> CodeVerdict:
    """The verdict, when that was the last try said to be so."""
    course.tries += 1
    stage = decided.stages[decided.evidence.stage]
    limit = min(decided.policy.code_attempts, stage.attempts) if stage.method is Method.TOKEN else stage.attempts
    retried = verdict in {CodeVerdict.WRONG, CodeVerdict.RESYNCHRONISE}
    return CodeVerdict.EXHAUSTED if retried and course.tries >= limit else verdict
