"""`dirfactor token`: who has which token, and what the user must be told when that changes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import typer

from auth.addresses import email_address, masked, phone_number
from auth.cli.administrator import DRY_RUN, Administrator, reads_directory, the_user, writes_directory
from auth.cli.faults import Exit, UsageFault
from auth.cli.output import JSON_OPTION, out, print_json
from auth.cli.progress import followed
from auth.cli.sealed.enrol import Wish, enrol
from auth.cli.sealed.imports import import_command
from auth.cli.sealed.ring import sealing_ring
from auth.cli.vip import asked_of_vip, proof_given
from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.keys.sealing import NONCE_OCTETS
from auth.otp.sealed import held_seeds, sealed_token, sealed_tokens
from auth.otp.token import SOFTWARE_KINDS, Algorithm
from auth.outlook import warnings, works
from auth.profile import token_lines, token_rows
from auth.vip.credential import shown as shown_credential
from auth.vip.credential import typed
from auth.vip.enrolment import Enrolled
from auth.what_to_tell import what_to_tell
from dirsync.admin import tokens
from dirsync.admin.directory import AdminDirectory, are_people, entry_id
from dirsync.admin.edit import Edit, Replacement, Values, applied, as_ldif
from dirsync.admin.filters import all_of, equal, present
from dirsync.admin.found import Found
from schema.attributes import BY_NAME
from schema.entry import Policy, User
from schema.errors import Fault
from schema.words import TokenKind

token_app = typer.Typer(help="Assign, remove, list and show people's tokens.", no_args_is_help=True)
token_app.command("import")(import_command)

_USER = Annotated[str, typer.Argument(help="Login name as a person types it, or DN.", metavar="USER")]
_KIND = Annotated[
    TokenKind, typer.Argument(help="sms, email, vip, totp or hotp.", metavar="KIND", case_sensitive=False)
]
_CREDENTIAL = Annotated[
    list[str] | None, typer.Option("--credential", help="VIP credential id, such as VSST12345678; may be repeated.")
]
_SERIAL = Annotated[str, typer.Option("--serial", help="Serial of a software token; drawn if absent.")]
_IDS = Annotated[
    list[str] | None, typer.Argument(help="VIP credentials: VSST12345678, sms:NUMBER, voice:NUMBER or user:NAME.")
]
_BUILT_IN = Policy(name="built-in")


@token_app.command("assign")
@writes_directory
def assign_command(
    administrator: Administrator,
    user: _USER,
    kind: _KIND,
    ids: _IDS = None,
    *,
    credential: _CREDENTIAL = None,
    code: Annotated[
        str,
        typer.Option(
            "--code", help="First code of a software token, asked for if absent; or one of the VIP credential."
        ),
    ] = "",
    code2: Annotated[str, typer.Option("--code2", help="The code that it shows next.")] = "",
    activate: Annotated[
        bool, typer.Option("--activate", help="Activate the VIP credential, even without a code.")
    ] = False,
    unchecked: Annotated[bool, typer.Option("--unchecked", help="Do not ask VIP about the credential.")] = False,
    phone: Annotated[str, typer.Option("--phone", help="Number for texts, instead of the policy's attribute.")] = "",
    mail: Annotated[str, typer.Option("--mail", help="Address for mails, instead of the policy's attribute.")] = "",
    serial: _SERIAL = "",
    digits: Annotated[int, typer.Option("--digits", help="Digits of a software token's codes, 6 to 8.")] = 6,
    algorithm: Annotated[
        Algorithm, typer.Option("--algorithm", help="Hash of a software token.", case_sensitive=False)
    ] = Algorithm.SHA1,
    period: Annotated[int, typer.Option("--period", help="Seconds for which a totp code is shown.")] = 30,
    issuer: Annotated[str, typer.Option("--issuer", help="What the app shows beside the account's name.")] = "",
    seed_file: Annotated[
        Path | None, typer.Option("--seed-file", help="Seed of a token that exists, hex or base32.", metavar="FILE")
    ] = None,
    png: Annotated[Path | None, typer.Option("--png", help="Also write the QR code there.", metavar="FILE")] = None,
    no_confirm: Annotated[bool, typer.Option("--no-confirm", help="Do without a first code.")] = False,
    dry_run: DRY_RUN = False,
    json: JSON_OPTION = False,
) -> None:
    """Assign a token. Prints what the user must be told; exit status 1 when the token will not work as things stand.

    For totp and hotp a seed is drawn and shown as a QR code, and a first code is asked for before anything is written.
    VIP is asked about a credential when config.ini has a [vip] section. With --code it is activated if need be, and the
    code must be its own: nothing is written when it is not, or when VIP does not have the credential in this account.
    """
    given = [*(ids or ()), *(credential or ())]
    _check_options(kind, given, phone, mail)
    if kind in SOFTWARE_KINDS:
        wish = Wish(serial, algorithm, digits, period, issuer, seed_file, png, code, not no_confirm)
        _assign_software(administrator, user, kind, wish, dry_run=dry_run, json=json)
        return
    credentials = [_credential(text) for text in given]
    proof = proof_given(kind, credentials, code, code2, activate=activate)
    number = _phone(phone, administrator.region) if phone else ""
    address = _mail(mail) if mail else ""
    with administrator.directory() as directory:
        found = the_user(directory, user)
        asked = asked_of_vip(administrator.settings, [] if unchecked else credentials, proof, dry_run=dry_run)
        changes = tokens.assigning(found, kind, credentials, number, address)
        _change(administrator, directory, found, changes, kind, dry_run=dry_run, json=json, asked=asked)


@token_app.command("remove")
@writes_directory
def remove_command(
    administrator: Administrator,
    user: _USER,
    kind: _KIND,
    *,
    credential: _CREDENTIAL = None,
    serial: _SERIAL = "",
    dry_run: DRY_RUN = False,
    json: JSON_OPTION = False,
) -> None:
    """Take a token away; for vip its credentials as well, for totp and hotp its seeds, or that with --serial only.

    Exit status 1 when the user cannot log on any more.
    """
    _check_options(kind, credential, "", "")
    credentials = [_credential(text) for text in credential or ()]
    with administrator.directory() as directory:
        found = the_user(directory, user)
        software = kind in SOFTWARE_KINDS
        changes = _without(directory, found, kind, serial) if software else tokens.removing(found, kind, credentials)
        _change(administrator, directory, found, changes, None, dry_run=dry_run, json=json)


@token_app.command("list")
@reads_directory
def list_command(
    administrator: Administrator,
    *,
    kind: Annotated[
        TokenKind | None, typer.Option("--kind", help="Only this kind.", case_sensitive=False, metavar="KIND")
    ] = None,
    base: Annotated[str, typer.Option("--base", help="Only below this DN.", metavar="DN")] = "",
    json: JSON_OPTION = False,
) -> None:
    """Print everybody who has a token, and how many have which."""
    where = all_of([are_people(), equal(tokens.TOKEN, kind) if kind else present(tokens.TOKEN)])
    counts: Counter[str] = Counter()
    holders: list[_Holder] = []
    with administrator.directory() as directory:
        for found in followed(directory.search(where, base), "users", lambda: directory.count(where, base)):
            entry = directory.parsed(found)
            if isinstance(entry, User):
                holders.append(_Holder(_name(found, entry), found.dn, entry.tokens, entry.vip_credentials))
                counts.update(entry.tokens)
    holders.sort(key=lambda holder: (holder.name.casefold(), holder.dn))
    if json:
        print_json({"users": [holder.data() for holder in holders], "counts": counts})
        return
    for holder in holders:
        out.print(holder.line(), markup=False)
    numbers = ", ".join(f"{word} {counts[word]}" for word in TokenKind if counts[word])
    out.print(f"{len(holders)} users" + (f": {numbers}" if numbers else ""), markup=False)


@token_app.command("show")
@reads_directory
def show_command(administrator: Administrator, user: _USER, *, json: JSON_OPTION = False) -> None:
    """Print a user's tokens, whether each can be used, and what the next logon asks for."""
    with administrator.directory() as directory:
        found = the_user(directory, user)
        ahead = administrator.outlook(directory, found, SYSTEM_CLOCK.now())
        entry = directory.parsed(found)
    holder = entry if isinstance(entry, User) else User()
    name = _name(found, holder)
    tell, notes = what_to_tell(name, ahead), warnings(name, ahead)
    if json:
        print_json({"dn": found.dn, "tokens": token_rows(holder, ahead), "tell": tell, "warnings": notes})
        return
    out.print("\n".join([found.dn, *token_lines(holder, ahead)]), markup=False)
    _say(tell, notes)


