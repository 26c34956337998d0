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

# a reference stands here, or a mistake: what was typed in its place, whatever it looks like, is the secret itself
_ONLY_REFERENCE: Final = re.compile(r"(?i)passw|pwd|secret|bearer|_token$|^token$|^value$")
_MAY_BE_SECRET: Final = re.compile(r"(?i)user|token|key|hash|fields|headers|body|raw")
_REFERENCE: Final = re.compile(r"(?:file|env|cred):\S+")
_PLAIN: Final = re.compile(r"(?i)\d{1,5}(?:\.\d+)?|yes|no|[a-z]+(?:-[a-z]+)*")
# in the query of a URL, where some providers want it; what is filled in for each text is none
_QUERY: Final = re.compile(r"(?<=[?&;])([^\s?&;=]+)=(?!(?:\{\w+\})+(?:[&;#\s]|$))[^\s&;#]+")
_PEOPLE: Final = (
    re.compile(r"[^\s\"'=<>(),;]+@[^\s\"'<>(),;]+"),
    re.compile(r"(?i)(?<=\b(?:cn|ou|dc)=)[^,\n\"]+|(?<=\buid=)[^,\n\"]+"),
    re.compile(r"\+?\d(?:[ /-]?\d){6,}"),
)


def bare(text: str) -> str:
    """A text without mail addresses, parts of DNs, long numbers (of phones), and values in the query of a URL."""
    if "://" in text:
        text = _QUERY.sub(r"\1=***", text)
    for pattern in _PEOPLE:
        text = pattern.sub("***", text)
    return text


def redacted(file: Path) -> str:
    """config.ini without comments; of secrets only references, of what may be one also words and small numbers."""
    lines = []
    for section, values in IniFile(file).sections.items():
        lines.append(f"[{bare(section)}]")
        for key, value in values.items():
            shown = value.strip()
            if not _may_be_shown(key, shown):
                shown = "***"
            lines.append(f"{key} = {bare(shown)}".replace("\n", "\n    "))
    return "\n".join(lines) + "\n"


def _may_be_shown(key: str, value: str) -> bool:
    if _REFERENCE.fullmatch(value):
        return True
    if _ONLY_REFERENCE.search(key):
        return False
    return not _MAY_BE_SECRET.search(key) or bool(_PLAIN.fullmatch(value))


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
