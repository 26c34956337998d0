"""`python -m faults.clocked serve ...`: the service where the clock is off by the seconds in a file, $CLOCK_OFF."""

import os
from datetime import datetime, timedelta
from pathlib import Path

from auth import clock

_FILE = Path(os.environ.get("CLOCK_OFF", os.devnull))
_REAL = clock.SYSTEM_CLOCK


def _now() -> datetime:
    return _REAL.now() + timedelta(seconds=float(_FILE.read_text() or 0))


if __name__ == "__main__":
    clock.SYSTEM_CLOCK = clock.Clock(_now, _REAL.monotonic)
    from auth.cli.main import main  # whoever takes the clock from its module has this one

    main()
