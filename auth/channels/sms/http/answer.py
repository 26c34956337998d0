"""What a gateway's answer means, as a [sms:NAME] section describes it. No I/O."""

import re
from collections.abc import Iterable

from auth.channels.base import DeliveryFailed
from auth.channels.sms.http.settings import HttpSmsSettings
from schema.errors import Fault

# A proxy gave up waiting for the gateway behind it (RFC 9110 section 15.6.5): as good as no answer.
_GATEWAY_TIMEOUT = 504
_SUCCESSES = range(200, 300)
_FAILURES = range(300, 600)
_SUCH_AS = {_SUCCESSES: "200, 202", _FAILURES: "429, 503"}
_BUSY = "wait; if it stays like this, ask the provider for a higher rate or add another gateway"
_CREDENTIALS = {401, 403, 407}
_ABOUT_THE_TEXT = {400, 404, 422}
_SHOWN_ID = re.compile(r"[!-~]{1,100}")
_DIGITS = re.compile(r"\d{4,}", re.ASCII)  # as many as a code or a number has
_SHOWN_CODE = re.compile(r"[A-Za-z0-9_.-]{1,40}")


class AnswerRules:
    """Success is said by status AND body: several providers answer 200 to a text that they refuse.

    Raises:
        Fault: a rule is missing or no rule; without a name in front.
    """

    def __init__(self, settings: HttpSmsSettings) -> None:
        self._statuses = _statuses("success_status", settings.success_status, _SUCCESSES)
        self._busy_statuses = _statuses("transient_status", settings.transient_status, _FAILURES)
        self._success = _expression("success_body", settings.success_body)
        self._failure = _expression("failure_body", settings.failure_body)
        self._permanent = _expression("permanent_body", settings.permanent_body)
        self._busy = _expression("transient_body", settings.transient_body)
        self._message_id = _expression("message_id", settings.message_id, groups=1)
        self._error_code = _expression("error_code", settings.error_code, groups=1)

    def read(self, status: int, body: str, sent: Iterable[str]) -> str | None:
        """The id of the text that the gateway has taken, when it says so.

        Args:
            status: HTTP status.
            body: the answer's body.
            sent: number and text of the request; whatever echoes digits of them is not passed on.

        Raises:
            DeliveryFailed: it has not taken the text.
        """
        refusal = self._refusal(status, body)
        hidden = [digits for text in sent for digits in _DIGITS.findall(text)]
        if refusal is None:
            return _shown(self._message_id, body, _SHOWN_ID, hidden)
        busy = status in self._busy_statuses or _found(self._busy, body)
        permanent = not busy and _found(self._permanent, body)
        code = _shown(self._error_code, body, _SHOWN_CODE, hidden)
        raise DeliveryFailed(
            f"answered HTTP {status}{refusal}{f', error code {code}' if code else ''}",
            remedy=_BUSY if busy else _remedy(status, permanent=permanent),
            permanent=permanent,
            answered=not busy and (status in _SUCCESSES or status in _ABOUT_THE_TEXT),
            unknown=status == _GATEWAY_TIMEOUT and not busy,
        )

    def _refusal(self, status: int, body: str) -> str | None:
        """What makes the answer a refusal; None for a success."""
        if status not in self._statuses:
            return " (a redirect, which is not followed)" if status in range(300, 400) else ""
        if _found(self._failure, body):
            return " with a body that failure_body matches"
        if self._success is not None and not self._success.search(body):
            return " with a body that success_body does not match"
        return None


def _statuses(key: str, texts: tuple[str, ...], among: range) -> frozenset[int]:
    statuses = frozenset(int(text) for text in texts if text.isascii() and text.isdigit())
    missing = not statuses and among is _SUCCESSES
    if len(statuses) != len(texts) or not statuses <= frozenset(among) or missing:
        raise Fault(
            f"{key} does not name HTTP statuses of its kind",
            remedy=f"list those from {among[0]} to {among[-1]} by which it is told, such as {_SUCH_AS[among]}",
        )
    return statuses


def _found(expression: re.Pattern[str] | None, body: str) -> bool:
    return expression is not None and expression.search(body) is not None


def _expression(key: str, text: str, groups: int = 0) -> re.Pattern[str] | None:
    if not text:
        return None
    try:
        expression = re.compile(text)
    except re.error as error:
        raise Fault(f"{key} is no regular expression: {error}", remedy="mend it; write \\ before . ( [ { $") from None
    if expression.groups < groups:
        raise Fault(f"{key} has no group", remedy="put the part to be taken into parentheses")
    return expression


def _shown(expression: re.Pattern[str] | None, body: str, form: re.Pattern[str], hidden: list[str]) -> str | None:
    """A part of the answer that may be shown to people; None when it is not there, or echoes what was sent."""
    found = expression.search(body) if expression else None
    part = found[1] if found else None
    if not part or not form.fullmatch(part):
        return None
    echoes = any(digits in part or (part in digits and _DIGITS.fullmatch(part)) for digits in hidden)
    return None if echoes else part


def _remedy(status: int, *, permanent: bool) -> str:
    if permanent:
        return "check the person's phone number"
    if status in _CREDENTIALS:
        return "check username, password and token of the gateway's section"
    return "look into the provider's log; check url, fields and success rules of the gateway's section"
