"""`dirfactor policy`: list, show, create, set and assign security policies."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import msgspec
import typer

from auth.cli.administrator import DRY_RUN, Administrator, find_users, reads_directory, writes_directory
from auth.cli.faults import UsageFault
from auth.cli.output import JSON_OPTION, out, print_json
from dirsync.admin.directory import AdminDirectory
from dirsync.admin.edit import Edit, applied, as_ldif, replaced
from dirsync.admin.found import Found
from dirsync.admin.policies import LINK, Policies
from schema.active_directory import Add
from schema.assignment import WrongSetting, check_policy, policy_settings, read_assignments
from schema.dn import fold
from schema.entry import Policy
from schema.parse import parse_policy

policy_app = typer.Typer(help="List, show, create, change and assign security policies.", no_args_is_help=True)

_NAME = Annotated[str, typer.Argument(help="The policy's name or DN.", metavar="NAME")]


@policy_app.command("list")
@reads_directory
def list_command(administrator: Administrator, *, json: JSON_OPTION = False) -> None:
    """Print every policy with its priority and to how many it is assigned."""
    with administrator.directory() as directory:
        policies = Policies(directory)
        found = policies.all()
        subjects = policies.assignments()
    rows = [_row(item, len(subjects.get(fold(item.dn), ()))) for item in found]
    if json:
        print_json(rows)
        return
    for row in rows:
        malformed = f", {row['malformed']} malformed values" if row["malformed"] else ""
        out.print(
            f"{row['name']:<20} priority {row['priority']}, assigned {row['assigned']} times{malformed}  {row['dn']}",
            markup=False,
        )
    out.print(f"{len(rows)} policies")


@policy_app.command("show")
@reads_directory
def show_command(administrator: Administrator, name: _NAME, *, json: JSON_OPTION = False) -> None:
    """Print every setting of a policy, which of them are defaults, and to whom it is assigned."""
    with administrator.directory() as directory:
        policies = Policies(directory)
        found = policies.named(name)
        subjects = policies.subjects(found)
    settings = list(_settings(found))
    malformed = parse_policy(found.text("cn"), found.attributes).malformed
    if json:
        print_json(
            {
                "dn": found.dn,
                "settings": [
                    {"attribute": item, "values": values, "default": default} for item, values, default in settings
                ],
                "malformed": malformed,
                "assigned": subjects,
            }
        )
        return
    out.print(found.dn, markup=False)
    for attribute, values, default in settings:
        shown = ", ".join(values) if values else "none"
        out.print(f"  {attribute:<40} {shown}{'  (default)' if default else ''}", markup=False)
    for finding in malformed:
        out.print(f"! {finding}", markup=False)
    out.print(f"assigned to {len(subjects)}" + "".join(f"\n  {dn}" for dn in subjects), markup=False)


@policy_app.command("create")
@writes_directory
def create_command(
    administrator: Administrator,
    name: Annotated[str, typer.Argument(help="Name of the new policy.", metavar="NAME")],
    *,
    set_: Annotated[list[str] | None, typer.Option("--set", help="attribute=value; may be repeated.")] = None,
    base: Annotated[
        str, typer.Option("--base", help="Where it is to stand; beside the others when left out.", metavar="DN")
    ] = "",
    dry_run: DRY_RUN = False,
    json: JSON_OPTION = False,
) -> None:
    """Create a policy. What is not set is as the built-in default has it."""
    with _as_usage():
        assigned = read_assignments(set_ or ())
        check_policy({item.lower(): values for item, values in assigned.items()}, assigned)
    with administrator.directory() as directory:
        policies = Policies(directory)
        addition = policies.new(name.strip(), base or policies.home(), assigned)
        _write(directory, addition, f"created {addition.dn}", dry_run=dry_run, json=json)


@policy_app.command("set")
@writes_directory
def set_command(
    administrator: Administrator,
    name: _NAME,
    settings: Annotated[
        list[str], typer.Argument(help="attribute=value; attribute= brings its default back.", metavar="SETTING...")
    ],
    *,
    dry_run: DRY_RUN = False,
    json: JSON_OPTION = False,
) -> None:
    """Change settings of a policy; everybody whom it governs has them within seconds."""
    with _as_usage():
        assigned = read_assignments(settings)
    with administrator.directory() as directory:
        policies = Policies(directory)
        found = policies.named(name)
        changes = [change for item, values in assigned.items() for change in replaced(found, item, *values)]
        edit = Edit(found.dn, tuple(changes))
        with _as_usage():
            check_policy(applied(found, edit).attributes, assigned)
        number = len(policies.subjects(found))
        _write(directory, edit, f"{found.dn}: changed; it is assigned {number} times", dry_run=dry_run, json=json)


@policy_app.command("assign")
@writes_directory
def assign_command(
    administrator: Administrator,
    name: _NAME,
    subject: Annotated[
        str, typer.Argument(help="User, group or organizational unit by name, or any DN.", metavar="SUBJECT")
    ],
    *,
    remove: Annotated[bool, typer.Option("--remove", help="Take the assignment away.")] = False,
    dry_run: DRY_RUN = False,
    json: JSON_OPTION = False,
) -> None:
    """Assign a policy, in the place of the one that the subject has; it governs from the next logon on."""
    with administrator.directory() as directory:
        policies = Policies(directory)
        policy = policies.named(name)
        target = _subject(directory, policies, subject)
        if remove:
            said = f"{target.dn}: {policy.dn} is no longer assigned"
            _write(directory, policies.unassigning(target, policy), said, dry_run=dry_run, json=json)
            return
        before = target.text(LINK)
        said = f"{target.dn}: assigned {policy.dn}" + (f", in the place of {before}" if before else "")
        _write(directory, policies.assigning(target, policy), said, dry_run=dry_run, json=json)


def _subject(directory: AdminDirectory, policies: Policies, text: str) -> Found:
    by_dn = directory.named(text)
    if by_dn:
        return by_dn
    found = {fold(item.dn): item for item in (*find_users(directory, text), *policies.group_or_container(text))}
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        raise UsageFault(
            f"{text} is the name of several", remedy="give the DN: " + "; ".join(item.dn for item in found.values())
        )
    raise UsageFault(
        f"there is no user, group or organizational unit {text} below {directory.base}",
        remedy="check the name and --tree, or give the DN",
    )


@contextmanager
def _as_usage() -> Iterator[None]:
    try:
        yield
    except WrongSetting as wrong:
        raise UsageFault(wrong.problem, remedy=wrong.remedy) from wrong


def _write(directory: AdminDirectory, edit: Edit | Add, said: str, *, dry_run: bool, json: bool) -> None:
    ldif = as_ldif(edit)
    if not dry_run:
        directory.write(edit)
    if json:
        print_json({"dn": edit.dn, "ldif": ldif, "written": bool(ldif) and not dry_run})
    elif not ldif:
        out.print(f"{edit.dn}: nothing to change", markup=False)
    elif dry_run:
        out.print(ldif, markup=False, end="")
    else:
        out.print(said, markup=False)


def _row(found: Found, assigned: int) -> dict[str, Any]:
    policy = parse_policy(found.text("cn"), found.attributes)
    return {
        "name": policy.name,
        "dn": found.dn,
        "priority": policy.priority,
        "assigned": assigned,
        "malformed": len(policy.malformed),
    }


def _settings(found: Found) -> Iterable[tuple[str, list[str], bool]]:
    """Every setting: its attribute, the values in force as the directory writes them, whether it is the default."""
    defaults = {item.name: item.default for item in msgspec.structs.fields(Policy)}
    for attribute in policy_settings():
        values = found.attributes.get(attribute.name.lower(), ())
        if values:
            yield attribute.name, [value.decode(errors="backslashreplace") for value in values], False
        else:
            yield attribute.name, _written(defaults.get(attribute.field)), True


def _written(default: object) -> list[str]:
    """A default as the directory would have it."""
    if isinstance(default, bool):
        return [str(default).upper()]
    if isinstance(default, tuple):
        return [", ".join(default)] if default else []
    return [] if default is None else [str(default)]
