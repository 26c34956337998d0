"""Looks for many secrets in many files at once."""

import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from canary.forms import forms
from canary.leavings import Leaving, is_core

FILES_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of a look.

    Attributes:
        files: how many were looked through.
        octets: how much that was.
        secrets: how many were looked for.
        forms: in how many texts they may stand somewhere.
        seen: file, name of the secret and form, once each; and each core.
    """

    files: int
    octets: int
    secrets: int
    forms: int
    seen: Sequence[str]

    def __str__(self) -> str:
        looked = f"{self.files:,} files, {self.octets / 1e6:.1f} MB, looked through for {self.secrets:,} secrets"
        return f"{looked} in {self.forms:,} forms: {len(self.seen)} seen"


def look(leavings: Sequence[Leaving], secrets: Mapping[str, str], *, at_once: int = FILES_AT_ONCE) -> Looked:
    """Look for each form of each secret, by its name, in each file; in so many files at once.

    Raises:
        CalledProcessError: a file could not be read to its end.
    """
    shapes: dict[bytes, str] = {}
    for name, secret in secrets.items():
        for form, octets in forms(secret).items():
            if b"\n" not in octets:  # `forms` of a line; UTF-16 of some letters has one
                shapes.setdefault(octets, f"{name}, {form}")
    files, octets, seen = 0, 0, []
    with tempfile.TemporaryDirectory() as unpacked:
        for first in range(0, len(leavings), at_once):
            names = dict(_on_disk(leavings[first : first + at_once], Path(unpacked)))
            files += len(names)
            octets += sum(path.stat().st_size for path in names)
            seen += [f"{name}: a core" for path, name in names.items() if is_core(path)]
            if shapes:
                found = sorted(set(_found(list(names), shapes)))
                seen += [f"{names[path]}: {shapes[shape]}" for path, shape in found if shape in shapes]
    return Looked(files, octets, len(secrets), len(shapes), seen)


def _on_disk(some: Sequence[Leaving], unpacked: Path) -> Iterator[tuple[Path, str]]:
    for number, leaving in enumerate(some):
        path = leaving.path
        if leaving.octets is not None:
            path = unpacked / str(number)
            path.write_bytes(leaving.octets)
        yield path, leaving.name


def _found(paths: Sequence[Path], shapes: Iterable[bytes]) -> Iterator[tuple[Path, bytes]]:
    """By grep, which looks for all at once (Aho and Corasick), and reads them from where nobody else can."""
    command = ["grep", "--text", "--only-matching", "--fixed-strings", "--with-filename", "--null", "--file=-", "--"]
    done = subprocess.run(
        [*command, *map(str, paths)], input=b"\n".join(shapes), capture_output=True, check=False, env={"LC_ALL": "C"}
    )
    if done.returncode > 1:
        raise subprocess.CalledProcessError(done.returncode, "grep", stderr=done.stderr)
    for line in done.stdout.splitlines():
        path, _, shape = line.partition(b"\0")
        yield Path(path.decode()), shape
