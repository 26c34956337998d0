"""`dirfactor check`: what is wrong in config.ini, and what is malformed in the directory."""

import asyncio
from contextlib import closing
from pathlib import Path

import typer

from auth.cli.output import CONFIG_OPTION, DEFAULT_CONFIG, JSON_OPTION, Exit, demand_a_sync, faults, out, print_json
from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.config import read_config
from auth.preflight import everything, examined_config
from dirsync.replica import Replica

check_app = typer.Typer(help="Check the configuration and the directory's values.", no_args_is_help=True)


@check_app.command("config")
def config_command(config: CONFIG_OPTION = DEFAULT_CONFIG) -> None:
    """Read config.ini and the certificates it names, and print everything that is wrong; nobody is asked anything."""
    with faults():
        settings = asyncio.run(examined_config(Path(config), everything, SYSTEM_CLOCK, SYSTEM_ENTROPY))
    out.print(f"{settings.file}: no problems", markup=False)


@check_app.command("values")
def values_command(config: CONFIG_OPTION = DEFAULT_CONFIG, *, json: JSON_OPTION = False) -> None:
    """Print every malformed value in the replica: its entry, the attribute, the value and what is expected."""
    with faults():
        settings = read_config(Path(config))
        with closing(Replica(settings.service.replica_file)) as replica:
            demand_a_sync(replica)
            findings = list(replica.malformed())
    if json:
        print_json(
            [
                {"dn": dn, "attribute": item.attribute, "value": item.value, "expected": item.expected}
                for dn, item in findings
            ]
        )
    else:
        for dn, item in findings:
            out.print(f"{dn}\n    {item}", markup=False)
        out.print(f"{len(findings)} malformed values")
    if findings:
        raise typer.Exit(Exit.FOUND)
