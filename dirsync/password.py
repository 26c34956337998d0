"""Whether a password is right: asked of the directory itself, once per login, never remembered."""

from enum import StrEnum
from typing import Protocol


class PasswordVerdict(StrEnum):
    """What the directory says to a password."""

    RIGHT = "right"
    WRONG = "wrong"
    EXPIRED = "expired"  # AD sub-code 532: right, but past its time
    MUST_CHANGE = "must-change"  # 773: right, but to be changed first
    HOURS = "hours"  # 530
    WORKSTATION = "workstation"  # 531
    DISABLED = "disabled"  # 533
    ACCOUNT_EXPIRED = "account-expired"  # 701
    LOCKED = "locked"  # 775
    UNAVAILABLE = "unavailable"  # nobody answered; says nothing about the password


class PasswordCheck(Protocol):
    """One directory's answer to a password. Blocks; call it in a thread."""

    def check(self, dn: str, password: str) -> PasswordVerdict:
        """Ask once. An empty password is WRONG without asking (RFC 4513 section 5.1.2). Never raises."""
        ...
