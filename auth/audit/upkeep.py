"""Opens the audit as config.ini says, and keeps it in order while the service runs."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from auth.audit.export.syslog import syslog_outbox
from auth.audit.files import AuditFiles
from auth.audit.keys import AuditKey
from auth.audit.settings import AuditSettings, SyncPolicy
from auth.audit.trail import AuditTrail, Export
from auth.clock import Entropy
from auth.server_key import server_key
from schema.errors import Fault

_log = logging.getLogger("dirfactor.audit")
_PAUSE_SECONDS = 1.0


def opened_trail(
    files: AuditFiles, settings: AuditSettings, now: Callable[[], datetime], entropy: Entropy
) -> AuditTrail:
    """The audit, ready to be written; its key is drawn at the first start.

    Raises:
        Fault: a file cannot be opened, or the key is readable by others.
    """
    key = AuditKey(server_key(files.key, entropy))
    export = None
    if settings.syslog:
        outbox = syslog_outbox(settings, settings.syslog)
        export = Export(outbox.offer, outbox.dropped, outbox.close)
    sync_each = settings.sync is SyncPolicy.LINE
    return AuditTrail(files, key, now, days=settings.days, sync_each=sync_each, export=export)


async def keep_up(trail: AuditTrail, sync: SyncPolicy) -> None:
    """Once a second, until cancelled: checkpoints, what is too old, and the disk. What fails is said once."""
    said = ""
    while True:
        await asyncio.sleep(_PAUSE_SECONDS)
        try:
            trail.tick()
            if sync is SyncPolicy.SECOND:
                await asyncio.to_thread(trail.sync)
            await trail.retire()
        except Fault as fault:
            if fault.problem != said:
                _log.error("%s", fault)
            said = fault.problem
        else:
            said = ""
