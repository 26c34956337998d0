"""Performs the steps that decisions name: checks what was typed, has codes sent, opens challenges; decides nothing."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from msgspec.structs import replace

from auth import steps
from auth.channels.base import DeliveryFailed, Receipt
from auth.chap.response import Shown
from auth.clock import Entropy
from auth.code_check import CodeCheck
from auth.codes import plain
from auth.delivery import Delivery, Errand
from auth.elsewhere import accepted_elsewhere, heard, posed
from auth.facts import CodeVerdict, Evidence, Field, PinShown, Question, typed
from auth.forwarding import Forwarder, NoForwarder
from auth.judges.base import Asked, Checked, Judged
from auth.judges.minted import MintedJudge
from auth.judges.pin import PinJudge
from auth.judges.vip import Validator
from auth.keywords import keyword_in
from auth.memorised.pin import PinVerdict
from auth.memorised.pin_typed import Reading
from auth.password_gate import PasswordGates
from auth.prompts import Language, code_prompt, destination, preferred, prompt
from auth.reason import Reason
from auth.repeats import Repeats
from auth.request import Accepted, Challenged, Outcome, Refused, ReplyAttribute
from auth.session import Session
from auth.state import Challenge, StateUnavailable, Store
from auth.steps import Decision, Part
from auth.tokens import Usable
from auth.vip.reasons import Kind
from dirsync.password import PasswordVerdict
from dirsync.view import Person
from schema.entry import Policy
from schema.errors import Fault
from schema.secret import Secret
from schema.words import KeywordKind, Method, TokenKind

_log = logging.getLogger("dirfactor.service")
_STATE_OCTETS = 24
_SEND_WINDOW = 900  # seconds in which dirfactorCodesPerWindow is counted


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a step is about.

    Attributes:
        decided: the decision that names the step.
        person: the user.
        policy: the effective policy.
        now: the instant of the decision.
    """

    decided: Decision
    person: Person
    policy: Policy
    now: datetime


