"""The words that the person at the keyboard sees. Pure."""

from auth.addresses import masked
from auth.reason import Reason
from auth.tokens import Usable
from schema.entry import Policy
from schema.words import TokenKind

PASSWORD_PROMPT = "Enter your password."  # noqa: S105 - a prompt
_LONGEST = 200


def code_prompt(policy: Policy, token: Usable, reason: Reason) -> str:
    """One line of at most 200 octets that asks for the code of a token.

    The policy's own prompt comes first; `{destination}` in it becomes the masked address.
    """
    prompt = policy.prompt or _BUILT_IN[token.kind]
    prompt = " ".join(prompt.replace("{destination}", destination(token)).split())
    if reason is Reason.CODE_WRONG_RETRY:
        prompt = f"That code was not right. {prompt}"
    return prompt.encode()[:_LONGEST].decode(errors="ignore")


def destination(token: Usable) -> str:
    """Where a token's code goes or comes from, masked."""
    return masked(token.phone or token.mail or "") if token.phone or token.mail else ""


_BUILT_IN = {
    TokenKind.SMS: "Enter the code sent to {destination}.",
    TokenKind.EMAIL: "Enter the code mailed to {destination}.",
    TokenKind.VIP: "Enter the security code of your VIP credential.",
    TokenKind.TOTP: "Enter the code of your authenticator app.",
    TokenKind.HOTP: "Enter the code of your token.",
}
