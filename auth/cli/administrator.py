"""How the administrator's commands reach the directory: that of config.ini, or the one that --url names."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from auth.app import rules
from auth.cli.access import BIND, CA_FILE, PASSWORD_FILE, START_TLS, read_password, with_options
from auth.cli.default_config import CONFIG_VARIABLE, DEFAULT_CONFIG
from auth.cli.faults import UsageFault
from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.config import read_config
from auth.guessing import guesses
from auth.login_name import names_meant
from auth.memorised.pin import chosen_at, kept_key
from auth.outlook import Around, Outlook, outlook
from auth.settings import Settings
from auth.standing import unlocked_at
from auth.state import Recalled, Wanted
from auth.state_reader import state_reader
from dirsync.admin.connection import AdminAccess
from dirsync.admin.directory import AdminDirectory, open_directory
from dirsync.admin.found import Found
from dirsync.admin.people import PeopleReader
from dirsync.settings import DirectoryKind, DirectorySettings
from dirsync.wire.discovery import Discovery
from dirsync.wire.surroundings import Surroundings
from schema.entry import EntryId, User
from schema.errors import Fault
from schema.parse import fold
from schema.secret import Secret
from schema.words import UserIdAttribute

DRY_RUN = Annotated[bool, typer.Option("--dry-run", help="Print the LDIF that would be sent; write nothing.")]

_CONFIG = Annotated[
    str,
    typer.Option(
        "--config", "-c", help="config.ini with the [directory] to use.", envvar=CONFIG_VARIABLE, metavar="FILE"
    ),
]
_URL = Annotated[
    list[str] | None,
    typer.Option("--url", help="ldaps://SERVER in place of config.ini's [directory]; ldapi:/// for OpenLDAP."),
]
_TREE = Annotated[
    str, typer.Option("--tree", help="DN of the domain or tree, if the server has several.", metavar="DN")
]

_DIRECTORY = Annotated[
    str, typer.Option("--directory", help="Which [directory:NAME] of config.ini, if there are several.", metavar="NAME")
]


@dataclass(frozen=True, slots=True)
class Administrator:
    """Who works at which directory, and what config.ini knows around it.

    Attributes:
        access: where and as whom.
        tree: DN of the directory's tree; empty when the server is to say it.
        extra_attributes: further attributes in which policies may find phone numbers or mail addresses.
        mapping: what stands in for our attributes in the directory.
        settings: config.ini; None when there is none to ask.
    """

    access: AdminAccess
    tree: str
    extra_attributes: tuple[str, ...]
    mapping: Mapping[str, str]
    settings: Settings | None

    @property
    def region(self) -> str | None:
        """Country of phone numbers without a country code."""
        return self.settings.service.region if self.settings else None

    @contextmanager
    def directory(self) -> Iterator[AdminDirectory]:
        """The directory, open. Raises Fault when it cannot be reached or refuses."""
        with open_directory(self.access, self.tree, self.extra_attributes, self.mapping) as directory:
            yield directory

    def outlook(self, directory: AdminDirectory, found: Found, now: datetime) -> Outlook:
        """How a logon of the user with this entry would be. Raises Fault."""
        user = directory.parsed(found)
        if not isinstance(user, User):
            raise Fault(f"{found.dn} is no user", remedy="name a user")
        person = PeopleReader(directory).person(found, user)
        known = rules(self.settings) if self.settings else None
        recalled = self._recalled(person.id, unlocked_at(user, now), now)
        around = Around(
            server_default=known.server_default if known else None,
            region=self.region,
            reach=known.reach if known else None,
            failures=recalled.failures,
            wrong_today=sum(recalled.counted),
            pin_chosen_at=chosen_at(recalled.kept[0]) if recalled.kept else None,
        )
        return outlook(person, around, now)

    def _recalled(self, user: EntryId, unlocked_at: datetime | None, now: datetime) -> Recalled:
        """What the state store knows of a user: wrong codes, those of the day too, and PIN. Raises StateUnavailable."""
        if self.settings is None or not user:
            return Recalled()
        wanted = Wanted(user, kept=(kept_key(user),), counted=guesses(user, unlocked_at))
        return state_reader(self.settings).recall(wanted, now)


def the_user(directory: AdminDirectory, name: str) -> Found:
    """The one user with this login name or DN.

    Raises:
        UsageFault: there is none, or there are several.
    """
    found = _by_dn(directory, name) or find_users(directory, name)
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageFault(
            f"{name} is the login name of several users", remedy="give the DN: " + "; ".join(item.dn for item in found)
        )
    raise UsageFault(
        f"there is no user {name} below {directory.base}", remedy="check the name and --tree, or give the DN"
    )


def _by_dn(directory: AdminDirectory, name: str) -> list[Found]:
    found = directory.named(name)
    return [found] if found and isinstance(directory.parsed(found), User) else []


def find_users(directory: AdminDirectory, name: str) -> list[Found]:
    """The users with this login name, read as at a logon."""
    domains = {fold(directory.netbios_name): ""} if directory.netbios_name else {}
    meant = names_meant(name, UserIdAttribute.ANY, domains)
    return directory.users(name.rpartition("\\")[2], meant.names)


def _reading(
    *,
    config: _CONFIG = "",
    url: _URL = None,
    directory: _DIRECTORY = "",
    tree: _TREE = "",
    bind: BIND = "",
    password_file: PASSWORD_FILE = None,
    ca_file: CA_FILE = None,
    start_tls: START_TLS = False,
) -> Administrator:
    if url:
        settings = read_config(Path(config)) if config else None
        access = AdminAccess(tuple(url), bind, _password(bind, password_file), ca_file, start_tls=start_tls)
        return Administrator(access, tree, (), {}, settings)
    settings = read_config(Path(config or DEFAULT_CONFIG))
    meant = _meant(settings, directory)
    access = AdminAccess(
        meant.url or Discovery(meant, Surroundings(SYSTEM_CLOCK.monotonic, SYSTEM_ENTROPY.below)).servers(),
        bind or meant.bind_dn,
        _password(bind, password_file) if bind else meant.bind_password,
        ca_file or meant.ca_file,
        start_tls=start_tls or meant.start_tls,
    )
    return Administrator(access, tree or meant.base, meant.extra_attributes, meant.mapping, settings)


def _meant(settings: Settings, name: str) -> DirectorySettings:
    names = ", ".join(f"[directory:{each}]" if each else "[directory]" for each in settings.directories)
    if not name and len(settings.directories) > 1:
        raise UsageFault("there are several directories, and none is named", remedy=f"add --directory: {names}")
    meant = settings.directories.get(name) if name else next(iter(settings.directories.values()), None)
    if meant is None:
        raise UsageFault(f"config.ini has no directory {name}", remedy=f"it has {names}")
    if meant.kind is DirectoryKind.LDIF:
        raise UsageFault(
            f"the directory is the file {meant.file}", remedy="edit it and save it, or name a server with --url"
        )
    return meant


def _writing(
    *,
    config: _CONFIG = "",
    url: _URL = None,
    directory: _DIRECTORY = "",
    tree: _TREE = "",
    bind: BIND = "",
    password_file: PASSWORD_FILE = None,
    ca_file: CA_FILE = None,
    start_tls: START_TLS = False,
) -> Administrator:
    if not bind and not all(item.startswith("ldapi:") for item in url or ["ldaps:"]):
        raise UsageFault(
            "it is not said who writes: the service's own account only reads", remedy="add --bind with your name"
        )
    return _reading(
        config=config,
        url=url,
        directory=directory,
        tree=tree,
        bind=bind,
        password_file=password_file,
        ca_file=ca_file,
        start_tls=start_tls,
    )


def _password(bind: str, file: Path | None) -> Secret | None:
    return read_password(bind, file) if bind else None


reads_directory = with_options(_reading)
"""A command whose first argument is an `Administrator`; without --bind it reads as the service's own account."""
writes_directory = with_options(_writing)
"""The same for a command that writes, which the service's own account has no business with."""