@dataclass(frozen=True, slots=True)
class Performer:
    """What steps are performed with.

    Attributes:
        passwords: asks the directories.
        store: open logins and failures.
        minted: draws the codes that we send.
        pins: knows PINs.
        codes: counts attempts and has codes judged.
        delivery: sends codes.
        vip: has VIP send codes.
        repeats: know whether another node has a code sent for the same first step.
        entropy: where randomness comes from.
        language: of prompts for people who prefer none of ours.
        forwarder: asks other RADIUS servers.
    """

    passwords: PasswordGates
    store: Store
    minted: MintedJudge
    pins: PinJudge
    codes: CodeCheck
    delivery: Delivery
    vip: Validator
    repeats: Repeats
    entropy: Entropy
    language: Language = Language.ENGLISH
    forwarder: Forwarder = field(default_factory=NoForwarder)

    async def perform(self, session: Session, decided: Decision, now: datetime) -> Outcome | None:
        """One step: an outcome, or None with more evidence in the session.

        Raises:
            Fault: it could not be performed; nobody is let in.
        """
        if isinstance(decided.step, steps.Refuse):
            return _refused(session, decided.step.reason)
        if decided.person is None or decided.policy is None:
            return Refused(Reason.INTERNAL_FAULT)
        if not isinstance(decided.step, steps.SendCode) and not await self._taken(session):
            return Refused(Reason.CHALLENGE_UNKNOWN)
        subject = Subject(decided, decided.person, decided.policy, now)
        match decided.step:
            case steps.Accept(reply_rules=rules):
                if session.recalled.failures and _forgives(subject):
                    await self.store.forgive(subject.person.id)
                replies = tuple(ReplyAttribute(rule.name, rule.value) for rule in rules)
                return Accepted(replies, success=session.success)
            case steps.Forward() | steps.AskForwarded() | steps.AcceptForwarded():
                return await self._elsewhere(session, subject, decided.step)
            case steps.SendCode(token=token, stock=stock):
                return await self._send(session, subject, token, stock)
            case steps.AskCode(token=token, reason=reason):
                words = code_prompt(subject.policy, token, reason, self._language(subject))
                return await self._ask(session, subject, Question(token.kind), words, reason)
            case steps.AskPassword(reason=reason) | steps.AskPin(reason=reason) | steps.AskNewPin(reason=reason):
                words = prompt(reason, self._language(subject))
                return await self._ask(session, subject, _QUESTIONS[type(decided.step)], words, reason)
            case check:
                session.evidence = await self._shown(session, subject, check)
                return None

    def _language(self, subject: Subject) -> Language:
        return preferred(subject.person.user.language, self.language)

    async def _taken(self, session: Session) -> bool:
        """Whether the challenge of this method, where there is one, is ours to answer and to ask again.

        One that waited for a second login is taken out of the store now, and nobody else can do so after us.
        """
        challenge, state = session.answered, session.second_login
        if challenge is None or state is None or session.taken:
            return True
        session.taken = True
        return await self.store.claim(state, challenge)

    async def _shown(self, session: Session, subject: Subject, step: steps.Check | steps.KeepPin) -> Evidence:
        """The evidence with what the step has shown."""
        evidence = session.evidence
        match step:
            case steps.CheckPassword(part=part):
                verdict = await self._password(subject.person, session.text(part))
                return replace(evidence, password=verdict)
            case steps.CheckNewPin(part=part):
                bare = _without_spaces(session, part.field)
                new = session.text(part)
                shown = self.pins.new(subject.person, subject.policy, new, session.kept_pin, subject.now)
                return replace(bare, pin=shown)
            case steps.KeepPin(part=part):
                await self.pins.keep(subject.person, session.text(part), subject.now)
                session.notes["detail"] = "the person has changed the PIN"
                return replace(evidence, pin=PinShown.RIGHT)
            case steps.CheckPin(part=part, code_lengths=lengths, words=words):
                keyword = keyword_in(session.text(part), words)
                if keyword is not None:
                    return _asked_for(evidence, keyword, part)
                return await self._pin(session, subject, part, lengths)
            case steps.CheckKeyword(token=token, kind=kind, part=part):
                code = await self._keyword(session, subject, token, kind, session.text(part))
                if code is CodeVerdict.RIGHT:
                    return replace(_asked_for(evidence, token.kind, part), factor=True)
                return replace(evidence, token=token.kind, code=code)
            case steps.CheckCode(token=token, part=part, words=words):
                given = session.shown(part)
                keyword = keyword_in(given, words)
                if keyword is not None:
                    return _asked_for(evidence, keyword, part)
                code = await self._code(session, subject, token, given)
                return replace(evidence, token=token.kind, code=code)

    async def _password(self, person: Person, password: Secret) -> PasswordVerdict:
        """What the directory says; an empty password is wrong without asking (RFC 4513 section 5.1.2)."""
        await self.store.settled()  # what this login has taken or counted is so before anybody else is asked
        return await self.passwords.ask(person.directory, person.dn, password)

    async def _pin(self, session: Session, subject: Subject, part: Part, lengths: tuple[int, ...]) -> Evidence:
        found: tuple[PinShown, Reading] | None = None

        async def judged(_narrow: bool) -> Checked:  # noqa: FBT001 - as `Judged` is called
            nonlocal found
            given, kept = session.text(part), session.kept_pin
            found = self.pins.read(subject.person, subject.policy, given, lengths, kept, subject.now)
            return Checked(CodeVerdict.RIGHT if found else CodeVerdict.WRONG, "" if found else "PIN")

        code = await self._counted(session, subject, judged)
        if found is None:
            return replace(session.evidence, code=code)
        shown, reading = found
        length = len(reading.pin.text)
        bare = _without_spaces(session, part.field)
        return replace(bare, pin=shown, pin_length=length, code_length=reading.code_length)

    async def _keyword(
        self, session: Session, subject: Subject, token: Usable, kind: KeywordKind, typed: Secret
    ) -> CodeVerdict:
        session.notes["method"] = token.kind

        async def judged(_narrow: bool) -> Checked:  # noqa: FBT001 - as `Judged` is called
            if kind is KeywordKind.PIN:
                kept = session.kept_pin
                found = self.pins.verdict(subject.person, subject.policy, plain(typed), kept, subject.now)
                return _PIN_KEYWORD.get(found, Checked(CodeVerdict.WRONG, "PIN as keyword"))
            verdict = await self._password(subject.person, typed)
            expired = verdict is PasswordVerdict.EXPIRED and subject.policy.allow_expired_password
            if verdict is PasswordVerdict.RIGHT or expired:
                return Checked(CodeVerdict.RIGHT, "password as keyword")
            unknown = verdict is PasswordVerdict.UNAVAILABLE
            return Checked(CodeVerdict.UNAVAILABLE if unknown else CodeVerdict.WRONG, f"password as keyword: {verdict}")

        return await self._counted(session, subject, judged)

    async def _code(self, session: Session, subject: Subject, token: Usable, shown: Shown) -> CodeVerdict:
        session.notes["method"] = token.kind
        challenge = session.answered if session.answered and session.answered.question.token is token.kind else None
        asked = Asked(subject.person, subject.policy, token, challenge)

        async def judged(narrow: bool) -> Checked:  # noqa: FBT001 - as `Judged` is called
            if isinstance(shown, Secret):
                return await self.codes.judged(asked, shown, subject.now, narrow=narrow)
            checked = await self.codes.compared(asked, shown, subject.now, narrow=narrow)
            session.success = shown.success(checked.proven) if checked.proven else None
            return checked

        return await self._counted(session, subject, judged)

    async def _counted(self, session: Session, subject: Subject, judged: Judged) -> CodeVerdict:
        """The attempt is counted, judged, and where it was wrong and the last one, said to be so."""
        left = session.answered.attempts_left if session.answered else self._tries(subject)
        checked = await self.codes.counted(subject.person, subject.policy, judged, subject.now)
        session.held = checked.held
        if checked.detail:
            session.notes["detail"] = checked.detail
        return CodeVerdict.EXHAUSTED if checked.verdict in _TRIES and left <= 1 else checked.verdict

    async def _send(self, session: Session, subject: Subject, token: Usable, stock: int) -> Outcome | None:
        """Have a code sent, unless another node has had it sent for the same first step."""
        if session.repeat is None or session.challenge is not None or session.second_login is not None:
            return await self._send_here(session, subject, token, stock)
        place = self.repeats.place(session.repeat, subject.person.id, token)
        try:
            known = await self.repeats.sent_elsewhere(place, session.origin.node)
        except TimeoutError:
            self._undelivered(session, token, "another node has been sending it all the time")
            return None
        if known is not None:
            state, challenge = known
            session.notes["detail"] = "joined the login under way at another node"
            words = code_prompt(subject.policy, token, Reason.CODE_SENT, self._language(subject))
            return Challenged(state, words, Question(token.kind), _left(challenge, subject.now), Reason.CODE_SENT)
        asked = await self._send_here(session, subject, token, stock)
        if isinstance(asked, Challenged):
            await self.repeats.sent(place, asked.state, min(session.repeat.seconds, asked.expires_in))
        else:
            await self.repeats.gave_up(place)
        return asked

    async def _send_here(self, session: Session, subject: Subject, token: Usable, stock: int) -> Outcome | None:
        """Open the challenge, then send its code: never a text for a challenge that is not there."""
        person, policy = subject.person, subject.policy
        if not await self.store.count(f"send {person.id.hex()}", subject.now, _SEND_WINDOW, policy.codes_per_window):
            session.evidence = replace(session.evidence, send_limited=True)
            return None
        earlier = await self.store.attempt(session.second_login, session.origin.node) if session.second_login else None
        identity = self.entropy.octets(16)
        codes, digest = self._drawn(identity, token, policy, stock)
        words = code_prompt(policy, token, Reason.CODE_SENT, self._language(subject))
        challenge = self._challenge(session, subject, Question(token.kind), identity, digest)
        if session.shows_responses and digest is not None:
            # the client will show no code but a response, and nobody finds a code again by its digest
            challenge = replace(challenge, sealed=self.minted.seal(identity, token, codes[0]))
        asked = await self._issue(session, challenge, words, Reason.CODE_SENT, subject.now)
        session.notes["destination"] = destination(token)
        await self.store.settled()
        try:
            receipt = await self._deliver(session, subject, token, codes, ahead=bool(stock))
        except StateUnavailable:  # what this login has written may be lost
            raise
        except Fault as fault:
            await self.store.attempt(asked.state, session.origin.node)
            if earlier is not None:
                await self.store.renew(asked.state, earlier)
            _log.error("%s: %s", session.origin.correlation, fault)
            self._undelivered(session, token, fault.problem)
            return None
        session.notes |= {"gateway": receipt.gateway, "message_id": receipt.message_id or ""}
        if stock:
            good_until = subject.now + timedelta(hours=policy.ahead_lifetime)
            await self.minted.lay_in(person.id, token, codes, good_until)
        return asked

    def _undelivered(self, session: Session, token: Usable, why: str) -> None:
        session.notes["detail"] = why
        session.evidence = replace(session.evidence, undelivered=session.evidence.undelivered | {token.kind})

    async def _elsewhere(self, session: Session, subject: Subject, step: steps.Elsewhere) -> Outcome | None:
        """A step of a login that another server judges."""
        match step:
            case steps.Forward(part=part):
                await self.store.settled()  # nobody else has this challenge, before anybody else is asked
                session.evidence = await heard(self.forwarder, session, session.text(part))
                return None
            case steps.AskForwarded():
                wanted, challenge = posed(session, subject.person, subject.policy, subject.now, self.entropy.octets(16))
                words = wanted.message or prompt(Reason.FORWARD_WANTED, self._language(subject))
                return await self._issue(session, challenge, words, Reason.FORWARD_WANTED, subject.now)
            case steps.AcceptForwarded():
                return accepted_elsewhere(session)

    def _drawn(
        self, identity: bytes, token: Usable, policy: Policy, stock: int
    ) -> tuple[Sequence[Secret], bytes | None]:
        """The codes to send, and the digest of the one that is for this challenge alone; VIP draws its own."""
        if token.kind is TokenKind.VIP:
            return (), None
        if stock:
            return self.minted.mint_stock(policy.code_length, stock), None
        code, digest = self.minted.mint(identity, token, policy.code_length)
        return (code,), digest

    async def _deliver(
        self, session: Session, subject: Subject, token: Usable, codes: Sequence[Secret], *, ahead: bool
    ) -> Receipt:
        """Raises Fault when nobody has taken the message."""
        if token.kind is not TokenKind.VIP:
            errand = Errand(subject.person.id, session.login or session.origin.correlation, ahead=ahead)
            return await self.delivery.deliver(token, subject.policy, codes, errand)
        verdict = await self.vip.send(token.credentials)
        if verdict.kind is not Kind.SUCCESS:
            raise DeliveryFailed(
                f"VIP has sent no code: {verdict.reason_code} {verdict.detail}".rstrip(),
                remedy="see what the reason code means in docs/vip.md",
            )
        return Receipt("VIP", None)

    async def _ask(
        self, session: Session, subject: Subject, question: Question, words: str, reason: Reason
    ) -> Challenged:
        """Ask for something that the person has already; again, while there are tries, under the same challenge."""
        earlier, shown = session.answered, session.evidence
        used = 1 if shown.code or shown.password or shown.pin is PinShown.UNFIT else 0
        if earlier is not None and earlier.question is question:
            left, held = earlier.attempts_left - used, session.held if used else earlier.held
            challenge = replace(earlier, attempts_left=left, held=held)
        else:
            challenge = self._challenge(session, subject, question, self.entropy.octets(16), None, used)
        return await self._issue(session, challenge, words, reason, subject.now)

    def _challenge(
        self,
        session: Session,
        subject: Subject,
        question: Question,
        identity: bytes,
        digest: bytes | None,
        used: int = 0,
    ) -> Challenge:
        """A new challenge. A keyword typed in the middle of one does not bring its tries back."""
        earlier, tries = session.answered, self._tries(subject) - used
        if earlier is not None and question.token is not None:
            tries = min(tries, earlier.attempts_left)
        return Challenge(
            id=identity,
            user=subject.person.id,
            node=session.origin.node,
            stage=session.evidence.stage,
            question=question,
            digest=digest,
            expires_at=subject.now + timedelta(seconds=subject.policy.code_lifetime),
            attempts_left=tries,
            correlation=session.login or session.origin.correlation,
            methods=subject.decided.methods,
            held=session.held,
        )

    async def _issue(
        self, session: Session, challenge: Challenge, words: str, reason: Reason, now: datetime
    ) -> Challenged:
        """Store the challenge under a state value of its own, or of the second login where nothing can be asked."""
        if session.second_login is not None:
            state = session.second_login
            await self.store.renew(state, challenge)
        else:
            state = Secret(self.entropy.octets(_STATE_OCTETS).hex())
            await self.store.begin(state, challenge)
        session.notes["method"] = challenge.question
        return Challenged(state, words, challenge.question, _left(challenge, now), reason)

    def _tries(self, subject: Subject) -> int:
        stage = subject.decided.stages[subject.decided.evidence.stage]
        return min(subject.policy.code_attempts, stage.attempts) if stage.method is Method.TOKEN else stage.attempts


