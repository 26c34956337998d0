"""Performs what is particular to logins that another RADIUS server judges; decides nothing."""

import logging
from datetime import datetime, timedelta

from msgspec.structs import replace

from auth.facts import Evidence, ForwardVerdict, Question
from auth.forwarding import Denied, Forwarder, Granted, Held, Passed, Wanted, held
from auth.reason import Reason
from auth.request import Accepted
from auth.session import Session
from auth.state import Challenge
from dirsync.view import Person
from schema.entry import Policy
from schema.errors import Fault
from schema.secret import Secret

_log = logging.getLogger("dirfactor.service")
_LONGEST_WAIT = 600  # seconds that another server may wait for an answer
_VERDICTS = {
    Granted: ForwardVerdict.ACCEPTED,
    Denied: ForwardVerdict.REFUSED,
    Wanted: ForwardVerdict.ASKED,
}


async def heard(forwarder: Forwarder, session: Session, typed: Secret) -> Evidence:
    """The evidence with what the other server says; whether that lets anybody in is decided afterwards."""
    origin, earlier = session.origin, _earlier(session)
    name, state = (earlier.name, earlier.state) if earlier else (session.name, None)
    session.notes["method"] = Question.FORWARDED
    try:
        session.verdict = await forwarder.ask(Passed(origin.node, name, typed, state, origin.passed_on))
    except Fault as fault:
        session.notes["detail"] = fault.problem
        _log.error("%s: %s", origin.correlation, fault)
        return replace(session.evidence, forwarded=ForwardVerdict.UNAVAILABLE)
    return replace(session.evidence, forwarded=_VERDICTS[type(session.verdict)])


def posed(session: Session, person: Person, policy: Policy, now: datetime, identity: bytes) -> tuple[Wanted, Challenge]:
    """What the other server asks, and a challenge for it that has passed none of our methods, so that it opens none.

    Args:
        session: the login.
        person: the user.
        policy: the effective policy.
        now: the instant (aware).
        identity: 16 random octets.

    Raises:
        Fault: it has asked nothing.
    """
    wanted, earlier = session.verdict, _earlier(session)
    if not isinstance(wanted, Wanted):
        raise Fault("the other server has asked nothing", remedy="report this with the log")
    seconds = min(max(wanted.seconds or policy.code_lifetime, 1), _LONGEST_WAIT)
    challenge = Challenge(
        id=identity,
        user=person.id,
        node=session.origin.node,
        stage=0,
        question=Question.FORWARDED,
        digest=None,
        expires_at=now + timedelta(seconds=seconds),
        attempts_left=1,
        correlation=session.login or session.origin.correlation,
        held=Held(wanted.state, earlier.name if earlier else session.name).octets,
    )
    return wanted, challenge


def accepted_elsewhere(session: Session) -> Accepted:
    """The accept, with what the other server wants the node to apply.

    Raises:
        Fault: it has not accepted.
    """
    if not isinstance(session.verdict, Granted):
        raise Fault("the other server has not accepted", remedy="report this with the log")
    return Accepted(reason=Reason.FORWARD_ACCEPTED, passed_back=session.verdict.attributes)


def _earlier(session: Session) -> Held | None:
    """What the challenge of the other server holds that this request answers; None in a first step."""
    challenge = session.challenge
    return held(challenge.held) if challenge and challenge.question is Question.FORWARDED and challenge.held else None
