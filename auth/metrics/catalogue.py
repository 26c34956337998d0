"""Every metric by its name: its labels, and how those of several workers add up. docs/monitoring.md is made of this."""

from enum import StrEnum
from typing import Self


class Kind(StrEnum):
    """As Prometheus has them."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Together(StrEnum):
    """What several workers on one host have together."""

    SUM = "sum"
    LEAST = "least"
    MOST = "most"


class Metric(StrEnum):
    """A metric. The value is its name."""

    kind: Kind
    labels: tuple[str, ...]
    meaning: str
    together: Together

    def __new__(
        cls, name: str, kind: Kind, labels: tuple[str, ...], meaning: str, together: Together = Together.SUM
    ) -> Self:
        """A name with its kind, its labels, what it says, and what several workers have together."""
        member = str.__new__(cls, name)
        member._value_ = name
        member.kind = kind
        member.labels = labels
        member.meaning = meaning
        member.together = together
        return member

    LOGONS = (
        "dirfactor_logons_total",
        Kind.COUNTER,
        ("door", "outcome", "reason"),
        "steps of logons that were answered: accepted, challenged or refused, and the reason code",
    )
    LOGON_SECONDS = (
        "dirfactor_logon_seconds",
        Kind.HISTOGRAM,
        ("door", "outcome"),
        "how long a step took up to its answer; a refusal takes refusal_seconds at least",
    )
    LOGONS_OPEN = (
        "dirfactor_logons_in_progress",
        Kind.GAUGE,
        ("door",),
        "steps that are being answered now",
    )
    FAULTS = (
        "dirfactor_logon_faults_total",
        Kind.COUNTER,
        ("door",),
        "steps that ended in an error of ours, which is in the log; nobody was let in by one",
    )
    CHALLENGES = (
        "dirfactor_challenges_open",
        Kind.GAUGE,
        (),
        "challenges that wait for an answer and have not expired",
        Together.MOST,
    )
    DISCARDED = (
        "dirfactor_radius_discarded_total",
        Kind.COUNTER,
        ("cause",),
        "RADIUS packets that were not answered, RadSec connections that were closed, and why; the log names the client",
    )
    HTTP_ANSWERS = (
        "dirfactor_http_answers_total",
        Kind.COUNTER,
        ("route", "status"),
        "answers of the HTTP door by route and status",
    )
    GATEWAY_UP = (
        "dirfactor_gateway_up",
        Kind.GAUGE,
        ("channel", "gateway"),
        "1, or 0 while a gateway is left alone because it failed several times in a row",
        Together.LEAST,
    )
    DELIVERIES = (
        "dirfactor_deliveries_total",
        Kind.COUNTER,
        ("channel", "gateway", "result"),
        "messages handed to gateways: taken, refused (this message or its address), failed, or unknown",
    )
    DELIVERY_SECONDS = (
        "dirfactor_delivery_seconds",
        Kind.HISTOGRAM,
        ("channel", "gateway"),
        "how long a gateway took to say what it did with a message",
    )
    TEXTS_REFUSED = (
        "dirfactor_texts_refused_total",
        Kind.COUNTER,
        (),
        "texts that the spend guard has not let go",
    )
    TEXTS_UNANSWERED = (
        "dirfactor_texts_unanswered_prefixes",
        Kind.GAUGE,
        (),
        "beginnings of numbers whose codes are suspiciously rarely answered",
        Together.MOST,
    )
    RECEIPTS_UNKNOWN = (
        "dirfactor_receipts_unknown_total",
        Kind.COUNTER,
        (),
        "delivery receipts about texts that nobody here has sent",
    )
    VIP_QUESTIONS = (
        "dirfactor_vip_questions_total",
        Kind.COUNTER,
        ("question", "outcome"),
        "what VIP was asked, and what it came to: success, person, resynchronise, configuration, service, unavailable",
    )
    VIP_SECONDS = (
        "dirfactor_vip_seconds",
        Kind.HISTOGRAM,
        ("question",),
        "how long VIP took to answer",
    )
    CERTIFICATE_DAYS = (
        "dirfactor_certificate_days",
        Kind.GAUGE,
        ("certificate",),
        "whole days left to a certificate of http, radsec or vip; negative after its end, or when it cannot be used",
        Together.LEAST,
    )
    CERTIFICATE_STUCK = (
        "dirfactor_certificate_not_replaced",
        Kind.GAUGE,
        ("certificate",),
        "1 while the files of a door's certificate were replaced by some that cannot be used",
        Together.MOST,
    )
    DIRECTORY_AGE = (
        "dirfactor_directory_age_seconds",
        Kind.GAUGE,
        ("directory",),
        "how old the directory's data are that logons are decided by",
        Together.LEAST,
    )
    DIRECTORY_LIMIT = (
        "dirfactor_directory_age_limit_seconds",
        Kind.GAUGE,
        (),
        "the age at which logons are refused when the policy says nothing",
        Together.LEAST,
    )
    DIRECTORY_VERSION = (
        "dirfactor_directory_version",
        Kind.GAUGE,
        ("directory",),
        "version of the replica; each batch of changes makes a new one",
        Together.MOST,
    )
    SYNCS = (
        "dirfactor_syncs_total",
        Kind.COUNTER,
        ("directory", "result"),
        "looks at the directory: done or failed",
        Together.MOST,
    )
    SYNC_FAILURES = (
        "dirfactor_sync_failures",
        Kind.GAUGE,
        ("directory",),
        "looks at the directory that failed in a row",
        Together.MOST,
    )
    SYNC_HELD = (
        "dirfactor_sync_held",
        Kind.GAUGE,
        ("directory",),
        "1 while the tripwire holds changes until somebody lets them in",
        Together.MOST,
    )
    AUDIT_LINES = (
        "dirfactor_audit_lines",
        Kind.GAUGE,
        (),
        "number of the audit's last line",
        Together.MOST,
    )
    READY = (
        "dirfactor_ready",
        Kind.GAUGE,
        (),
        "1 when logons can be decided, as /readyz says",
        Together.LEAST,
    )
    MEMORY = (
        "dirfactor_resident_memory_bytes",
        Kind.GAUGE,
        ("worker",),
        "memory that is in use by a process of the service",
    )
    CPU = (
        "dirfactor_cpu_seconds_total",
        Kind.COUNTER,
        ("worker",),
        "processor time that a process of the service has used",
    )
    BUILD = (
        "dirfactor_build_info",
        Kind.GAUGE,
        ("version",),
        "1, and the version",
        Together.MOST,
    )


BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.5, 5.0, 10.0)
"""Upper bounds of the histograms' buckets, in seconds; beyond the last one there is one more."""


def as_table() -> str:
    """All metrics as the table of docs/monitoring.md."""
    rows = [f"| `{item.value}` | {', '.join(item.labels) or ' '} | {item.kind} | {item.meaning} |" for item in Metric]
    return "\n".join(["| metric | labels | kind | what it says |", "|---|---|---|---|", *rows])
