"""Where in a request the text for a method stands. The decision never sees the text: it says which part is meant."""

from auth.facts import Evidence, Field
from auth.methods.login import Login
from auth.steps import WHOLE, Part
from schema.words import LoginMode, Method


def field_of(login: Login, evidence: Evidence) -> Field | None:
    """The field with the text for the method that is due; None when this request has none for it.

    An answer is for the method that was asked for. In a first step the code field is the token's, or where there is no
    token, the last method's; the password field is that of the first other method, or where there is no code field, of
    the first method.
    """
    if evidence.answer is not None:
        return evidence.answer if evidence.waiting and evidence.waiting.stage == evidence.stage else None
    methods = login.methods
    due = methods[evidence.stage]
    if evidence.typed_code.length is None:
        return Field.PASSWORD if evidence.stage == 0 else None
    coded = Method.TOKEN if Method.TOKEN in methods else methods[-1]
    if due is coded and (due is Method.TOKEN or len(methods) > 1):
        return Field.CODE
    return Field.PASSWORD if due is next(method for method in methods if method is not Method.TOKEN) else None


def shared(login: Login, evidence: Evidence, lengths: tuple[int, ...]) -> tuple[Part, Part] | None:
    """The parts of password and code where both stand in the one field of a first step; None where they do not.

    Args:
        login: which form the policy and the node want.
        evidence: what was typed.
        lengths: how many digits a code of the token may have that the person can know already; the longest that fits
            is cut off.
    """
    code_first = _code_first(login, evidence)
    if code_first is None or evidence.answer is not None or evidence.typed_code.length is not None:
        return None
    text = evidence.typed_password
    digits = text.leading_digits if code_first else text.trailing_digits
    for length in sorted(lengths, reverse=True):
        if length <= digits and length < (text.length or 0):
            if code_first:
                return Part(Field.PASSWORD, length, None), Part(Field.PASSWORD, None, length)
            return Part(Field.PASSWORD, None, -length), Part(Field.PASSWORD, -length, None)
    return None


def _code_first(login: Login, evidence: Evidence) -> bool | None:
    """As `Login.code_first`, and for a rejectThenCode node whose second login may bring password and code."""
    waiting = evidence.waiting
    second = waiting is not None and waiting.question.token is not None and not login.policy.pin_with_token
    if login.mode is LoginMode.REJECT_THEN_CODE and second and login.methods == (Method.PASSWORD, Method.TOKEN):
        return bool(login.code_first)
    return login.code_first


def whole(field: Field) -> Part:
    """All of a field."""
    return Part(field, *WHOLE)
