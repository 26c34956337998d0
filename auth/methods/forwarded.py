"""At a proxy node, logins of people without a token: another RADIUS server judges them, by what was typed for it."""

from auth.facts import Evidence, Field, ForwardVerdict, Question
from auth.methods.login import Login
from auth.reason import Reason
from auth.steps import AcceptForwarded, AskForwarded, Elsewhere, Forward, Part, Refuse, Trace


def forwarded_step(login: Login, evidence: Evidence, trace: Trace) -> Elsewhere | Refuse | None:
    """The step of a login that another server decides; None for those that are ours.

    What was typed as the answer to a question of ours is no business of the other server, even where the token was
    taken from the person meanwhile.
    """
    if not login.forwards:
        return None
    field = _field(evidence)
    if field is None:
        trace.note("forwarding", "this login began here, and the other server is told nothing of it")
        return Refuse(Reason.CHALLENGE_UNKNOWN)
    trace.note("token", "none assigned: the other server decides")
    typed = evidence.typed(field)
    if login.node.node.proxy_target is None:
        trace.note("forwarding", "dirfactorProxyTarget is not set")
        return Refuse(Reason.FORWARD_UNAVAILABLE)
    if evidence.forwarded is not None:
        return _told(evidence.forwarded, trace, asks=login.asks)
    if not typed.readable:
        trace.note("forwarding", "the client shows no text, and the other server is asked by PAP")
        return Refuse(Reason.PASSWORD_PROTOCOL)
    if not typed.given:
        trace.note("forwarding", "nothing was typed")  # some servers hand it to LDAP, where it proves nobody
        return Refuse(Reason.PASSWORD_EMPTY if field is Field.PASSWORD else Reason.CODE_EMPTY)
    return Forward(login.node.node.proxy_target, Part(field))


def _told(verdict: ForwardVerdict, trace: Trace, *, asks: bool) -> Elsewhere | Refuse:
    trace.note("the other server", verdict)
    match verdict:
        case ForwardVerdict.ACCEPTED:
            return AcceptForwarded()
        case ForwardVerdict.ASKED if asks:
            return AskForwarded()
        case ForwardVerdict.ASKED:
            trace.note("forwarding", "the access node can ask the person nothing")
            return Refuse(Reason.FORWARD_REFUSED)
        case ForwardVerdict.REFUSED:
            return Refuse(Reason.FORWARD_REFUSED)
        case ForwardVerdict.UNAVAILABLE:
            return Refuse(Reason.FORWARD_UNAVAILABLE)


def _field(evidence: Evidence) -> Field | None:
    """Where that stands which the other server is to judge; None where it was not meant for it."""
    waiting = evidence.waiting
    if waiting is not None:
        return evidence.answer if waiting.question is Question.FORWARDED else None
    shown = (evidence.password, evidence.pin, evidence.code, evidence.token, evidence.keyword)
    begins = evidence.stage == 0 and evidence.answer is None and not any(shown)
    return Field.PASSWORD if begins and not evidence.typed_code.given else None
