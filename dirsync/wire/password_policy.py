"""What a directory says of a password besides that it is right: draft-behera-ldap-password-policy-10, and 389's own."""

from collections.abc import Mapping
from typing import Final

from dirsync.password import PasswordVerdict
from dirsync.wire.ber import Reader

# Asks for the answer, and is its name as well (section 6.1).
ASKING: Final = "1.3.6.1.4.1.42.2.27.8.5.1"
# What 389 Directory Server calls an expired password: one that must be changed first, or is in its grace.
_EXPIRED: Final = "2.16.840.1.113730.3.4.4"
# PasswordPolicyResponseValue (section 6.2): warning is a CHOICE, and so its tag is explicit.
_WARNING: Final = 0xA0
_SECONDS_LEFT: Final = 0x80
_GRACE_LEFT: Final = 0x81
_ERROR: Final = 0x81
_VERDICTS: Final = {
    0: PasswordVerdict.EXPIRED,  # passwordExpired
    1: PasswordVerdict.LOCKED,  # accountLocked
    2: PasswordVerdict.MUST_CHANGE,  # changeAfterReset
}


def verdict_of_success(controls: Mapping[str, bytes]) -> PasswordVerdict:
    """What a bind that succeeded means. A server may let somebody in to change the password, and for nothing else.

    Args:
        controls: values of the controls that came with the result, by OID.

    Returns:
        MUST_CHANGE after a reset, EXPIRED for a logon by grace; RIGHT where the server says nothing of that kind.

    Raises:
        MalformedAnswer: the policy's answer is not what the draft says.
    """
    verdict = _of_policy(controls.get(ASKING, b""))
    if verdict is PasswordVerdict.RIGHT and _EXPIRED in controls:
        return PasswordVerdict.MUST_CHANGE
    return verdict


def _of_policy(value: bytes) -> PasswordVerdict:
    if not value:
        return PasswordVerdict.RIGHT
    message = Reader(value)
    answer = message.sequence()
    message.end()
    in_grace = answer.next_is(_WARNING) and _tells_of_grace(answer.tagged(_WARNING))
    error = answer.number(_ERROR) if answer.next_is(_ERROR) else None
    answer.end()
    otherwise = PasswordVerdict.EXPIRED if in_grace else PasswordVerdict.RIGHT
    return otherwise if error is None else _VERDICTS.get(error, otherwise)


def _tells_of_grace(warning: Reader) -> bool:
    in_grace = warning.next_is(_GRACE_LEFT)
    warning.number(_GRACE_LEFT if in_grace else _SECONDS_LEFT)
    warning.end()
    return in_grace
