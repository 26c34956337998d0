"""What is read at the moment of asking, rather than counted: the overview's figures, and this process's own."""

import os
import resource
from collections.abc import Mapping
from pathlib import Path

from auth.channels.breaker import Standing
from auth.metrics.catalogue import Metric
from auth.metrics.reading import Reading
from auth.overview import Overview
from auth.version import __version__

_STATM = Path("/proc/self/statm")


def state_of(overview: Overview) -> Reading:
    """What the overview shows, as metrics; much of it several workers of one host know alike."""
    found = Reading({}, {})
    put = found.put
    put(Metric.BUILD, 1, __version__)
    put(Metric.READY, 0 if overview.health().problems else 1)
    put(Metric.DIRECTORY_LIMIT, overview.settings.sync.expired_after_seconds)
    put(Metric.AUDIT_LINES, overview.audit.lines)
    for directory in overview.directories():
        name = directory.name or "directory"
        if directory.age_seconds is not None:
            put(Metric.DIRECTORY_AGE, directory.age_seconds, name)
        put(Metric.DIRECTORY_VERSION, directory.version, name)
        put(Metric.SYNC_FAILURES, directory.failures, name)
        put(Metric.SYNC_HELD, directory.held, name)
        put(Metric.SYNCS, directory.done, name, "done")
        put(Metric.SYNCS, directory.failed, name, "failed")
    for certificate in overview.certificates():
        put(Metric.CERTIFICATE_DAYS, -1 if certificate.days is None else certificate.days, certificate.name)
        put(Metric.CERTIFICATE_STUCK, bool(certificate.problem), certificate.name)
    for which, standing in overview.delivery.standings().items():
        put(Metric.GATEWAY_UP, standing is Standing.CLOSED, *which)
    put(Metric.TEXTS_REFUSED, overview.delivery.guard.refused)
    put(Metric.TEXTS_UNANSWERED, len(overview.delivery.guard.alarms))
    put(Metric.RECEIPTS_UNKNOWN, overview.delivery.book.unknown)
    challenges = overview.challenges()
    if challenges is not None:
        put(Metric.CHALLENGES, challenges)
    return found


def discards(counted: Mapping[str, int]) -> Reading:
    """RADIUS packets that were not answered, by cause."""
    found = Reading({}, {})
    for cause, number in counted.items():
        found.put(Metric.DISCARDED, number, cause)
    return found


def process(worker: str) -> Reading:
    """Memory and processor time of this process.

    Args:
        worker: what tells it from others of the same host.
    """
    found = Reading({}, {})
    used = resource.getrusage(resource.RUSAGE_SELF)
    found.put(Metric.CPU, used.ru_utime + used.ru_stime, worker)
    try:
        pages = int(_STATM.read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return found  # not Linux
    found.put(Metric.MEMORY, pages * os.sysconf("SC_PAGE_SIZE"), worker)
    return found
