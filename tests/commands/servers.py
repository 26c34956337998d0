"""Directories in which an administrator works (Samba AD, slapd, 389-ds) with the same people; and commands as typed."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from auth.cli.main import app
from dirsync.admin import schema as schema_admin
from dirsync.admin.connection import AdminAccess
from rig.ldaptools import AttributeValues, Entry, LdapTools
from schema.ldif_text import line
from schema.secret import Secret

PASSWORD = "Copper-Ladder-63"
PHONE = "+43 664 0000001"
ODD = "O'Hara, (Max)\\ *"
"""A common name with whatever means something to a filter, a DN or a shell."""
ODD_RDN = "O'Hara\\, (Max)\\\\ *"


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        assert self.out, self.err
        return json.loads(self.out)


@dataclass(frozen=True)
class Lab:
    """A directory with people, and the options by which a command reaches it."""

    kind: str
    tools: LdapTools
    base: str
    place: str
    options: tuple[str, ...]
    naming: str
    person_class: str
    name_attribute: str

    def run(self, *arguments: str) -> Ended:
        """A command as the administrator of the directory."""
        return self.run_as(self.options, *arguments)

    def run_as(self, options: tuple[str, ...], *arguments: str) -> Ended:
        """A command in this process; its first two arguments are its name."""
        result = CliRunner().invoke(app, [*arguments[:2], *options, *arguments[2:]])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return Ended(result.exit_code, result.stdout, result.stderr)

    def dn(self, name: str) -> str:
        return f"{self.naming}={name},{self.place}"

    def add_person(self, name: str, rdn: str = "", **attributes: AttributeValues) -> str:
        """An entry with the login name; `rdn` is the value of its cn as a DN has it."""
        dn = self.dn(rdn or name)
        plain: dict[str, AttributeValues] = {"objectClass": self.person_class, self.name_attribute: name}
        plain |= {"mobile": PHONE, "mail": f"{name}@example.test"}
        if self.kind == "ad":
            plain |= {"userPrincipalName": f"{name}@lab.example.test", "userAccountControl": "544"}
        else:
            plain |= {"cn": ODD if rdn == ODD_RDN else rdn or name, "sn": name}
        self.tools.add(dn, plain | attributes)
        return dn

    def add_policy(self, name: str, **settings: str) -> str:
        standard = {
            "objectClass": "dirfactorSecurityPolicy",
            "cn": name,
            "dirfactorFirstMethod": "password",
            "dirfactorSecondMethod": "token",
            "dirfactorSmsEnabled": "TRUE",
            "dirfactorEmailEnabled": "TRUE",
        }
        self.tools.add(self.dn(name), standard | settings)
        return self.dn(name)

    def clear(self) -> None:
        """Delete everything below the place, from the leaves on."""
        below = self.tools.search(self.place, attributes=["1.1"])
        for entry in sorted(below, key=lambda entry: -entry.dn.count(",")):
            if entry.dn.lower() != self.place.lower():
                self.tools.modify(f"{line('dn', entry.dn)}\nchangetype: delete\n")

    def entry(self, dn: str) -> Entry:
        (found,) = self.tools.search(dn, scope="base", attributes=["*"])
        return found

    def everything(self, dn: str) -> Entry:
        """The entry with what the server keeps about it."""
        (found,) = self.tools.search(dn, scope="base", attributes=["*", "objectGUID", "entryUUID", "nsUniqueId"])
        return found

    def texts(self, dn: str, attribute: str) -> list[str]:
        return sorted(self.entry(dn).texts(attribute))


def options(url: str, who: str, password_file: Path, ca_file: Path) -> tuple[str, ...]:
    return ("--url", url, "--bind", who, "--password-file", str(password_file), "--ca-file", str(ca_file))


def apply_schema(dc) -> None:
    access = AdminAccess((dc.ldaps,), dc.admin, Secret(dc.admin_password), dc.ca_file)
    schema_admin.apply(access, schema_admin.plan(access), lambda step: None)
