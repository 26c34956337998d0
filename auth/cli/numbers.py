"""`dirfactor check numbers`: phone numbers that will not work, found before somebody waits for a text."""

from contextlib import closing
from pathlib import Path
from typing import Any

import typer

from auth.cli.default_config import DEFAULT_CONFIG
from auth.cli.faults import Exit, faults
from auth.cli.output import CONFIG_OPTION, JSON_OPTION, demand_a_sync, out, print_json
from auth.cli.progress import followed
from auth.config import read_config
from auth.effective import effective_policy
from auth.numbers import NumberFinding, number_findings
from auth.settings import Settings
from auth.spend.settings import number_rules
from dirsync.replica import Replica
from dirsync.view import Person
from schema.entry import Policy


def numbers_command(config: CONFIG_OPTION = DEFAULT_CONFIG, *, json: JSON_OPTION = False) -> None:
    """Print every phone number in the replica that no text would reach. Exit status 1 when there is one."""
    with faults():
        settings = read_config(Path(config))
        with closing(Replica(settings.service.replica_file)) as replica:
            demand_a_sync(replica)
            users = replica.users()
            found: list[tuple[str, NumberFinding]] = []
            for entry in followed(users, "users", lambda: len(users)):
                person = replica.person(entry)
                if person is not None:
                    found += [(person.dn, finding) for finding in _findings(person, settings)]
    if json:
        print_json({"users": len(users), "findings": [_data(dn, finding) for dn, finding in found]})
    else:
        for dn, finding in found:
            number = f" {finding.number}" if finding.number else ""
            mark = "" if finding.certain else "warning: "
            out.print(
                f"{dn}\n    {mark}{finding.attribute}{number} {finding.problem}\n    {finding.remedy}", markup=False
            )
        out.print(f"{len(users)} users, {len(found)} numbers that will not work")
    if found:
        raise typer.Exit(Exit.FOUND)


def _findings(person: Person, settings: Settings) -> list[NumberFinding]:
    """By the policy that governs where no access node has one; when none can, by the built-in one."""
    effective = effective_policy(person, "any access node", None, settings.policies.get("default"))
    policy = effective.policy or Policy(name="built-in")
    region = settings.service.region
    return list(number_findings(person.user, policy, region, number_rules(settings.spend, region)))


def _data(dn: str, finding: NumberFinding) -> dict[str, Any]:
    return {
        "dn": dn,
        "attribute": finding.attribute,
        "number": finding.number,
        "problem": finding.problem,
        "remedy": finding.remedy,
        "certain": finding.certain,
    }
