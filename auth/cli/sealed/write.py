"""What the commands that set one sealed or digested value have in common: the edit, and what is said of it."""

from typing import Any

from auth.cli.output import err, out, print_json
from dirsync.admin.directory import AdminDirectory
from dirsync.admin.edit import Edit, Replacement, as_ldif
from dirsync.admin.found import Found


def write(
    directory: AdminDirectory,
    found: Found,
    changes: tuple[Replacement, ...],
    said: str,
    more: dict[str, Any],
    auxiliary: str = "dirfactorUser",
    *,
    dry_run: bool,
    json: bool,
) -> None:
    """Write it, unless it is a dry run, and print what was done, or what would be.

    What is said of a dry run stands apart from its LDIF, which the directory takes as it is printed.

    Args:
        directory: where.
        found: the entry.
        changes: what the entry has afterwards.
        said: the line for a person, without the DN.
        more: what --json has beside the DN, the LDIF and whether it was written.
        auxiliary: the class that allows the attributes, where entries list theirs; empty for a structural one.
        dry_run: only print the LDIF.
        json: print JSON.

    Raises:
        Fault: the directory refuses or does not answer.
    """
    sets = auxiliary and any(change.values for change in changes)
    edit = Edit(found.dn, (*(directory.classes(found, auxiliary) if sets else ()), *changes))
    if not dry_run:
        directory.write(edit)
    if json:
        print_json({"dn": found.dn, "ldif": as_ldif(edit), "written": not dry_run, **more})
        return
    if dry_run:
        out.print(as_ldif(edit), markup=False, end="")
        err.print(f"{found.dn}: nothing was written; this is what would be: {said}", markup=False)
        return
    out.print(f"{found.dn}: {said}", markup=False)
