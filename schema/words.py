"""The small words that directory values are made of."""

from enum import StrEnum


class TokenKind(StrEnum):
    """A kind of token that a user can have assigned."""

    SMS = "sms"
    EMAIL = "email"
    VIP = "vip"
    TOTP = "totp"
    HOTP = "hotp"


class Method(StrEnum):
    """What a policy can demand as first or second method."""

    NONE = "none"
    PASSWORD = "password"  # noqa: S105 - the name of a method
    TOKEN = "token"  # noqa: S105 - the name of a method
    PIN = "pin"
    PASSWORD_THEN_TOKEN = "passwordThenToken"  # noqa: S105 - the name of a method
    TOKEN_THEN_PASSWORD = "tokenThenPassword"  # noqa: S105 - the name of a method
    PASSWORD_UNTIL_TOKEN = "passwordUntilToken"  # noqa: S105 - the name of a method


class SendMode(StrEnum):
    """When a code is sent."""

    ON_LOGON = "onLogon"
    KEYWORD = "keyword"
    AHEAD = "ahead"


class KeywordKind(StrEnum):
    """What the person types to have a code sent."""

    WORD = "word"
    PIN = "pin"
    PASSWORD = "password"  # noqa: S105 - the name of a kind


class LoginMode(StrEnum):
    """How an access node carries the dialogue."""

    CHALLENGE = "challenge"
    APPEND = "append"
    REJECT_THEN_CODE = "rejectThenCode"
    CODE_ONLY = "codeOnly"


class NodeType(StrEnum):
    """What an access node is."""

    RADIUS = "radius"
    HTTP = "http"
    PROXY = "proxy"


class UserIdAttribute(StrEnum):
    """Which login name an access node's user id is matched against."""

    ANY = "any"
    SAM = "sam"
    UPN = "upn"
    MAIL = "mail"
    LOGIN_NAME = "loginName"


class CharacterSet(StrEnum):
    """How an access node encodes what people type."""

    UTF_8 = "utf-8"
    LATIN_1 = "iso-8859-1"
    WINDOWS_1252 = "windows-1252"
