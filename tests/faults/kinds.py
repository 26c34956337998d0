"""The kinds of logon that meet every fault, and what people show who show no password."""

from typing import Final

from auth.otp.token import SoftwareToken
from schema.words import TokenKind

KINDS: Final = ("password", "text", "mail", "VIP", "authenticator", "PIN and code")
DIRECT: Final = {"authenticator": "tom", "PIN and code": "paula"}
"""Who show all they have at once, and no password."""
SECOND_STEP: Final = ("text", "mail", "VIP")
"""Who are let in by the second step alone."""
TOKENS: Final = {
    "tom": SoftwareToken(TokenKind.HOTP, "T-TOM", b"a-seed-of-an-authenticator"),
    "paula": SoftwareToken(TokenKind.HOTP, "T-PAULA", b"another-seed-of-an-authenticator"),
}
PIN: Final = "830517"
