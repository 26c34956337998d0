"""From what is asked to the line that asks for it."""

from auth.addresses import masked
from auth.prompts.language import Language
from auth.prompts.words import WORDS, Words
from auth.reason import Reason
from auth.tokens import Usable
from schema.entry import Policy
from schema.words import LoginMode, SendMode, TokenKind

_LONGEST = 200


def code_prompt(policy: Policy, token: Usable, reason: Reason, language: Language = Language.ENGLISH) -> str:
    """One line of at most 200 octets that asks for the code of a token.

    The policy's own prompt comes before the built-in one; `{destination}` in it becomes the masked address.
    """
    words = WORDS[language]
    asking = words.instead.get(reason) or policy.prompt or _built_in(words, policy, token.kind, reason)
    before = words.wrong if reason is Reason.CODE_WRONG_RETRY else ""
    return _line(before + asking.replace("{destination}", destination(token)))


def prompt(reason: Reason, language: Language = Language.ENGLISH) -> str:
    """One line that asks for something else than a code."""
    return WORDS[language].asked[reason]


def first_prompt(mode: LoginMode, language: Language = Language.ENGLISH) -> str:
    """One line that asks whom nobody knows yet for what a login at such a node begins with: the same for all."""
    words = WORDS[language]
    special = {LoginMode.CODE_ONLY: words.first_code, LoginMode.APPEND: words.first_both}
    return special.get(mode, words.asked[Reason.PASSWORD_WANTED])


def refusal(language: Language) -> str:
    """The one wording of all refusals: of the service and not of the person, whom a refusal does not know."""
    return WORDS[language].refusal


def destination(token: Usable) -> str:
    """Where a token's code goes or comes from, masked."""
    return masked(token.phone or token.mail or "") if token.phone or token.mail else ""


def _built_in(words: Words, policy: Policy, kind: TokenKind, reason: Reason) -> str:
    if reason is Reason.CODE_SENT or (reason is not Reason.CODE_WANTED and kind in _MINTED):
        return words.sent.get(kind, words.own[kind])
    modes = {TokenKind.SMS: policy.sms_mode, TokenKind.EMAIL: policy.email_mode}
    return words.own[kind] + (words.keyword if modes.get(kind) is SendMode.KEYWORD else "")


def _line(words: str) -> str:
    return " ".join(words.split()).encode()[:_LONGEST].decode(errors="ignore")


_MINTED = (TokenKind.SMS, TokenKind.EMAIL)
