"""What somebody who helps needs to know of an installation, in one file, without secrets and without people."""

import io
import json
import os
import platform
import re
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Final

from auth.ini import IniFile
from auth.keys import private_file
from auth.settings import Settings
from auth.version import __version__
from schema.errors import Fault

_SECRET_KEY: Final = re.compile(r"(?i)password|secret|token|key|hash|value|fields|headers|body")
_REFERENCE: Final = re.compile(r"(?:file|env|cred):\S+")
_PLAIN: Final = re.compile(r"(?i)\d{1,5}(?:\.\d+)?|yes|no|[a-z]+(?:-[a-z]+)*")
_PEOPLE: Final = (
    re.compile(r"[^\s\"'=<>(),;]+@[^\s\"'<>(),;]+"),
    re.compile(r"(?i)(?<=\b(?:cn|ou|dc)=)[^,\n\"]+|(?<=\buid=)[^,\n\"]+"),
    re.compile(r"\+?\d(?:[ /-]?\d){6,}"),
)


def bare(text: str) -> str:
    """A text without mail addresses, parts of DNs and long numbers, as of phones."""
    for pattern in _PEOPLE:
        text = pattern.sub("***", text)
    return text


def redacted(file: Path) -> str:
    """config.ini without comments; of what may be secret only references, and words and small numbers."""
    lines = []
    for section, values in IniFile(file).sections.items():
        lines.append(f"[{bare(section)}]")
        for key, value in values.items():
            shown = value.strip()
            if _SECRET_KEY.search(key) and not (_REFERENCE.fullmatch(shown) or _PLAIN.fullmatch(shown)):
                shown = "***"
            lines.append(f"{key} = {bare(shown)}".replace("\n", "\n    "))
    return "\n".join(lines) + "\n"


def write_bundle(
    file: Path, settings: Settings, results: Sequence[Mapping[str, str]], now: datetime
) -> tuple[str, ...]:
    """Write a compressed archive, which must not be there yet, for its owner alone.

    Args:
        file: where to.
        settings: config.ini.
        results: what `dirfactor doctor --json` prints.
        now: the instant.

    Returns:
        The names of what is in it.

    Raises:
        Fault: it cannot be written, or is there already.
    """
    if os.path.lexists(file):
        raise Fault(f"{file} is there already", remedy="name another file")
    packages = {each.metadata["Name"]: each.version for each in distributions()}
    about = {
        "dirfactor": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "at": now.isoformat(timespec="seconds"),
        "packages": dict(sorted(packages.items())),
    }
    state = settings.service.state_directory
    files = [_about_file(path) for path in (sorted(state.iterdir()) if state.is_dir() else ())]
    parts = {
        "about.json": _json(about),
        "config.ini": redacted(settings.file),
        "doctor.json": _json([{key: bare(text) for key, text in result.items()} for result in results]),
        "files.json": _json(files),
    }
    private_file.make(file, _archive(parts.items(), now))
    return tuple(parts)


def _about_file(path: Path) -> dict[str, str | int]:
    found = path.stat()
    return {"name": path.name, "octets": found.st_size, "mode": f"{found.st_mode & 0o7777:o}", "owner": found.st_uid}


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _archive(parts: Iterable[tuple[str, str]], now: datetime) -> bytes:
    octets = io.BytesIO()
    with tarfile.open(fileobj=octets, mode="w:gz") as archive:
        for name, text in parts:
            about = tarfile.TarInfo(f"dirfactor/{name}")
            about.size, about.mode, about.mtime = len(text.encode()), 0o600, int(now.timestamp())
            archive.addfile(about, io.BytesIO(text.encode()))
    return octets.getvalue()
