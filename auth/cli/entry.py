"""Where the program begins: the service by itself, everything else by typer.

What only commands need, typer itself among it, would stay in the service's memory as long as it runs; and commands do
without the service.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from auth.cli.default_config import CONFIG_VARIABLE, DEFAULT_CONFIG


def main() -> None:
    """The entry point."""
    config = config_to_serve(sys.argv[1:])
    if config is not None:
        from auth.cli.serve import serve  # noqa: PLC0415 - see above

        raise SystemExit(serve(config))
    from auth.cli.main import app  # noqa: PLC0415 - see above

    app()


def config_to_serve(words: Sequence[str]) -> Path | None:
    """The config.ini of a plain `serve`; None for all other command lines, which typer reads.

    Args:
        words: the command line without the program.
    """
    match list(words):
        case ["serve"]:
            return Path(os.environ.get(CONFIG_VARIABLE) or DEFAULT_CONFIG)
        case ["serve", "--config" | "-c", file]:
            return Path(file)
        case _:
            return None