@dataclass(frozen=True, slots=True)
class _Holder:
    name: str
    dn: str
    tokens: tuple[TokenKind, ...]
    credentials: tuple[str, ...]

    def data(self) -> dict[str, Any]:
        return {"name": self.name, "dn": self.dn, "tokens": self.tokens, "vip_credentials": self.credentials}

    def line(self) -> str:
        credentials = f" ({', '.join(map(shown_credential, self.credentials))})" if self.credentials else ""
        return f"{self.name:<20} {', '.join(self.tokens)}{credentials}  {self.dn}"


def _assign_software(
    administrator: Administrator, user: str, kind: TokenKind, wish: Wish, *, dry_run: bool, json: bool
) -> None:
    """Enrol it, and write it when its first code was right."""
    ring = sealing_ring(administrator, dry_run=dry_run)
    with administrator.directory() as directory:
        found = the_user(directory, user)
        entry = _entry(directory, found)
        taken = [token.serial for token in held_seeds(entry) if token.serial == wish.serial]
        if taken:
            raise UsageFault(
                f"the user has a token {wish.serial} already", remedy="remove that, or give another serial"
            )
        policy = administrator.outlook(directory, found, SYSTEM_CLOCK.now()).effective.policy or _BUILT_IN
        named = replace(wish, issuer=wish.issuer or _domain(directory.base), png=None if dry_run else wish.png)
        enrolled = enrol(kind, named, entry.upn or entry.sam or found.dn, policy)
        seed = sealed_token(ring, entry_id(found), enrolled.token, SYSTEM_ENTROPY.octets(NONCE_OCTETS))
        changes = tokens.enrolling(found, {seed: kind})
        shown = {"serial": enrolled.token.serial, "otpauth": enrolled.address.text}
        _change(administrator, directory, found, changes, kind, shown, dry_run=dry_run, json=json)


