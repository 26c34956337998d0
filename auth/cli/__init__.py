"""The command line: `dirfactor --help`."""

from auth.cli.main import main

__all__ = ["main"]
