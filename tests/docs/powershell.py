"""The cmdlets that the documents use, as operations of plain LDAP; a cmdlet or option that is not here fails."""

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from docs.powershell_text import Command, Pairs, Scalar, UnknownForm, read
from rig.ldaptools import Entry, LdapTools
from schema.ldif_text import line

Row = dict[str, tuple[str, ...]]
# What the cmdlets return without being asked for more; anything else is empty in PowerShell, which no page wants.
_ALWAYS = ("distinguishedName", "name", "objectClass")
_PROPERTIES = {
    "ADUser": (*_ALWAYS, "sAMAccountName", "userPrincipalName", "givenName", "sn"),
    "ADGroup": (*_ALWAYS, "sAMAccountName"),
    "ADGroupMember": (*_ALWAYS, "sAMAccountName"),
    "ADOrganizationalUnit": _ALWAYS,
    "ADObject": _ALWAYS,
}
_CLASSES = {
    "ADUser": "(&(objectCategory=person)(objectClass=user))",
    "ADGroup": "(objectClass=group)",
    "ADOrganizationalUnit": "(objectClass=organizationalUnit)",
    "ADObject": "(objectClass=*)",
}
_GET = {"LDAPFilter", "SearchBase", "Properties"}
_SET = {"Identity", "Add", "Replace", "Remove", "Clear"}
# cmdlet -> how many arguments without a name it may have, and which options
_FORMS: dict[str, tuple[int, set[str]]] = {
    **{f"Get-{noun}": (1, _GET) for noun in _CLASSES},
    **{f"Set-{noun}": (1, _SET) for noun in _CLASSES},
    "Get-ADGroupMember": (1, {"Recursive"}),
    "New-ADObject": (0, {"Type", "Name", "Path", "OtherAttributes"}),
    "New-ADOrganizationalUnit": (1, {"Path"}),
    "New-ADUser": (
        1,
        {"UserPrincipalName", "Enabled", "PasswordNeverExpires", "CannotChangePassword", "AccountPassword", "Path"},
    ),
    "New-ADGroup": (1, {"SamAccountName", "GroupScope", "Path"}),
    "Add-ADGroupMember": (1, {"Members"}),
    "Import-Csv": (1, set()),
    "Export-Csv": (1, {"NoTypeInformation"}),
    "Select-Object": (99, set()),
    "ForEach-Object": (0, set()),
}
_HASHES = {"Add", "Replace", "Remove", "OtherAttributes"}
_IN_CHAIN = "1.2.840.113556.1.4.1941"
_GROUP_SCOPES = {"Global": -(2**31) + 2, "DomainLocal": -(2**31) + 4, "Universal": -(2**31) + 8}
_NORMAL_ACCOUNT, _DISABLED, _NO_EXPIRY = 0x200, 0x2, 0x10000


