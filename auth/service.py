"""The use case: begin a login, answer its challenge, decline what is neither. The front doors speak to nothing else."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from auth import steps
from auth.audit import AuditLine, AuditTrail, AuditUnavailable
from auth.clock import Clock, Entropy
from auth.coalesce import Coalescer
from auth.code_check import CodeCheck
from auth.decision import decide, passed
from auth.delivery import Delivery, Errand
from auth.facts import CodeVerdict, Evidence, Typed
from auth.facts_reader import FactsReader
from auth.incident import describe
from auth.judges.base import Asked
from auth.judges.minted import MintedJudge
from auth.password_gate import PasswordGates
from auth.prompts import PASSWORD_PROMPT, code_prompt, destination
from auth.reason import Reason
from auth.request import (
    Accepted,
    AnswerRequest,
    Challenged,
    LoginRequest,
    Origin,
    Outcome,
    Refused,
    ReplyAttribute,
)
from auth.state import Challenge, StateUnavailable, Store, state_key
from auth.steps import Decision, Field
from auth.tokens import Usable
from auth.why.record import Event, Journal, JournalUnavailable, Moment
from dirsync.errors import ReplicaUnavailable
from dirsync.password import PasswordVerdict
from dirsync.view import Freshness, Person
from schema.entry import Policy
from schema.errors import Fault
from schema.secret import Secret
from schema.words import TokenKind

_log = logging.getLogger("dirfactor.service")
_SEND_WINDOW = 900  # seconds in which dirfactorCodesPerWindow is counted
_STATE_OCTETS = 24
_Told = TypeVar("_Told", bound=Outcome)
_PASSWORD = "password"  # noqa: S105 - the name of what is asked for


@dataclass(frozen=True, slots=True)
class Parts:
    """What the service works with.

    Attributes:
        known: reads facts.
        passwords: asks the directories.
        store: open logins and failures.
        minted: draws the codes that we send.
        codes: checks codes.
        delivery: sends them.
        audit: records outcomes.
        journal: keeps what they were decided from.
        clock: where time comes from.
        entropy: where randomness comes from.
        refusal_seconds: no refusal is given sooner.
    """

    known: FactsReader
    passwords: PasswordGates
    store: Store
    minted: MintedJudge
    codes: CodeCheck
    delivery: Delivery
    audit: AuditTrail
    journal: Journal
    clock: Clock
    entropy: Entropy
    refusal_seconds: float


@dataclass(slots=True)
class _Session:
    """One request on its way through the service; never leaves it."""

    origin: Origin
    name: str
    find: Callable[[], tuple[Person, ...]]
    texts: dict[Field, Secret]
    evidence: Evidence
    challenge: Challenge | None = None
    login: str = ""  # correlation of the request that began it, when this is a later step
    decision: Decision | None = None
    moments: list[Moment] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)


class LoginService:
    """`auth.request.Service` over a directory replica, a state store and the channels."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._coalescer = Coalescer(parts.entropy.octets(32), parts.clock.monotonic)

    async def begin(self, request: LoginRequest) -> Outcome:
        """Start a login; equal first steps share one outcome. See `auth.request.Service.begin`."""
        session = self._first_step(request)
        started = self._parts.clock.monotonic()

        async def run() -> Outcome:
            return await self._conclude(session, started, self._advance(session))

        seconds, basis = self._shareable(request)
        outcome, login = await self._coalescer.run(request, seconds, run, basis)
        if login != request.origin.correlation:
            joined = replace(session, origin=request.origin, notes={"detail": "joined the login under way"})
            outcome = self._record(joined, started, _shared(outcome, request.origin), login)
        return await self._not_too_soon(started, outcome)

    async def answer(self, request: AnswerRequest) -> Outcome:
        """Continue a login. See `auth.request.Service.answer`."""
        started = self._parts.clock.monotonic()
        session = _Session(request.origin, request.user or "", tuple, {}, Evidence())
        outcome = await self._conclude(session, started, self._answer(session, request))
        return await self._not_too_soon(started, outcome)

    async def decline(self, origin: Origin, user: str, reason: Reason) -> Refused:
        """Record and refuse what is neither. See `auth.request.Service.decline`."""
        started = self._parts.clock.monotonic()
        session = _Session(origin, user, tuple, {}, Evidence())
        return await self._not_too_soon(started, self._record(session, started, Refused(reason)))

    def _shareable(self, request: LoginRequest) -> tuple[int, object]:
        """For how many seconds equal first steps share a challenge, and what the directory says of person and node.

        When that cannot be known nothing is shared, and the login itself reports why.
        """
        reader = self._parts.known
        try:
            node = reader.nodes.named(request.origin.node)
            people = reader.people(request.origin.node, request.user)
        except Fault:
            return 0, None
        return (node.node.coalesce_seconds, (node.facts, people)) if node else (0, people)

    def _first_step(self, request: LoginRequest) -> _Session:
        texts = {Field.PASSWORD: request.password, Field.CODE: request.passcode}
        return _Session(
            origin=request.origin,
            name=request.user,
            find=lambda: self._parts.known.people(request.origin.node, request.user),
            texts={key: text for key, text in texts.items() if text is not None},
            evidence=Evidence(typed_password=_typed(request.password), typed_code=_typed(request.passcode)),
        )

    async def _answer(self, session: _Session, request: AnswerRequest) -> Outcome:
        """Take the challenge, which nobody else can take after us, and go on from its stage."""
        challenge = self._parts.store.attempt(request.state, request.origin.node)
        self._coalescer.answered(state_key(request.state))
        if challenge is None:
            return Refused(Reason.CHALLENGE_UNKNOWN)
        session.challenge, session.login = challenge, challenge.correlation
        if challenge.expires_at <= self._parts.clock.now():
            return Refused(Reason.CHALLENGE_EXPIRED)
        if request.user is not None and challenge.user not in self._parts.known.ids(request.origin.node, request.user):
            return Refused(Reason.CHALLENGE_UNKNOWN)
        person = self._parts.known.directory.person(challenge.user)
        session.find = lambda: (person,) if person else ()
        typed = _typed(request.answer)
        if challenge.method == _PASSWORD:
            session.texts = {Field.PASSWORD: request.answer}
            session.evidence = Evidence(stage=challenge.stage, typed_password=typed, answering=True)
        else:
            session.texts = {Field.CODE: request.answer}
            kind = TokenKind(challenge.method)
            session.evidence = Evidence(stage=challenge.stage, token=kind, typed_code=typed, answering=True)
        return await self._advance(session)

    async def _advance(self, session: _Session) -> Outcome:
        """Decide, perform the step, come back with what it showed, until there is an outcome."""
        while True:
            now = self._parts.clock.now()
            facts = self._parts.known.facts(session.origin.node, session.find())
            decided = decide(facts, session.evidence, now)
            session.decision = decided
            session.moments.append(Moment(facts, session.evidence, now, decided.step))
            if decided.stage != session.evidence.stage:
                session.evidence = passed(session.evidence, decided.stage)
                session.challenge = None
            outcome = await self._perform(session, decided, now)
            if outcome is not None:
                return outcome

    async def _perform(self, session: _Session, decided: Decision, now: datetime) -> Outcome | None:
        """One step: an outcome, or None with more evidence in the session."""
        match decided.step:
            case steps.Accept(reply_rules=rules):
                return Accepted(tuple(ReplyAttribute(rule.name, rule.value) for rule in rules))
            case steps.Refuse(reason=reason):
                return Refused(reason)
            case steps.CheckPassword():
                verdict = await self._check_password(decided, session.texts[Field.PASSWORD])
                session.evidence = replace(session.evidence, password=verdict)
                return None
            case steps.CheckCode(token=token, field=where):
                code = await self._check_code(session, decided, token, session.texts[where], now)
                session.evidence = replace(session.evidence, code=code, token=token.kind)
                return None
            case steps.SendCode(token=token):
                return await self._send(session, decided, token, now)
            case steps.AskCode(token=token, reason=reason):
                return self._ask_again(session, decided, token, reason, now)
            case steps.AskPassword():
                return self._open(session, decided, _PASSWORD, None, PASSWORD_PROMPT, Reason.PASSWORD_WANTED, now)

    async def _check_password(self, decided: Decision, password: Secret) -> PasswordVerdict:
        if decided.person is None:
            return PasswordVerdict.UNAVAILABLE
        return await self._parts.passwords.ask(decided.person.directory, decided.person.dn, password)

    async def _check_code(
        self, session: _Session, decided: Decision, token: Usable, typed: Secret, now: datetime
    ) -> CodeVerdict:
        session.notes["method"] = token.kind
        if decided.person is None or decided.policy is None:
            return CodeVerdict.UNAVAILABLE
        attempts = session.challenge.attempts_left if session.challenge else self._attempts(decided)
        asked = Asked(decided.person, decided.policy, token, session.challenge)
        checked = await self._parts.codes.check(asked, typed, now)
        if checked.detail:
            session.notes["detail"] = checked.detail
        return CodeVerdict.EXHAUSTED if checked.verdict is CodeVerdict.WRONG and attempts <= 1 else checked.verdict

    async def _send(self, session: _Session, decided: Decision, token: Usable, now: datetime) -> Outcome | None:
        """Open the challenge, then send its code: never a text for a challenge that is not there."""
        person, policy = decided.person, decided.policy
        if person is None or policy is None:
            return Refused(Reason.INTERNAL_FAULT)
        key = f"send {person.id.hex()}"
        if not self._parts.store.count(key, now, _SEND_WINDOW, policy.codes_per_window):
            session.evidence = replace(session.evidence, send_limited=True)
            return None
        identity = self._parts.entropy.octets(16)
        code, digest = self._parts.minted.mint(identity, policy.code_length)
        prompt = code_prompt(policy, token, Reason.CODE_SENT)
        asked = self._open(session, decided, token.kind, digest, prompt, Reason.CODE_SENT, now, identity=identity)
        session.notes["destination"] = destination(token)
        try:
            errand = Errand(person.id, session.login or session.origin.correlation)
            receipt = await self._parts.delivery.deliver(token, policy, (code,), errand)
        except Fault as fault:
            self._parts.store.attempt(asked.state, session.origin.node)
            session.notes["detail"] = fault.problem
            _log.error("%s: %s", session.origin.correlation, fault)
            undelivered = session.evidence.undelivered | {token.kind}
            session.evidence = replace(session.evidence, undelivered=undelivered)
            return None
        session.notes |= {"gateway": receipt.gateway, "message_id": receipt.message_id or ""}
        return asked

    def _ask_again(
        self, session: _Session, decided: Decision, token: Usable, reason: Reason, now: datetime
    ) -> Challenged:
        """Ask for a code that exists already: the token shows it, or it was sent before."""
        prompt = code_prompt(decided.policy or Policy(name=""), token, reason)
        earlier = session.challenge
        if earlier is None:
            used = 1 if session.evidence.code is not None else 0
            return self._open(session, decided, token.kind, None, prompt, reason, now, used=used)
        again = msgspec.structs.replace(earlier, attempts_left=earlier.attempts_left - 1)
        return self._issue(session, again, prompt, reason, now)

    def _open(
        self,
        session: _Session,
        decided: Decision,
        method: str,
        digest: bytes | None,
        prompt: str,
        reason: Reason,
        now: datetime,
        *,
        identity: bytes | None = None,
        used: int = 0,
    ) -> Challenged:
        person, policy = decided.person, decided.policy
        if person is None or policy is None:
            raise Fault("a challenge needs a user and a policy", remedy="report this with the log")
        challenge = Challenge(
            id=identity or self._parts.entropy.octets(16),
            user=person.id,
            node=session.origin.node,
            stage=decided.stage,
            method=method,
            digest=digest,
            expires_at=now + timedelta(seconds=policy.code_lifetime),
            attempts_left=self._attempts(decided) - used,
            correlation=session.login or session.origin.correlation,
        )
        session.notes["method"] = method
        return self._issue(session, challenge, prompt, reason, now)

    def _issue(self, session: _Session, challenge: Challenge, prompt: str, reason: Reason, now: datetime) -> Challenged:
        """Store the challenge under a state value of its own."""
        state = Secret(self._parts.entropy.octets(_STATE_OCTETS).hex())
        self._parts.store.begin(state, challenge)
        session.notes["method"] = challenge.method
        seconds = max(1, int((challenge.expires_at - now).total_seconds()))
        return Challenged(state, prompt, challenge.method, seconds, reason)

    def _attempts(self, decided: Decision) -> int:
        policy = decided.policy or Policy(name="")
        return min(policy.code_attempts, decided.stages[decided.stage].attempts)

    async def _conclude(self, session: _Session, started: float, login: Awaitable[Outcome]) -> Outcome:
        """The outcome, whatever happens on the way, and its audit line."""
        try:
            outcome = await login
        except StateUnavailable as fault:
            outcome = self._fault(session, Reason.STATE_UNAVAILABLE, fault)
        except ReplicaUnavailable as fault:
            outcome = self._fault(session, Reason.REPLICA_UNAVAILABLE, fault)
        except Fault as fault:
            outcome = self._fault(session, Reason.INTERNAL_FAULT, fault)
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody is let in by it
            _log.error("%s: %s", session.origin.correlation, describe(error))
            outcome = Refused(Reason.INTERNAL_FAULT)
        return self._record(session, started, outcome)

    def _fault(self, session: _Session, reason: Reason, fault: Fault) -> Refused:
        _log.error("%s: %s", session.origin.correlation, fault)
        session.notes["detail"] = fault.problem
        return Refused(reason)

    def _record(self, session: _Session, started: float, outcome: _Told, login: str = "") -> _Told | Refused:
        """Keep what was decided from, and write the audit line; without the line nobody is let in."""
        self._keep(session, outcome, login)
        try:
            self._parts.audit.write(self._line(session, started, outcome, login))
        except AuditUnavailable as fault:
            _log.error("%s: %s", session.origin.correlation, fault)
            return Refused(Reason.AUDIT_UNAVAILABLE)
        return outcome

    def _keep(self, session: _Session, outcome: Outcome, login: str) -> None:
        name, at = _OUTCOME_NAMES[type(outcome)], self._parts.clock.now()
        moments = tuple(session.moments)
        origin, begun = session.origin, login or session.login
        try:
            self._parts.journal.keep(Event(at, origin.correlation, begun, origin.node, name, outcome.reason, moments))
        except JournalUnavailable as fault:
            _log.error("%s: %s", origin.correlation, fault)
            session.notes["journal"] = fault.problem

    def _line(self, session: _Session, started: float, outcome: Outcome, login: str) -> AuditLine:
        now = self._parts.clock.now()
        decided = session.decision
        person = decided.person if decided else None
        freshness = self._freshness()
        return AuditLine(
            at=now,
            correlation=session.origin.correlation,
            login=login or session.login,
            outcome=_OUTCOME_NAMES[type(outcome)],
            reason=outcome.reason,
            door=session.origin.door,
            node=session.origin.node,
            address=session.origin.address,
            name=session.name[:253],
            user=person.dn if person else "",
            user_id=person.id.hex() if person else "",
            policy=decided.policy_name if decided else "",
            directory_version=freshness.version,
            directory_age=round(min(freshness.age(now), _OLDEST), 1),
            milliseconds=round((self._parts.clock.monotonic() - started) * 1000, 1),
            **session.notes,
        )

    def _freshness(self) -> Freshness:
        """The replica's; none where it cannot be read, which must not keep an outcome from being recorded."""
        try:
            return self._parts.known.directory.freshness()
        except ReplicaUnavailable:
            return Freshness(0, None)

    async def _not_too_soon(self, started: float, outcome: _Told) -> _Told:
        """Every refusal takes the same time at least, so that its time does not tell the cases apart."""
        if isinstance(outcome, Refused):
            left = started + self._parts.refusal_seconds - self._parts.clock.monotonic()
            await asyncio.sleep(max(0.0, left))
        return outcome


_OUTCOME_NAMES = {Accepted: "accepted", Challenged: "challenged", Refused: "refused"}
_OLDEST = 1e9  # JSON has no infinity


def _shared(outcome: Outcome, origin: Origin) -> Outcome:
    """What a repeat of a first step is told: an accept only where the client itself says that it is the same login.

    Otherwise somebody else who has seen password and code may be asking at the same moment; a port or a calling
    station does not tell, for they may be the same for everybody.
    """
    return Refused(Reason.CHALLENGE_UNKNOWN) if isinstance(outcome, Accepted) and not origin.session else outcome


def _typed(text: Secret | None) -> Typed:
    if text is None:
        return Typed.ABSENT
    return Typed.GIVEN if text else Typed.EMPTY
