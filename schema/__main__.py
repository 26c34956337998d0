"""Writes ldif/ and docs/attributes.md from the table, or says which of them are out of date (`--check`)."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from schema import active_directory, documentation, ds389, openldap

_ROOT = Path(__file__).parents[1]


def files() -> Mapping[str, str]:
    """The generated files: paths under the root of the repository and their text."""
    definitions = openldap.definitions()
    return {
        "docs/attributes.md": documentation.render(),
        "ldif/389-ds.ldif": ds389.render(ds389.definitions()),
        "ldif/active-directory.ldif": active_directory.render(active_directory.records()),
        "ldif/openldap.ldif": openldap.render_config(definitions),
        "ldif/openldap.schema": openldap.render_classic(definitions),
    }


def write(target: Path) -> None:
    """Write the files below a directory."""
    for name, text in files().items():
        (target / name).parent.mkdir(exist_ok=True)
        (target / name).write_text(text, encoding="ascii", newline="\n")


def out_of_date(target: Path) -> list[Path]:
    """The files in a directory that are missing, or are not what `write` would write."""
    paths = {target / name: text.encode() for name, text in files().items()}
    return [path for path, octets in paths.items() if not path.is_file() or path.read_bytes() != octets]


def main(arguments: list[str], target: Path) -> int:
    """Run the command and return its exit status: 1 when `--check` finds a file that is out of date."""
    parser = argparse.ArgumentParser(prog="python -m schema", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 when a file is out of date")
    if not parser.parse_args(arguments).check:
        write(target)
        return 0
    stale = out_of_date(target)
    for path in stale:
        print(f"{path} is out of date: run python -m schema", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], _ROOT))
