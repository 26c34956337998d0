"""The words themselves, one table with a column for each language."""

from collections.abc import Mapping
from dataclasses import dataclass

from auth.prompts.language import Language
from auth.reason import Reason
from schema.words import TokenKind


@dataclass(frozen=True, slots=True)
class Words:
    """All that we say in one language.

    Attributes:
        sent: asks for a code that was just sent; `{destination}` is where to, masked.
        own: asks for a code that the person has, or may have.
        keyword: follows where a keyword has a code sent.
        wrong: stands in front where a code was wrong.
        instead: asks for something else than the code that the token is for.
        asked: asks for what is no code.
        first_code: asks whom nobody knows yet for a code.
        first_both: asks whom nobody knows yet for password and code in one.
        refusal: the one wording of all refusals.
    """

    sent: Mapping[TokenKind, str]
    own: Mapping[TokenKind, str]
    keyword: str
    wrong: str
    instead: Mapping[Reason, str]
    asked: Mapping[Reason, str]
    first_code: str
    first_both: str
    refusal: str


WORDS: Mapping[Language, Words] = {
    Language.ENGLISH: Words(
        sent={
            TokenKind.SMS: "Enter the code sent to {destination}.",
            TokenKind.EMAIL: "Enter the code mailed to {destination}.",
            TokenKind.VIP: "Enter the security code that VIP has sent.",
        },
        own={
            TokenKind.SMS: "Enter a code that was sent to {destination}.",
            TokenKind.EMAIL: "Enter a code that was mailed to {destination}.",
            TokenKind.VIP: "Enter the security code of your VIP credential.",
            TokenKind.TOTP: "Enter the code of your authenticator app.",
            TokenKind.HOTP: "Enter the code of your token.",
        },
        keyword=" The keyword brings a new one.",
        wrong="That code was not right. ",
        instead={
            Reason.CODE_RESYNCHRONISE: "Wait for the next code of your token, and enter it.",
            Reason.TEMPORARY_WANTED: "Enter the temporary response from your helpdesk.",
        },
        asked={
            Reason.PASSWORD_WANTED: "Enter your password.",
            Reason.PASSWORD_WRONG_RETRY: "That password was not right. Enter your password.",
            Reason.PIN_WANTED: "Enter your PIN.",
            Reason.FORWARD_WANTED: "Enter your code.",
            Reason.PIN_WRONG_RETRY: "That PIN was not right. Enter your PIN.",
            Reason.PIN_EXPIRED: "Your PIN has expired. Enter a new one, twice: 97539753 for 9753.",
            Reason.PIN_UNFIT: "That PIN will not do. Enter a new one, twice: 97539753 for 9753.",
        },
        first_code="Enter your code.",
        first_both="Enter your password, and behind it your code if you have one.",
        refusal="Logon failed.",
    ),
    Language.GERMAN: Words(
        sent={
            TokenKind.SMS: "Geben Sie den Code ein, der an {destination} gesendet wurde.",
            TokenKind.EMAIL: "Geben Sie den Code ein, der per E-Mail an {destination} gesendet wurde.",
            TokenKind.VIP: "Geben Sie den Sicherheitscode ein, den VIP gesendet hat.",
        },
        own={
            TokenKind.SMS: "Geben Sie einen Code ein, der an {destination} gesendet wurde.",
            TokenKind.EMAIL: "Geben Sie einen Code ein, der per E-Mail an {destination} gesendet wurde.",
            TokenKind.VIP: "Geben Sie den Sicherheitscode Ihres VIP-Tokens ein.",
            TokenKind.TOTP: "Geben Sie den Code Ihrer Authenticator-App ein.",
            TokenKind.HOTP: "Geben Sie den Code Ihres Tokens ein.",
        },
        keyword=" Das Schlüsselwort bringt einen neuen.",
        wrong="Der Code war nicht richtig. ",
        instead={
            Reason.CODE_RESYNCHRONISE: "Warten Sie auf den nächsten Code Ihres Tokens, und geben Sie ihn ein.",
            Reason.TEMPORARY_WANTED: "Geben Sie den Ersatzcode ein, den Sie vom Helpdesk haben.",
        },
        asked={
            Reason.PASSWORD_WANTED: "Geben Sie Ihr Kennwort ein.",
            Reason.PASSWORD_WRONG_RETRY: "Das Kennwort war nicht richtig. Geben Sie Ihr Kennwort ein.",
            Reason.PIN_WANTED: "Geben Sie Ihre PIN ein.",
            Reason.FORWARD_WANTED: "Geben Sie Ihren Code ein.",
            Reason.PIN_WRONG_RETRY: "Die PIN war nicht richtig. Geben Sie Ihre PIN ein.",
            Reason.PIN_EXPIRED: "Ihre PIN ist abgelaufen. Geben Sie eine neue ein, zweimal: 97539753 für 9753.",
            Reason.PIN_UNFIT: "Diese PIN ist nicht zulässig. Geben Sie eine neue ein, zweimal: 97539753 für 9753.",
        },
        first_code="Geben Sie Ihren Code ein.",
        first_both="Geben Sie Ihr Kennwort ein, und dahinter Ihren Code, wenn Sie einen haben.",
        refusal="Anmeldung fehlgeschlagen.",
    ),
}