_TRIES = (CodeVerdict.WRONG, CodeVerdict.RESYNCHRONISE)
_PIN_KEYWORD = {
    PinVerdict.RIGHT: Checked(CodeVerdict.RIGHT, "PIN as keyword"),
    # whoever types their own PIN guesses nothing, though it brings no code any more
    PinVerdict.EXPIRED: Checked(CodeVerdict.WRONG, "PIN as keyword: the PIN has expired", violation=False),
}
_QUESTIONS = {
    steps.AskPassword: Question.PASSWORD,
    steps.AskPin: Question.PIN,
    steps.AskNewPin: Question.NEW_PIN,
}


def _left(challenge: Challenge, now: datetime) -> int:
    """For how many seconds it stays good."""
    return max(1, int((challenge.expires_at - now).total_seconds()))


def _forgives(subject: Subject) -> bool:
    """Whether an accept forgets what was wrong before: neither a password does, nor a PIN where there are tokens."""
    methods = subject.decided.methods
    shown = Method.TOKEN in methods or (Method.PIN in methods and not subject.person.user.tokens)
    return shown and subject.policy.reset_on_success


def _refused(session: Session, reason: Reason) -> Refused:
    """A refusal; where the client's protocol is to blame, the operator is told, and who has a challenge already."""
    if reason is not Reason.PASSWORD_PROTOCOL:
        return Refused(reason)
    _log.warning(
        "%s: refused, what was typed must be read, and access node %s asks by CHAP or MS-CHAP: set the client's "
        "authentication protocol to PAP",
        session.origin.correlation,
        session.origin.node,
    )
    return Refused(reason, "PAP required") if session.challenge is not None else Refused(reason)


def _asked_for(evidence: Evidence, kind: TokenKind, part: Part) -> Evidence:
    """The evidence when a keyword was typed, which is used up by it."""
    return replace(evidence.without(part.field), keyword=kind, token=kind)


def _without_spaces(session: Session, where: Field) -> Evidence:
    """The evidence when the spaces and dashes, which count in no PIN or code, are taken out of a field."""
    session.texts[where] = bare = plain(session.text(Part(where, None, None)))
    return session.evidence.with_typed(where, typed(bare))
