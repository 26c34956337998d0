"""`dirfactor check`: what is wrong in config.ini, and what is malformed in the directory."""

import asyncio
from collections.abc import Container
from contextlib import closing
from pathlib import Path

import typer

from auth.cli.default_config import DEFAULT_CONFIG
from auth.cli.faults import Exit, faults
from auth.cli.numbers import numbers_command
from auth.cli.output import CONFIG_OPTION, JSON_OPTION, demand_a_sync, out, print_json
from auth.cli.templates import templates_command
from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.config import read_config
from auth.preflight import everything, examined_config
from dirsync.replica import Replica
from dirsync.settings import DirectoryKind
from schema.mending import Mending, mending

check_app = typer.Typer(help="Check the configuration and the directory's values.", no_args_is_help=True)


@check_app.command("config")
def config_command(config: CONFIG_OPTION = DEFAULT_CONFIG) -> None:
    """Read config.ini and the certificates it names, and print everything that is wrong; nobody is asked anything."""
    with faults():
        settings = asyncio.run(examined_config(Path(config), everything, SYSTEM_CLOCK, SYSTEM_ENTROPY))
    out.print(f"{settings.file}: no problems", markup=False)


@check_app.command("values")
def values_command(config: CONFIG_OPTION = DEFAULT_CONFIG, *, json: JSON_OPTION = False) -> None:
    """Print every malformed value in the replica: entry, attribute, value, what is expected, and what mends it."""
    with faults():
        settings = read_config(Path(config))
        with closing(Replica(settings.service.replica_file)) as replica:
            demand_a_sync(replica)
            findings = [(dn, item, mending(dn, item)) for dn, item in replica.malformed()]
    if json:
        print_json(
            [
                {
                    "dn": dn,
                    "attribute": item.attribute,
                    "value": item.value,
                    "expected": item.expected,
                    "powershell": mend.powershell if mend else None,
                    "ldif": mend.ldif if mend else None,
                }
                for dn, item, mend in findings
            ]
        )
    else:
        kinds = {each.kind for each in settings.directories.values()}
        for dn, item, mend in findings:
            # what is to be copied is not indented: that would be a continuation in LDIF
            out.print(f"{dn}\n    {item}\n{_commands(mend, kinds)}", markup=False)
        out.print(f"{len(findings)} malformed values")
    if findings:
        raise typer.Exit(Exit.FOUND)


def _commands(mend: Mending | None, kinds: Container[DirectoryKind]) -> str:
    """What mends it in a directory of these kinds."""
    if mend is None:
        return "    no command can name this value: see to it in the directory's own editor, or to the right to read it"
    return mend.powershell if DirectoryKind.AD in kinds else f"ldapmodify <<'.'\n{mend.ldif}."


check_app.command("numbers")(numbers_command)
check_app.command("templates")(templates_command)
