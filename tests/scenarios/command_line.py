"""dirfactor's commands as an operator types them, and what they print."""

import asyncio
from dataclasses import dataclass

from typer.testing import CliRunner

from auth.cli.main import app


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int | None
    out: str
    err: str


async def dirfactor(*arguments: str) -> Ended:
    """A command, in this process: most of a process of its own would be spent on imports."""
    result = await asyncio.to_thread(CliRunner().invoke, app, arguments)
    return Ended(result.exit_code, result.stdout, result.stderr)