@dataclass
class PowerShell:
    """A session of an administrator.

    Args:
        tools: the domain, as the administrator.
        base: DN of the domain.
        folder: where the session stands.
        password: what the administrator types when asked for one.
    """

    tools: LdapTools
    base: str
    folder: Path
    password: str

    def run(self, script: str) -> str:
        """Runs a script and returns what it shows.

        Raises:
            UnknownForm: it uses something that is not known here.
            LdapRefused: the domain refuses an operation.
        """
        shown: list[Row] = []
        pipelines = read(script)
        for pipeline in pipelines:
            for command in pipeline:
                _check(command)
        for pipeline in pipelines:
            shown.extend(self._pipeline(pipeline, [{}]))
        return "".join(" ".join(",".join(values) for values in row.values()) + "\n" for row in shown)

    def _pipeline(self, commands: list[Command], rows: Iterable[Row]) -> list[Row]:
        rows = list(rows)
        for command in commands:
            rows = self._command(command, rows)
        return rows

    def _command(self, command: Command, rows: list[Row]) -> list[Row]:
        verb, _, noun = command.name.partition("-")
        options = _Options(command)
        if verb == "Get" and noun in _CLASSES:
            return list(self._get(noun, options))
        if verb == "Set" and noun in _CLASSES:
            for row in rows:
                self._set(noun, options, row)
            return []
        return self._cmdlets()[command.name](options, rows)

    def _cmdlets(self) -> dict[str, Callable[["_Options", list[Row]], list[Row]]]:
        return {
            "New-ADObject": self._new_object,
            "New-ADOrganizationalUnit": self._new_unit,
            "New-ADUser": self._new_user,
            "New-ADGroup": self._new_group,
            "Add-ADGroupMember": self._add_members,
            "Get-ADGroupMember": self._members,
            "Import-Csv": self._import_csv,
            "Export-Csv": self._export_csv,
            "Select-Object": self._select,
            "ForEach-Object": self._for_each,
        }

    def _get(self, noun: str, options: "_Options") -> Iterator[Row]:
        wanted = (*_PROPERTIES[noun], *options.many("Properties"))
        base = options.one("SearchBase") or self.base
        where = options.one("LDAPFilter")
        if where:
            entries = self.tools.search(base, f"(&{_CLASSES[noun]}{where})", attributes=wanted)
        else:
            entries = self.tools.search(self._dn(noun, options.positional()), scope="base", attributes=wanted)
        yield from (_row(entry, wanted) for entry in entries)

    def _members(self, options: "_Options", rows: list[Row]) -> list[Row]:
        wanted = _PROPERTIES["ADGroupMember"]
        chain = f":{_IN_CHAIN}:" if options.switch("Recursive") else ""
        group = self._dn("ADGroup", options.positional())
        where = f"(&{_CLASSES['ADUser']}(memberOf{chain}={group}))"
        return [_row(entry, wanted) for entry in self.tools.search(self.base, where, attributes=wanted)]

    def _set(self, noun: str, options: "_Options", row: Row) -> None:
        given = options.identity(row)
        dn = self._dn(noun, given) if given else _of(row, "distinguishedName")[0]
        lines = [line("dn", dn), "changetype: modify"]
        for option, change in (("Remove", "delete"), ("Add", "add"), ("Replace", "replace")):
            for name, values in options.pairs(option).items():
                texts = [text for value in values for text in self._texts(value, row)]
                if not all(texts) or not texts:
                    raise UnknownForm(f"{name} has an empty value")
                lines += [f"{change}: {name}", *(line(name, text) for text in texts), "-"]
        for name in options.many("Clear"):
            lines += [f"replace: {name}", "-"]
        if len(lines) > 2:
            self.tools.modify("\n".join(lines) + "\n")

    def _new_object(self, options: "_Options", rows: list[Row]) -> list[Row]:
        others = {
            name: [text for value in values for text in self._texts(value, {})]
            for name, values in options.pairs("OtherAttributes").items()
        }
        name = options.one("Name")
        self.tools.add(f"CN={name},{options.one('Path')}", {"objectClass": options.one("Type"), **others})
        return []

    def _new_unit(self, options: "_Options", rows: list[Row]) -> list[Row]:
        self.tools.add(f"OU={options.positional()},{options.one('Path')}", {"objectClass": "organizationalUnit"})
        return []

    def _new_user(self, options: "_Options", rows: list[Row]) -> list[Row]:
        name = options.positional()
        control = _NORMAL_ACCOUNT if options.one("Enabled") == "TRUE" else _NORMAL_ACCOUNT | _DISABLED
        control |= _NO_EXPIRY if options.one("PasswordNeverExpires") == "TRUE" else 0
        options.one("CannotChangePassword")  # a denial in the entry's permissions, which nothing here depends on
        self.tools.add(
            f"CN={name},{options.one('Path') or 'CN=Users,' + self.base}",
            {
                "objectClass": "user",
                "sAMAccountName": name,
                "userPrincipalName": options.one("UserPrincipalName"),
                "userAccountControl": control,
                "unicodePwd": f'"{self._text(options, "AccountPassword")}"'.encode("utf-16-le"),
            },
        )
        return []

    def _new_group(self, options: "_Options", rows: list[Row]) -> list[Row]:
        name = options.positional()
        self.tools.add(
            f"CN={name},{options.one('Path') or 'CN=Users,' + self.base}",
            {
                "objectClass": "group",
                "sAMAccountName": options.one("SamAccountName") or name,
                "groupType": _GROUP_SCOPES[options.one("GroupScope")],
            },
        )
        return []

    def _add_members(self, options: "_Options", rows: list[Row]) -> list[Row]:
        lines = [line("dn", self._dn("ADGroup", options.positional())), "changetype: modify", "add: member"]
        lines += [line("member", self._dn("ADUser", name)) for name in options.many("Members")]
        self.tools.modify("\n".join(lines) + "\n")
        return []

    def _import_csv(self, options: "_Options", rows: list[Row]) -> list[Row]:
        with (self.folder / options.positional()).open(newline="") as file:
            return [{name.lower(): (text,) for name, text in row.items()} for row in csv.DictReader(file)]

    def _export_csv(self, options: "_Options", rows: list[Row]) -> list[Row]:
        if not options.switch("NoTypeInformation"):
            raise UnknownForm(
                "Export-Csv without -NoTypeInformation begins with a line that Import-Csv does not expect"
            )
        with (self.folder / options.positional()).open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]) if rows else [])
            writer.writeheader()
            for row in rows:
                if any(len(values) > 1 for values in row.values()):
                    raise UnknownForm("Export-Csv writes no value of several: -join them first")
                writer.writerow({name: "".join(values) for name, values in row.items()})
        return []

    def _select(self, options: "_Options", rows: list[Row]) -> list[Row]:
        names = options.positionals()
        computed = options.computed
        return [
            {name: _of(row, name) for name in names}
            | {name: tuple(self._texts(value, row)) for name, value in computed.items()}
            for row in rows
        ]

    def _for_each(self, options: "_Options", rows: list[Row]) -> list[Row]:
        for row in rows:
            self._pipeline(options.inner, [row])
        return []

    def _dn(self, noun: str, identity: str) -> str:
        """A user or group by its account name; whatever by its DN."""
        if "=" in identity:
            return identity
        if noun not in {"ADUser", "ADGroup"}:
            raise UnknownForm(f"{noun} {identity}: only a DN will do")
        found = self.tools.search(self.base, f"(&{_CLASSES[noun]}(sAMAccountName={identity}))", attributes=["1.1"])
        if not found:
            raise UnknownForm(f"there is no {noun} {identity}")
        return found[0].dn

    def _text(self, options: "_Options", name: str) -> str:
        (value,) = options.scalars(name)
        (text,) = self._texts(value, {})
        return text

    def _texts(self, value: Scalar, row: Row) -> list[str]:
        if value.kind == "constant":
            return [value.text.removeprefix("$").upper()]
        if value.kind == "now":
            return [datetime.now(UTC).strftime("%Y%m%d%H%M%S.0Z")]
        if value.kind == "secret":
            return [self.password]
        if value.kind != "field":
            return [value.text]
        found = list(_of(row, value.text))
        if value.operator == "-split":
            return [part for text in found for part in text.split(value.separator)]
        return [value.separator.join(found)] if value.operator == "-join" else found


