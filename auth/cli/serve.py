"""`dirfactor serve`, for itself: what the other commands need would stay in memory as long as the service runs."""

import asyncio
import logging
import sys
from pathlib import Path

from auth.cli.faults import faults
from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.preflight import examined_config, needed_to_start
from auth.serving.host import serve_host


def serve(config: Path) -> int:
    """Run the service until SIGTERM, and return its exit status.

    Raises:
        SystemExit: it cannot run; why is said on standard error.
    """
    with faults():
        settings = asyncio.run(examined_config(config, needed_to_start, SYSTEM_CLOCK, SYSTEM_ENTROPY))
        _start_logging(settings.service.log_level)
        return serve_host(settings, SYSTEM_CLOCK, SYSTEM_ENTROPY)


def _start_logging(level: str) -> None:
    """Log lines on standard error, with UTC times; other libraries only when they warn."""
    logging.basicConfig(
        stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s", level=logging.WARNING
    )
    logging.getLogger("dirfactor").setLevel(level.upper())
