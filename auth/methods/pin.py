"""The method PIN, and what follows one that was right: a new PIN is kept, or asked for when the old one has expired."""

from auth.facts import CodeVerdict, Evidence, Field, PinShown, Question, Typed
from auth.methods.fields import field_of, whole
from auth.methods.login import Login
from auth.reason import Reason
from auth.steps import AskNewPin, AskPin, CheckNewPin, CheckPin, KeepPin, Part, Refuse, Step, Trace

_REFUSALS = {
    CodeVerdict.LOCKED: Reason.VIOLATIONS_LOCKED,
    CodeVerdict.MISCONFIGURED: Reason.TOKEN_UNREADABLE,
}


def pin_step(login: Login, evidence: Evidence, trace: Trace) -> Step | None:
    """The next step of the method; None when it was passed."""
    if evidence.code is CodeVerdict.WRONG:
        trace.note("PIN", "wrong")
        return AskPin(Reason.PIN_WRONG_RETRY)
    if evidence.code is not None:
        trace.note("PIN", evidence.code)
        return Refuse(_REFUSALS.get(evidence.code, Reason.ATTEMPTS_EXHAUSTED))
    if evidence.pin is not None or new_pin_is_due(evidence):
        return after_pin(login, evidence, trace)
    field = field_of(login, evidence)
    typed = evidence.typed(field) if field else Typed.ABSENT
    if field and typed.given:
        trace.note("PIN", "to be checked")
        return CheckPin(whole(field))
    if typed.length == 0 and evidence.answer is not None:
        trace.note("PIN", "empty")
        return Refuse(Reason.CODE_EMPTY)
    trace.note("PIN", "to be asked for")
    return AskPin()


def new_pin_is_due(evidence: Evidence) -> bool:
    """Whether the open challenge asks for a new PIN: then everything else of its method was shown before it."""
    waiting = evidence.waiting
    due = waiting is not None and waiting.question is Question.NEW_PIN and waiting.stage == evidence.stage
    return due and evidence.answer is not None


def after_pin(login: Login, evidence: Evidence, trace: Trace) -> Step | None:
    """What a PIN that was right still needs once all else of its method was shown; None when nothing."""
    if new_pin_is_due(evidence) and evidence.pin is None and evidence.answer:
        if evidence.typed(evidence.answer).given:
            trace.note("PIN", "the new one is to be checked")
            return CheckNewPin(whole(evidence.answer))
        return Refuse(Reason.PIN_EXPIRED)
    trace.note("PIN", evidence.pin or "none")
    match evidence.pin:
        case PinShown.CHANGED:
            field = evidence.answer or field_of(login, evidence) or Field.PASSWORD
            length = evidence.typed(field).length or 0
            start = evidence.pin_length + evidence.code_length
            return KeepPin(Part(field, start, start + (length - start) // 2))
        case PinShown.EXPIRED | PinShown.UNFIT:
            unfit = evidence.pin is PinShown.UNFIT
            reason = Reason.PIN_UNFIT if unfit else Reason.PIN_EXPIRED
            last = new_pin_is_due(evidence) and evidence.waiting is not None and evidence.waiting.last_try
            return AskNewPin(reason) if login.asks and not last else Refuse(reason)
        case _:
            return None