class _Options:
    """The arguments of a command that has been checked."""

    def __init__(self, command: Command) -> None:
        self._command = command
        self.computed = command.computed
        self.inner = command.inner

    def scalars(self, name: str) -> list[Scalar]:
        value = self._command.options.get(name, [])
        return [] if isinstance(value, dict) else value

    def pairs(self, name: str) -> Pairs:
        value = self._command.options.get(name, {})
        return value if isinstance(value, dict) else {}

    def many(self, name: str) -> list[str]:
        return [_literal(scalar) for scalar in self.scalars(name)]

    def one(self, name: str) -> str:
        found = self.many(name)
        if len(found) > 1:
            raise UnknownForm(f"-{name} with several values")
        return found[0] if found else ""

    def switch(self, name: str) -> bool:
        if self.scalars(name):
            raise UnknownForm(f"-{name} with a value")
        return name in self._command.options

    def positionals(self) -> list[str]:
        return [_literal(scalar) for scalar in self._command.values]

    def positional(self) -> str:
        (found,) = self.positionals()
        return found

    def identity(self, row: Row) -> str:
        """The entry that is meant, by position or by name; empty when the pipeline says it."""
        for scalar in self._command.values:
            return _of(row, scalar.text)[0] if scalar.kind == "field" else _literal(scalar)
        return self.one("Identity")


def _check(command: Command) -> None:
    """Raises UnknownForm when the command is none of the forms that are known."""
    most, names = _FORMS.get(command.name, (-1, set[str]()))
    unknown = command.options.keys() - names
    misshapen = {name for name, value in command.options.items() if isinstance(value, dict) != (name in _HASHES)}
    braces = bool(command.inner) != (command.name == "ForEach-Object")
    computed = bool(command.computed) > (command.name == "Select-Object")
    if len(command.values) > most or unknown or misshapen or braces or computed:
        raise UnknownForm(f"{command.name} {unknown or misshapen or command.values}")
    for inner in command.inner:
        _check(inner)


def _literal(scalar: Scalar) -> str:
    if scalar.kind == "constant":
        return scalar.text.removeprefix("$").upper()
    if scalar.kind not in {"text", "word"}:
        raise UnknownForm(scalar.text)
    return scalar.text


def _row(entry: Entry, wanted: Iterable[str]) -> Row:
    found = {name.lower(): tuple(entry.texts(name)) for name in entry.attributes if name.lower() != "objectguid"}
    row = {name.lower(): found.get(name.lower(), ()) for name in wanted}
    return row | {"distinguishedname": (entry.dn,)}


def _of(row: Row, name: str) -> tuple[str, ...]:
    if name.lower() not in row:
        raise UnknownForm(f"{name} was not asked for with -Properties, so it is empty")
    return row[name.lower()]
