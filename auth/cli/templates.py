"""`dirfactor check templates`: what the words of messages cost, and what keeps them from doing their work."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import typer

from auth.cli.default_config import DEFAULT_CONFIG
from auth.cli.faults import Exit, faults
from auth.cli.output import CONFIG_OPTION, JSON_OPTION, demand_a_sync, out, print_json
from auth.config import read_config
from auth.settings import Settings
from auth.templates.lint import Linted, lint
from dirsync.replica import Replica
from schema.entry import Policy


def templates_command(config: CONFIG_OPTION = DEFAULT_CONFIG, *, json: JSON_OPTION = False) -> None:
    """Print what is wrong with the templates of every policy, here and in the replica. Exit status 1 when anything is.

    Hints are printed, and change no exit status.
    """
    with faults():
        settings = read_config(Path(config))
        linted = [lint(name, policy) for name, policy in _policies(settings)]
    wrong = sum(each.wrong for each in linted)
    if json:
        print_json([_data(each) for each in linted])
    else:
        for each in linted:
            out.print(_text(each), markup=False)
        out.print(f"{len(linted)} policies, {wrong} errors and warnings")
    if wrong:
        raise typer.Exit(Exit.FOUND)


def _policies(settings: Settings) -> Iterator[tuple[str, Policy]]:
    """Those of config.ini, then those of the directories; the built-in one where there is no [policy:default]."""
    if "default" not in settings.policies:
        yield "built-in", Policy(name="built-in", sms_enabled=True, email_enabled=True)
    for name, policy in settings.policies.items():
        yield f"[policy:{name}]", policy
    with closing(Replica(settings.service.replica_file)) as replica:
        demand_a_sync(replica)
        yield from replica.policies()


def _text(linted: Linted) -> str:
    lines = [linted.name, *([f"    text: {linted.sms}"] if linted.sms else [])]
    for finding in linted.findings:
        lines += [f"    {finding.weight}: {finding.attribute} {finding.problem}", f"        {finding.remedy}"]
    return "\n".join(lines)


def _data(linted: Linted) -> dict[str, Any]:
    return {"policy": linted.name, "sms": linted.sms, "findings": linted.findings}
