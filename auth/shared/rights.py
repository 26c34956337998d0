"""What our users must be allowed by the ACL of the servers, and of the sentinels that know one."""

from typing import Final

from auth.shared.settings import Arrangement
from auth.state import StateUnavailable

RIGHTS: Final = (
    "-@all +info +time +eval +evalsha +wait +scan +get +set +del +exists +hset +hget +hmget +hgetall "
    "+hvals +hkeys +hdel +hincrby +pexpire +pexpireat +sadd +srem +scard +smembers"
)
"""Of our user in the server's ACL. AUTH needs none."""
RIGHTS_IN_A_CLUSTER: Final = f"{RIGHTS} +cluster|slots +command +asking"
"""The client asks who has which slot and what commands there are, and goes after slots that are being moved."""
RIGHTS_AT_SENTINELS: Final = "-@all +sentinel|masters"
_LONGEST = 200


class NotAllowed(StateUnavailable):
    """An ACL does not allow what is needed, which does not pass by itself."""


def not_allowed(error: Exception, prefix: str, arrangement: Arrangement) -> NotAllowed:
    """Of what a server has said to our user."""
    rights = RIGHTS_IN_A_CLUSTER if arrangement is Arrangement.CLUSTER else RIGHTS
    return NotAllowed(
        f"[state]: the server's ACL does not allow what is needed: {str(error)[:_LONGEST]}",
        remedy=f"ACL SETUSER NAME on >PASSWORD ~{prefix}:* {rights}",
    )


def not_allowed_at_sentinels(error: Exception) -> NotAllowed:
    """Of what a sentinel has said to our user there."""
    return NotAllowed(
        f"[state]: the sentinels' ACL does not allow what is needed: {str(error)[:_LONGEST]}",
        remedy=f"ACL SETUSER NAME on >PASSWORD {RIGHTS_AT_SENTINELS}, at each sentinel",
    )
