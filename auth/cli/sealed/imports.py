"""`dirfactor token import`: the tokens of a PSKC or CSV file, sealed and written for their users."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from auth.cli.access import read_password
from auth.cli.administrator import DRY_RUN, Administrator, the_user, writes_directory
from auth.cli.faults import UsageFault
from auth.cli.output import JSON_OPTION, out, print_json
from auth.cli.progress import followed
from auth.cli.sealed.ring import sealing_ring
from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.keys.ring import Ring
from auth.keys.sealing import NONCE_OCTETS
from auth.otp.csv_file import tokens_of_csv
from auth.otp.importing import BadFile, ImportedToken
from auth.otp.pskc_file import Opening, tokens_of_pskc
from auth.otp.sealed import held_seeds, sealed_token
from auth.otp.token import SoftwareToken
from dirsync.admin import tokens
from dirsync.admin.directory import AdminDirectory, entry_id
from dirsync.admin.edit import Edit, as_ldif
from dirsync.admin.found import Found
from schema.entry import User
from schema.errors import Fault


@dataclass(frozen=True, slots=True)
class _Plan:
    """What one user gets."""

    found: Found
    new: tuple[SoftwareToken, ...]
    there: tuple[SoftwareToken, ...]
    edit: Edit

    def rows(self) -> Iterator[dict[str, object]]:
        for there, of_them in ((False, self.new), (True, self.there)):
            for token in of_them:
                yield {"dn": self.found.dn, "kind": token.kind, "serial": token.serial, "there_already": there}


@writes_directory
def import_command(
    administrator: Administrator,
    file: Annotated[Path, typer.Argument(help="PSKC (RFC 6030) or CSV file.", metavar="FILE")],
    *,
    user: Annotated[str, typer.Option("--user", help="Whose they are, instead of what the file says.")] = "",
    pskc_key_file: Annotated[
        Path | None, typer.Option("--pskc-key-file", help="Pre-shared key of a PSKC file, in hex.", metavar="FILE")
    ] = None,
    pskc_password_file: Annotated[
        Path | None, typer.Option("--pskc-password-file", help="Password of a PSKC file.", metavar="FILE")
    ] = None,
    dry_run: DRY_RUN = False,
    json: JSON_OPTION = False,
) -> None:
    """Take the software tokens of a file in. Nothing is written unless all of the file is right.

    A token that its user has already, by its serial, is left alone, so that an import that was broken off can go on.
    """
    password = read_password("", pskc_password_file) if pskc_password_file else None
    items = _read(file, Opening(_key(pskc_key_file), password))
    ring = sealing_ring(administrator, dry_run=dry_run)
    with administrator.directory() as directory:
        plans = [_plan(directory, ring, found, mine) for found, mine in _by_user(directory, items, user)]
        new = [plan for plan in plans if plan.new]
        for plan in followed(new, "users", lambda: len(new)):
            if not dry_run:
                directory.write(plan.edit)
    rows = [row for plan in plans for row in plan.rows()]
    ldif = "\n".join(as_ldif(plan.edit) for plan in new)
    if json:
        print_json({"tokens": rows, "ldif": ldif, "written": bool(new) and not dry_run})
    elif dry_run:
        out.print(ldif, markup=False, end="")
    else:
        for row in rows:
            done = "is there already" if row["there_already"] else "assigned"
            out.print(f"{row['dn']}: {row['kind']} token {row['serial']} {done}", markup=False)


def _read(file: Path, opening: Opening) -> tuple[ImportedToken, ...]:
    try:
        octets = file.read_bytes()
        if octets.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
            return tokens_of_pskc(octets, opening, SYSTEM_CLOCK.now())
        return tokens_of_csv(octets.decode("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageFault(f"{file}: {error}", remedy="give a PSKC file, or a CSV file in UTF-8") from error
    except Fault as fault:
        raise UsageFault(f"{file}: {fault.problem}", remedy=fault.remedy) from fault


def _key(file: Path | None) -> bytes | None:
    if file is None:
        return None
    try:
        return bytes.fromhex(read_password("", file).text)
    except ValueError as error:
        raise UsageFault(
            f"{file} does not hold a key in hex", remedy="write its 16 or 32 octets as hex digits"
        ) from error


def _by_user(
    directory: AdminDirectory, items: Iterable[ImportedToken], user: str
) -> Iterable[tuple[Found, list[SoftwareToken]]]:
    """Each user with the tokens that are to be theirs; every user is looked for before anything is written."""
    problems: list[tuple[str, str]] = []
    named: dict[str, Found] = {}
    gets: dict[str, tuple[Found, list[SoftwareToken]]] = {}
    for item in items:
        name = user or item.user
        if not name:
            problems.append((item.where, "it is not said whose it is: fill in the user, or give --user"))
            continue
        try:
            found = named[name] = named[name] if name in named else the_user(directory, name)
        except UsageFault as fault:
            problems.append((item.where, str(fault)))
            continue
        gets.setdefault(found.dn, (found, []))[1].append(item.token)
    if problems:
        bad = BadFile(problems)
        raise UsageFault(bad.problem, remedy=bad.remedy)
    return gets.values()


def _plan(directory: AdminDirectory, ring: Ring, found: Found, items: list[SoftwareToken]) -> _Plan:
    entry = directory.parsed(found)
    held = {token.serial for token in held_seeds(entry)} if isinstance(entry, User) else set()
    new = tuple(token for token in items if token.serial not in held)
    seeds = {
        sealed_token(ring, entry_id(found), token, SYSTEM_ENTROPY.octets(NONCE_OCTETS)): token.kind for token in new
    }
    changes = (*directory.classes(found, "dirfactorUser"), *tokens.enrolling(found, seeds)) if new else ()
    return _Plan(found, new, tuple(token for token in items if token.serial in held), Edit(found.dn, changes))
