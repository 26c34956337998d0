# ruff: noqa: INP001 - bench is a folder of programs, no package
"""Directories with a company in them, of each kind that we read: an LDIF file, OpenLDAP, Samba's Active Directory."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import company

from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from dirsync.admin import schema as schema_admin
from dirsync.admin.connection import AdminAccess
from dirsync.change import Source
from dirsync.directory import source
from dirsync.settings import DirectoryKind, DirectorySettings
from dirsync.wire.surroundings import Surroundings
from schema.secret import Secret

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))  # the tests' rig is no package
from rig.ports import loopback_address
from rig.samba import LDAPS_PORT, DomainController
from rig.samba_template import samba_template
from rig.slapd import SUFFIX, Slapd

_SCHEMA = Path(__file__).resolve().parents[1] / "ldif" / "openldap.ldif"
_SESSION_LOG = 10_000


@dataclass(frozen=True)
class Place:
    """A directory, in plain values, so that another process can be told of it.

    Attributes:
        kind: in config.ini's words.
        people: how many stand in it.
        base: its base DN.
        url: where it is, with LDAPS.
        user: the account that reads and edits it.
        password: the account's.
        ca_file: vouches for the server.
        file: the LDIF file.
    """

    kind: str
    people: int
    base: str = company.BASE
    url: str = ""
    user: str = ""
    password: str = ""
    ca_file: Path | None = None
    file: Path | None = None

    def source(self) -> Source:
        """What the service would read it with."""
        settings = DirectorySettings(
            kind=DirectoryKind(self.kind),
            url=(self.url,) if self.url else (),
            base=self.base,
            bind_dn=self.user,
            bind_password=Secret(self.password),
            ca_file=self.ca_file,
            file=self.file,
            timeout_seconds=120.0,  # Samba thinks for long before its first entry
        )
        return source(settings, Surroundings(SYSTEM_CLOCK.monotonic, SYSTEM_ENTROPY.below))

    def dn(self, number: int) -> str:
        """The DN of a person."""
        name = company.login_name(number)
        return f"CN={name},OU=people,{self.base}" if self.kind == "ad" else f"uid={name},ou=people,{self.base}"


def kinds() -> tuple[str, ...]:
    """What can be measured here: what the product reads and this machine has servers for."""
    there = {kind.value for kind in DirectoryKind}
    has = {"ldif": True, "openldap": Path("/usr/sbin/slapd").exists(), "ad": _has_samba()}
    return tuple(kind for kind, is_there in has.items() if is_there and kind in there)


@contextmanager
def place(kind: str, people: int, folder: Path) -> Iterator[Place]:
    """A directory of so many people, running until the context ends.

    Args:
        kind: one of `kinds`.
        people: how many.
        folder: for all that it takes.
    """
    make = {"ldif": _ldif, "openldap": _openldap, "ad": _samba}[kind]
    with make(people, folder) as made:
        yield made


@contextmanager
def _ldif(people: int, folder: Path) -> Iterator[Place]:
    file = folder / "directory.ldif"
    with file.open("w") as out:
        out.writelines(f"{record}\n" for record in (company.TOP, *company.content(people)))
    yield Place("ldif", people, file=file)


@contextmanager
def _openldap(people: int, folder: Path) -> Iterator[Place]:
    server = Slapd(folder / "slapd", _SCHEMA, session_log=_SESSION_LOG)
    file = folder / "content.ldif"
    with file.open("w") as out:
        out.writelines(record.replace(company.BASE, SUFFIX) + "\n" for record in company.content(people))
    server.bulk_load(file)
    file.unlink()
    try:
        # the administrator, who may edit as well
        yield Place("openldap", people, SUFFIX, server.ldaps, server.admin, server.admin_password, server.ca_file)
    finally:
        server.stop()


@contextmanager
def _samba(people: int, folder: Path) -> Iterator[Place]:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dirfactor-tests"
    with loopback_address(cache, LDAPS_PORT) as address:
        server = DomainController(folder / "samba", address, samba_template(cache))
        server.start()
        try:
            access = AdminAccess((server.ldaps,), server.admin, Secret(server.admin_password), server.ca_file)
            schema_admin.apply(access, schema_admin.plan(access), lambda _: None)
            file = folder / "content.ldif"
            file.write_text("\n".join(company.content_of_ad(people, server.base_dn)))
            server.bulk_load(file)
            file.unlink()
            yield Place("ad", people, server.base_dn, server.ldaps, server.admin, server.admin_password, server.ca_file)
        finally:
            server.stop()


def _has_samba() -> bool:
    return Path("/usr/sbin/samba").exists() and os.geteuid() == 0
