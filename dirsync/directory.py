"""Which source and which password check belong to the configured directory."""

from pathlib import Path

from dirsync.ad.source import AdSource
from dirsync.bind import LdapPasswordCheck
from dirsync.change import Source
from dirsync.ldif.password import LdifPasswordCheck
from dirsync.ldif.source import LdifSource
from dirsync.password import PasswordCheck
from dirsync.settings import DirectoryKind, DirectorySettings
from dirsync.surroundings import Surroundings
from schema.errors import Fault


def source(settings: DirectorySettings, surroundings: Surroundings) -> Source:
    """Where changes come from. Raises Fault when the settings name nothing that could be read."""
    if settings.kind is DirectoryKind.AD:
        return AdSource(settings, surroundings)
    return LdifSource(_file(settings), settings.extra_attributes, settings.netbios_name)


def password_check(settings: DirectorySettings, surroundings: Surroundings) -> PasswordCheck:
    """Who is asked whether a password is right. Raises Fault as `source` does."""
    if settings.kind is DirectoryKind.AD:
        return LdapPasswordCheck(settings, surroundings)
    return LdifPasswordCheck(_file(settings))


def _file(settings: DirectorySettings) -> Path:
    if settings.file is None:
        raise Fault("[directory] names no file", remedy="set file = PATH of the LDIF file")
    return settings.file