def _without(directory: AdminDirectory, found: Found, kind: TokenKind, serial: str) -> tuple[Values | Replacement, ...]:
    """The changes that take away the seeds of a kind, or that with the serial."""
    held = sealed_tokens(_entry(directory, found), kind)
    gone = [token for token in held if serial in {"", token.serial}]
    if serial and not gone:
        raise UsageFault(
            f"no {kind} token {serial} can be read in dirfactorSecret of {found.dn}",
            remedy="look the serial up with token show, as an account that may read dirfactorSecret",
        )
    return tokens.removing_software(found, kind, [token.text for token in gone], last=len(gone) == len(held))


def _entry(directory: AdminDirectory, found: Found) -> User:
    entry = directory.parsed(found)
    return entry if isinstance(entry, User) else User()


def _domain(base: str) -> str:
    """The tree's name as people say it: dc=example,dc=org is example.org."""
    parts = (part.strip().partition("=") for part in base.split(","))
    return ".".join(value for name, _, value in parts if name.lower() == "dc") or "dirfactor"


def _change(
    administrator: Administrator,
    directory: AdminDirectory,
    found: Found,
    changes: tuple[Values | Replacement, ...],
    kind: TokenKind | None,
    shown: Mapping[str, Any] = MappingProxyType({}),
    *,
    dry_run: bool,
    json: bool,
    asked: Sequence[Enrolled] = (),
) -> None:
    """Write it and say what follows from it.

    `kind` is the token that is meant to work, `asked` what VIP says of it, `shown` goes into the JSON.
    """
    sets = any(change.added for change in changes if isinstance(change, Values))
    classes = directory.classes(found, "dirfactorUser") if sets else ()
    edit = Edit(found.dn, (*classes, *changes))
    if not dry_run:
        directory.write(edit)
    after = applied(found, edit)
    ahead = administrator.outlook(directory, after, SYSTEM_CLOCK.now())
    name = _name(found, directory.parsed(after))
    tell, notes = what_to_tell(name, ahead), warnings(name, ahead, kind)
    if json:
        ldif = as_ldif(edit)
        written = bool(changes) and not dry_run
        vip = [{"credential": each.credential, "status": each.status, "told": each.told} for each in asked]
        said = {"dn": found.dn, "ldif": ldif, "written": written, "tell": tell, "warnings": notes, "vip": vip}
        print_json({**said, **shown})
    elif dry_run and changes:
        out.print(as_ldif(edit), markup=False, end="")
    else:
        out.print(f"{found.dn}: " + ("changed" if changes else "nothing to change"), markup=False)
    if not json:
        _say(tell, (*notes, *(each.told for each in asked if not each.works)))
        for each in asked:
            if each.works:
                out.print(each.told, markup=False)
    if not works(ahead, kind) or not all(each.works for each in asked):
        raise typer.Exit(Exit.FOUND)


def _say(tell: str, notes: tuple[str, ...]) -> None:
    if tell:
        out.print(tell, markup=False)
    for note in notes:
        out.print(f"! {note}", markup=False)


def _name(found: Found, entry: object) -> str:
    user = entry if isinstance(entry, User) else User()
    return user.sam or user.upn or found.dn


def _check_options(kind: TokenKind, credential: list[str] | None, phone: str, mail: str) -> None:
    for option, given, its_kind in (
        ("--credential", credential, TokenKind.VIP),
        ("--phone", phone, TokenKind.SMS),
        ("--mail", mail, TokenKind.EMAIL),
    ):
        if given and kind is not its_kind:
            raise UsageFault(f"{option} says nothing about {kind} tokens", remedy=f"leave it out, or name {its_kind}")


def _credential(text: str) -> str:
    """A credential as VIP knows it and the directory takes it."""
    row = BY_NAME[tokens.CREDENTIAL.lower()]
    try:
        plain = typed(text)
    except Fault as fault:
        raise UsageFault(fault.problem, remedy=fault.remedy) from None
    if not (row.low or 0) <= len(plain) <= (row.high or 0) or not (":" in plain or plain.isalnum()):
        raise UsageFault(
            f"{shown_credential(text)!r} is no VIP credential id",
            remedy="copy it from the app or the token, such as VSST12345678",
        )
    return plain


def _phone(text: str, region: str | None) -> str:
    number = phone_number(text, region)
    if number is None:
        raise UsageFault(
            f"{masked(text)} is no number that can be dialled", remedy="write it with its country code, +43 664 ..."
        )
    return number


def _mail(text: str) -> str:
    address = email_address(text)
    if address is None:
        raise UsageFault(f"{masked(text)} is not one plain mail address", remedy="write it like alice@example.org")
    return address
