"""Who may ask the administrative routes what."""

from enum import StrEnum
from types import MappingProxyType


class Right(StrEnum):
    """What an administrator's key may open."""

    STATUS = "status"  # how the service, its directories and gateways are doing
    METRICS = "metrics"  # the same for Prometheus
    EXPLAIN = "explain"  # what would happen at somebody's logon, and why
    EVENTS = "events"  # what has become of logons
    SYNC = "sync"  # have the directories looked at now


class Role(StrEnum):
    """What somebody is; the words of `roles` in an [admin:NAME] section."""

    MONITOR = "monitor"
    HELPDESK = "helpdesk"
    OPERATOR = "operator"


RIGHTS = MappingProxyType(
    {
        Role.MONITOR: frozenset({Right.STATUS, Right.METRICS}),
        Role.HELPDESK: frozenset({Right.STATUS, Right.EXPLAIN, Right.EVENTS}),
        Role.OPERATOR: frozenset({Right.STATUS, Right.METRICS, Right.SYNC}),
    }
)
