"""Writes ldif/ and docs/attributes.md from the table; `--check` says which are out of date or Windows would refuse."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from schema import active_directory, display_specifiers, documentation, ds389, openldap
from schema.attributes import ARC
from schema.lint.linter import lint

_ROOT = Path(__file__).parents[1]
_EXTENSION = "ldif/active-directory.ldif"


def files() -> Mapping[str, str]:
    """The generated files: paths under the root of the repository and their text."""
    definitions = openldap.definitions()
    display = display_specifiers.records()
    return {
        "docs/attributes.md": documentation.render(),
        "ldif/389-ds.ldif": ds389.render(ds389.definitions()),
        "ldif/active-directory-display.ldif": display_specifiers.render(display),
        "ldif/active-directory-display-remove.ldif": display_specifiers.render_removal(display),
        _EXTENSION: active_directory.render(active_directory.records()),
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


def refused(target: Path) -> list[str]:
    """What a Windows domain controller would refuse of the schema extension in a directory, a line for each."""
    path = target / _EXTENSION
    return [f"{path}: {finding}" for finding in lint(path.read_bytes(), ARC)] if path.is_file() else []


def main(arguments: list[str], target: Path) -> int:
    """Run the command and return its exit status: 1 when `--check` finds something."""
    parser = argparse.ArgumentParser(prog="python -m schema", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 when something is wrong with a file"
    )
    if not parser.parse_args(arguments).check:
        write(target)
        return 0
    problems = [f"{path} is out of date: run python -m schema" for path in out_of_date(target)]
    problems += refused(target)
    print(*problems, sep="\n", end="\n" if problems else "", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], _ROOT))
