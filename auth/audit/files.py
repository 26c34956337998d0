"""Where the audit lies: the names of its files, and the days that have a segment."""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

_DAY = re.compile(r"\d{8}")


@dataclass(frozen=True, slots=True)
class AuditFiles:
    """The files of one audit; all of them are called after `base`.

    Attributes:
        base: `[service] audit_file`, such as audit.jsonl; a file of this name is from before there were segments.
        key: the seed of the key that signs and seals, for the service's user only.
    """

    base: Path
    key: Path

    @property
    def head(self) -> Path:
        """Says where the audit begins and ends."""
        return self.base.with_suffix(".head")

    @property
    def lock(self) -> Path:
        """Whoever writes holds this one."""
        return self.base.with_suffix(".lock")

    def segment(self, day: str) -> Path:
        """The lines of a day, such as audit-20261126.jsonl."""
        return self.base.with_name(f"{self.base.stem}-{day}{self.base.suffix}")

    def days(self) -> list[str]:
        """The days that have a segment, oldest first. Raises OSError when the folder cannot be read."""
        named = (self.day_named(file.name) for file in self.base.parent.iterdir())
        return sorted(day for day in named if day and self.segment(day).is_file())

    def day_named(self, name: str) -> str:
        """The day whose segment has this name; empty when no segment would."""
        day = name.removeprefix(f"{self.base.stem}-").removesuffix(self.base.suffix)
        return day if _DAY.fullmatch(day) and name == self.segment(day).name else ""


def day_of(at: datetime) -> str:
    """The day in whose segment an instant belongs (UTC)."""
    return f"{at.year:04}{at.month:02}{at.day:02}"  # ten times as fast as strftime, for every line
