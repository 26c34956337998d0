"""Logins through a client that shows responses: only codes that we know in clear can be compared with one."""

from auth.facts import Evidence
from auth.methods.login import Login
from auth.methods.token import comparable
from auth.reason import Reason
from auth.steps import Accept, AskCode, CheckCode, Refuse, SendCode, Step, Trace


def by_response(login: Login, evidence: Evidence, step: Step | None, trace: Trace) -> Step | None:
    """The step, or a refusal in its place where it, or the answer to what it asks, would have to be read."""
    if evidence.typed_password.readable and evidence.typed_code.readable:
        return step
    if step is None or isinstance(step, Accept | Refuse):
        return step
    if isinstance(step, CheckCode | AskCode | SendCode) and comparable(login, evidence, step.token):
        return step
    trace.note("response", "the client shows no text, and what it should be is not known in clear")
    return Refuse(Reason.PASSWORD_PROTOCOL)
