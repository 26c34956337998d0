"""The method password: the directory is asked, once for what was typed."""

from auth.facts import Evidence, Typed
from auth.methods.fields import field_of, shared, whole
from auth.methods.login import Login
from auth.methods.token import chosen_token, known_lengths
from auth.reason import Reason
from auth.steps import AskPassword, CheckPassword, Refuse, Step, Trace
from dirsync.password import PasswordVerdict

_REFUSALS = {
    PasswordVerdict.WRONG: Reason.PASSWORD_WRONG,
    PasswordVerdict.EXPIRED: Reason.PASSWORD_EXPIRED,
    PasswordVerdict.MUST_CHANGE: Reason.PASSWORD_MUST_CHANGE,
    PasswordVerdict.HOURS: Reason.PASSWORD_HOURS,
    PasswordVerdict.WORKSTATION: Reason.PASSWORD_WORKSTATION,
    PasswordVerdict.DISABLED: Reason.ACCOUNT_DISABLED,
    PasswordVerdict.ACCOUNT_EXPIRED: Reason.ACCOUNT_EXPIRED,
    PasswordVerdict.LOCKED: Reason.ACCOUNT_LOCKED,
    PasswordVerdict.UNAVAILABLE: Reason.DIRECTORY_UNAVAILABLE,
}


def password_step(login: Login, evidence: Evidence, trace: Trace) -> Step | None:
    """The next step of the method; None when it was passed."""
    if evidence.password is not None:
        return _judged(login, evidence, evidence.password, trace)
    field = field_of(login, evidence)
    typed = evidence.typed(field) if field else Typed.ABSENT
    if field and typed.given:
        trace.note("password", "to be checked by the directory")
        token = chosen_token(login, evidence, Trace()) if login.may_share else None
        parts = shared(login, evidence, known_lengths(login, evidence, token)) if token else None
        return CheckPassword(parts[0] if parts else whole(field))
    if typed.length == 0:
        trace.note("password", "empty")
        return Refuse(Reason.PASSWORD_EMPTY)
    trace.note("password", "to be asked for")
    return AskPassword() if evidence.stage else Refuse(Reason.PASSWORD_EMPTY)


def _judged(login: Login, evidence: Evidence, verdict: PasswordVerdict, trace: Trace) -> Step | None:
    trace.note("password", verdict)
    if verdict is PasswordVerdict.RIGHT:
        return None
    if verdict is PasswordVerdict.EXPIRED and login.policy.allow_expired_password:
        trace.note("password", "expired, which the policy allows")
        return None
    asked = evidence.answer is not None and evidence.waiting is not None
    if verdict is PasswordVerdict.WRONG and asked and evidence.waiting and not evidence.waiting.last_try:
        return AskPassword(Reason.PASSWORD_WRONG_RETRY)
    return Refuse(_REFUSALS[verdict])
