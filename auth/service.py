"""The use case: begin a login, answer its challenge, decline what is neither. The front doors speak to nothing else."""

import logging
from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from auth.audit import AuditLine, AuditTrail, AuditUnavailable
from auth.clock import Clock, Entropy
from auth.coalesce import Coalescer
from auth.decision import proceed, weigh
from auth.facts import Evidence, Field, Question, Waiting, typed
from auth.facts_reader import FactsReader
from auth.floor import Floor
from auth.incident import describe
from auth.performing import Performer
from auth.reason import Reason
from auth.recording import Recorder
from auth.repeats import Repeat
from auth.request import REFUSAL, Accepted, AnswerRequest, Challenged, LoginRequest, Origin, Outcome, Refused
from auth.session import Session
from auth.state import Challenge, StateUnavailable, Store, Wanted, second_login, state_key
from auth.turn import Turns
from auth.why.record import Event, Journal, Moment
from dirsync.errors import ReplicaUnavailable
from dirsync.view import Freshness, Person
from schema.entry import EntryId
from schema.errors import Fault
from schema.words import LoginMode

_log = logging.getLogger("dirfactor.service")
_LATENESS_SECONDS = 60.0
"""For so long it is not told again that refusals are late."""
_UNASKED = (LoginMode.APPEND, LoginMode.REJECT_THEN_CODE)
_Told = TypeVar("_Told", bound=Outcome)


@dataclass(frozen=True, slots=True)
class Parts:
    """What the service works with.

    Attributes:
        known: reads facts.
        store: open logins and failures.
        performer: performs the steps.
        audit: records outcomes.
        journal: keeps what they were decided from.
        clock: where time comes from.
        entropy: where randomness comes from.
        refusal_seconds: no refusal is given sooner.
        refusal: the wording of all refusals.
        turns: those of the event loop.
        coalescer: first steps that are repeats of each other; one of its own when absent.
    """

    known: FactsReader
    store: Store
    performer: Performer
    audit: AuditTrail
    journal: Journal
    clock: Clock
    entropy: Entropy
    refusal_seconds: float
    refusal: str = REFUSAL
    turns: Turns = field(default_factory=Turns)
    coalescer: Coalescer | None = None


