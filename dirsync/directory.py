"""Which source and which password check belong to the configured directory."""

from pathlib import Path
from typing import Final

import msgspec

from dirsync.ad.source import AdSource
from dirsync.change import Source
from dirsync.ldif.password import LdifPasswordCheck
from dirsync.ldif.source import LdifSource
from dirsync.mapping import Mapped
from dirsync.password import PasswordCheck
from dirsync.recognised import RecognisedSource
from dirsync.settings import DirectoryKind, DirectorySettings
from dirsync.syncrepl.server import DS389, OPENLDAP
from dirsync.syncrepl.source import SyncreplSource
from dirsync.wire.bind import LdapPasswordCheck
from dirsync.wire.connector import Connector
from dirsync.wire.surroundings import Surroundings
from schema.errors import Fault

_SERVERS: Final = {DirectoryKind.OPENLDAP: OPENLDAP, DirectoryKind.DS389: DS389}


def source(settings: DirectorySettings, surroundings: Surroundings) -> Source:
    """Where changes come from, in our words. Raises Fault when the settings name nothing that could be read."""
    if not settings.mapping:
        return _source(settings, surroundings)
    wanted = (*settings.extra_attributes, *settings.mapping.values())
    return Mapped(_source(msgspec.structs.replace(settings, extra_attributes=wanted), surroundings), settings.mapping)


def _source(settings: DirectorySettings, surroundings: Surroundings) -> Source:
    if settings.kind is DirectoryKind.AUTO:
        kinds = (DirectoryKind.AD, *_SERVERS)
        sources = {kind: _source(msgspec.structs.replace(settings, kind=kind), surroundings) for kind in kinds}
        return RecognisedSource(sources, Connector(settings, surroundings))
    if settings.kind is DirectoryKind.AD:
        return AdSource(settings, surroundings)
    if settings.kind in _SERVERS:
        return SyncreplSource(settings, _SERVERS[settings.kind], surroundings)
    return LdifSource(_file(settings), settings.extra_attributes, settings.netbios_name)


def password_check(settings: DirectorySettings, surroundings: Surroundings) -> PasswordCheck:
    """Who is asked whether a password is right. Raises Fault as `source` does."""
    if settings.kind is DirectoryKind.LDIF:
        return LdifPasswordCheck(_file(settings))
    return LdapPasswordCheck(settings, surroundings)


def _file(settings: DirectorySettings) -> Path:
    if settings.file is None:
        raise Fault("[directory] names no file", remedy="set file = PATH of the LDIF file")
    return settings.file
