"""A wall clock that is off, for programs that are started with it: libfaketime. What counts intervals is not."""

from pathlib import Path

_LIBRARIES = Path("/usr/lib")


class FakedTime:
    """The clock of whoever is started with `environment`; at first it is right.

    Args:
        file: where it stands; it need not be there.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.put(0.0)

    @property
    def environment(self) -> dict[str, str]:
        """What a program is to be started with. Raises AssertionError where the Debian package is not installed."""
        found = sorted(_LIBRARIES.glob("*/faketime/libfaketimeMT.so.1"))
        assert found, "libfaketime is not installed: run tools/bootstrap servers"
        return {
            "LD_PRELOAD": str(found[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DISABLE_SHM": "1",
            "NO_FAKE_STAT": "1",
        }

    def put(self, seconds: float) -> None:
        """From now on it is off by so many seconds."""
        new = self._file.with_name(f"{self._file.name}.new")
        new.write_text(f"{seconds:+.6f}\n")
        new.replace(self._file)