class LoginService:
    """`auth.request.Service` over a directory replica, a state store and the channels."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._coalescer = parts.coalescer or Coalescer(parts.entropy.octets(32), parts.clock.monotonic)
        self._recorder = Recorder(parts.audit, parts.journal)
        self._silent_until = float("-inf")  # about refusals that are late

    async def begin(self, request: LoginRequest) -> Outcome:
        """Start a login; equal first steps share one outcome. See `auth.request.Service.begin`."""
        floor, started = self._arrived()
        session = self._first_step(request)
        seconds, basis = self._shareable(request, session)

        if seconds > 0:
            session.repeat = Repeat(self._coalescer.same(request), seconds)

        async def run() -> Outcome:
            return await self._conclude(session, started, self._begin(session))

        outcome, login = await self._coalescer.run(request, seconds, run, basis)
        if login != request.origin.correlation and await self._answered_elsewhere(session, outcome):
            outcome, login = await self._coalescer.run(request, seconds, run, basis)
        if login != request.origin.correlation:
            joined = replace(session, origin=request.origin, notes={"detail": "joined the login under way"})
            outcome = await self._record(joined, started, outcome, login)
        return await self._not_too_soon(floor, started, _told(outcome, session))

    async def answer(self, request: AnswerRequest) -> Outcome:
        """Continue a login. See `auth.request.Service.answer`."""
        floor, started = self._arrived()
        session = Session(request.origin, request.user or "", tuple, {}, Evidence())
        outcome = await self._conclude(session, started, self._answer(session, request))
        return await self._not_too_soon(floor, started, outcome)

    async def decline(self, origin: Origin, user: str, reason: Reason) -> Refused:
        """Record and refuse what is neither. See `auth.request.Service.decline`."""
        floor, started = self._arrived()
        session = Session(origin, user, tuple, {}, Evidence())
        return await self._not_too_soon(floor, started, await self._record(session, started, Refused(reason)))

    async def _answered_elsewhere(self, session: Session, outcome: Outcome) -> bool:
        """Whether the challenge of an equal first step was answered at another node, so that this is another login."""
        if not isinstance(outcome, Challenged) or session.second_login is not None:
            return False
        try:
            if await self._parts.store.waiting(outcome.state, session.origin.node) is not None:
                return False
        except StateUnavailable:
            return False  # the answer to it will not be accepted either
        self._coalescer.answered(state_key(outcome.state))
        return True

    def _shareable(self, request: LoginRequest, session: Session) -> tuple[int, object]:
        """For how many seconds equal first steps share a challenge, and what the directory says of person and node.

        When that cannot be known nothing is shared, and the login itself reports why. Also tells the session under what
        a second login would find the challenge of the first, at a node that can ask nothing.
        """
        reader = self._parts.known
        try:
            node = reader.nodes.named(request.origin.node)
            people = session.find()
        except Exception:  # noqa: BLE001 - the login meets it again, where it is recorded
            return 0, None
        if node is None:
            return 0, people
        if node.node.login_mode in _UNASKED and len(people) == 1:
            key = self._parts.performer.minted.key
            session.second_login = second_login(key, people[0].id, node.node.name, request.origin.station)
        return node.node.coalesce_seconds, (node.facts, people)

    def _first_step(self, request: LoginRequest) -> Session:
        """Whom the name means is looked up once: what one user shows must not count for who gets the name meanwhile."""
        known = self._parts.known
        meant: tuple[EntryId, ...] | None = None

        def find() -> tuple[Person, ...]:
            nonlocal meant
            if meant is None:
                meant = known.ids(request.origin.node, request.user)
            return known.entries(meant)

        texts = {Field.PASSWORD: request.password, Field.CODE: request.passcode}
        return Session(
            origin=request.origin,
            name=request.user,
            find=find,
            texts={key: text for key, text in texts.items() if text is not None},
            evidence=Evidence(typed_password=typed(request.password), typed_code=typed(request.passcode)),
        )

    async def _begin(self, session: Session) -> Outcome:
        """Go on from the challenge of an earlier login at a node that can ask nothing, where there is one.

        It stays there until something is held against it: whoever knows no more than the name cannot take it away.
        """
        state = session.second_login
        waiting = await self._parts.store.waiting(state, session.origin.node) if state else None
        if state is None or waiting is None or waiting.expires_at <= self._parts.clock.now():
            return await self._advance(session)
        self._coalescer.answered(state_key(state))
        session.challenge, session.login = waiting, waiting.correlation
        session.evidence = msgspec.structs.replace(session.evidence, methods=waiting.methods, waiting=_waiting(waiting))
        return await self._advance(session)

    async def _answer(self, session: Session, request: AnswerRequest) -> Outcome:
        """Take the challenge, which nobody else can take after us, and go on from its stage."""
        challenge = await self._parts.store.attempt(request.state, request.origin.node)
        self._coalescer.answered(state_key(request.state))
        if challenge is None:
            return Refused(Reason.CHALLENGE_UNKNOWN)
        session.challenge, session.login = challenge, challenge.correlation
        if challenge.expires_at <= self._parts.clock.now():
            return Refused(Reason.CHALLENGE_EXPIRED)
        if request.user is not None and challenge.user not in self._parts.known.ids(request.origin.node, request.user):
            return Refused(Reason.CHALLENGE_UNKNOWN)
        session.find = lambda: self._parts.known.entries([challenge.user])
        field = Field.PASSWORD if challenge.question is Question.PASSWORD else Field.CODE
        session.texts = {field: request.answer}
        asked = Evidence(challenge.methods, challenge.stage, answer=field, waiting=_waiting(challenge))
        session.evidence = asked.with_typed(field, typed(request.answer))
        return await self._advance(session)

    async def _advance(self, session: Session) -> Outcome:
        """Decide, perform the step, come back with what it showed, until there is an outcome.

        While no step has to wait for anybody, it is one moment: nothing but what the steps themselves do can change.
        """
        known, turns, node = self._parts.known, self._parts.turns, session.origin.node
        moment, now, weighed, wanted = 0, _BEGINNING, None, Wanted()
        while True:
            if weighed is None or turns.current() != moment:
                now, found = self._parts.clock.now(), session.find()
                wanted = known.wanted(node, found, now)
                session.recalled = await self._parts.store.recall(wanted, now)
                moment = turns.current()
                weighed = weigh(known.facts(node, found, session.recalled), now)
            else:
                session.recalled = await self._parts.store.recall(wanted, now)
                facts = known.again(weighed.facts, session.recalled)
                weighed = weighed if facts is weighed.facts else weigh(facts, now)
            decided = proceed(weighed, session.evidence)
            session.moments.append(Moment(weighed.facts, session.evidence, now, decided.step))
            session.decision, session.evidence = decided, decided.evidence
            outcome = await self._parts.performer.perform(session, decided, now)
            if outcome is not None:
                return outcome

    async def _conclude(self, session: Session, started: float, login: Awaitable[Outcome]) -> Outcome:
        """The outcome, whatever happens on the way, and its audit line."""
        try:
            outcome = await login
            await self._parts.store.settled()
        except StateUnavailable as fault:
            outcome = self._fault(session, Reason.STATE_UNAVAILABLE, fault)
        except ReplicaUnavailable as fault:
            outcome = self._fault(session, Reason.REPLICA_UNAVAILABLE, fault)
        except Fault as fault:
            outcome = self._fault(session, Reason.INTERNAL_FAULT, fault)
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody is let in by it
            _log.error("%s: %s", session.origin.correlation, describe(error))
            outcome = Refused(Reason.INTERNAL_FAULT)
        return await self._record(session, started, outcome)

    def _fault(self, session: Session, reason: Reason, fault: Fault) -> Refused:
        _log.error("%s: %s", session.origin.correlation, fault)
        session.notes["detail"] = fault.problem
        return Refused(reason)

    async def _record(self, session: Session, started: float, outcome: _Told, login: str = "") -> _Told | Refused:
        """Keep what was decided from, and write the audit line; without the line nobody is let in."""
        name, origin = _OUTCOME_NAMES[type(outcome)], session.origin
        event = Event(
            at=self._parts.clock.now(),
            correlation=origin.correlation,
            login=login or session.login,
            node=origin.node,
            outcome=name,
            reason=outcome.reason,
            moments=tuple(session.moments),
        )
        freshness = self._freshness()

        def line(problem: str) -> AuditLine:
            if problem:
                session.notes["journal"] = problem
            return self._line(session, started, event, freshness)

        try:
            await self._recorder.record(event, line)
        except AuditUnavailable as fault:
            _log.error("%s: %s", origin.correlation, fault)
            return Refused(Reason.AUDIT_UNAVAILABLE)
        return outcome

    def _line(self, session: Session, started: float, event: Event, freshness: Freshness) -> AuditLine:
        decided = session.decision
        person = decided.person if decided else None
        return AuditLine(
            at=event.at,
            correlation=event.correlation,
            login=event.login,
            outcome=event.outcome,
            reason=event.reason,
            door=session.origin.door,
            node=session.origin.node,
            address=session.origin.address,
            name=session.name[:253],
            user=person.dn if person else "",
            user_id=person.id.hex() if person else "",
            policy=decided.policy_name if decided else "",
            directory_version=freshness.version,
            directory_age=round(min(freshness.age(event.at), _OLDEST), 1),
            milliseconds=round((self._parts.clock.monotonic() - started) * 1000, 1),
            **session.notes,
        )

    def _freshness(self) -> Freshness:
        """The replica's; none where it cannot be read, which must not keep an outcome from being recorded."""
        try:
            return self._parts.known.directory.freshness()
        except ReplicaUnavailable:
            return Freshness(0, None)

    def _arrived(self) -> tuple[Floor, float]:
        """When the request may be refused at the earliest, and the seconds from which its time counts."""
        return Floor(self._parts.refusal_seconds), self._parts.clock.monotonic()

    async def _not_too_soon(self, floor: Floor, started: float, outcome: _Told) -> _Told | Refused:
        """Every refusal takes the same time at least, so that its time does not tell the cases apart.

        Nor do its words: they are in one language for all, for whoever is refused may be nobody.
        """
        if not isinstance(outcome, Refused):
            floor.drop()
            return outcome
        if floor.is_behind and outcome.reason is Reason.PASSWORD_WRONG:
            self._tell_of_lateness(started)
        await floor.passed()
        return msgspec.structs.replace(outcome, message=self._parts.refusal) if outcome.message == REFUSAL else outcome

    def _tell_of_lateness(self, started: float) -> None:
        now = self._parts.clock.monotonic()
        if now < self._silent_until:
            return
        self._silent_until = now + _LATENESS_SECONDS
        _log.warning(
            "a wrong password was refused only after %.1f s, and a name that nobody has is "
            "refused after %g s: their times tell them apart; set refusal_seconds of [service] to more than the "
            "directory takes, or find out why it is slow",
            now - started,
            self._parts.refusal_seconds,
        )


_OUTCOME_NAMES: dict[type, str] = {Accepted: "accepted", Challenged: "challenged", Refused: "refused"}
_BEGINNING = datetime.min.replace(tzinfo=UTC)
_OLDEST = 1e9  # JSON has no infinity


def _told(outcome: Outcome, session: Session) -> Outcome:
    """What the node is told: where it can ask nothing, a challenge is a refusal, and the next login the answer."""
    if isinstance(outcome, Challenged) and session.second_login is not None:
        return Refused(outcome.reason, outcome.message)
    return outcome


def _waiting(challenge: Challenge) -> Waiting:
    return Waiting(
        challenge.question,
        challenge.stage,
        sent=challenge.digest is not None,
        last_try=challenge.attempts_left <= 1,
        comparable=challenge.sealed is not None,
    )
