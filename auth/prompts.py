"""The words that the person at the keyboard sees. Pure."""

from auth.addresses import masked
from auth.reason import Reason
from auth.tokens import Usable
from schema.entry import Policy
from schema.words import LoginMode, SendMode, TokenKind

_LONGEST = 200


def code_prompt(policy: Policy, token: Usable, reason: Reason) -> str:
    """One line of at most 200 octets that asks for the code of a token.

    The policy's own prompt comes before the built-in one; `{destination}` in it becomes the masked address.
    """
    words = _INSTEAD.get(reason) or policy.prompt or _built_in(policy, token.kind, reason)
    return _line(_BEFORE.get(reason, "") + words.replace("{destination}", destination(token)))


def prompt(reason: Reason) -> str:
    """One line that asks for something else than a code."""
    return _PROMPTS[reason]


def first_prompt(mode: LoginMode) -> str:
    """One line that asks whom nobody knows yet for what a login at such a node begins with: the same for all."""
    return "Enter your code." if mode is LoginMode.CODE_ONLY else _PROMPTS[Reason.PASSWORD_WANTED]


def _built_in(policy: Policy, kind: TokenKind, reason: Reason) -> str:
    if reason is Reason.CODE_SENT or (reason is not Reason.CODE_WANTED and kind in _MINTED):
        return _SENT.get(kind, _OWN[kind])
    modes = {TokenKind.SMS: policy.sms_mode, TokenKind.EMAIL: policy.email_mode}
    if modes.get(kind) is SendMode.KEYWORD:
        return f"{_OWN[kind]} The keyword brings a new one."
    return _OWN[kind]


def _line(words: str) -> str:
    return " ".join(words.split()).encode()[:_LONGEST].decode(errors="ignore")


def destination(token: Usable) -> str:
    """Where a token's code goes or comes from, masked."""
    return masked(token.phone or token.mail or "") if token.phone or token.mail else ""


_SENT = {
    TokenKind.SMS: "Enter the code sent to {destination}.",
    TokenKind.EMAIL: "Enter the code mailed to {destination}.",
    TokenKind.VIP: "Enter the security code that VIP has sent.",
}
_OWN = {
    TokenKind.SMS: "Enter a code that was sent to {destination}.",
    TokenKind.EMAIL: "Enter a code that was mailed to {destination}.",
    TokenKind.VIP: "Enter the security code of your VIP credential.",
    TokenKind.TOTP: "Enter the code of your authenticator app.",
    TokenKind.HOTP: "Enter the code of your token.",
}
_MINTED = (TokenKind.SMS, TokenKind.EMAIL)
_BEFORE = {Reason.CODE_WRONG_RETRY: "That code was not right. "}
_INSTEAD = {
    Reason.CODE_RESYNCHRONISE: "Wait for the next code of your token, and enter it.",
    Reason.TEMPORARY_WANTED: "Enter the temporary response from your helpdesk.",
}
_PROMPTS = {
    Reason.PASSWORD_WANTED: "Enter your password.",
    Reason.PASSWORD_WRONG_RETRY: "That password was not right. Enter your password.",
    Reason.PIN_WANTED: "Enter your PIN.",
    Reason.PIN_WRONG_RETRY: "That PIN was not right. Enter your PIN.",
    Reason.PIN_EXPIRED: "Your PIN has expired. Enter a new one, twice: 97539753 for 9753.",
    Reason.PIN_UNFIT: "That PIN will not do. Enter a new one, twice: 97539753 for 9753.",
}
