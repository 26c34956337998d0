"""What is asked of a directory: each question says in words what is well, and raises a Fault for what is not.

Each raises DirectoryUnavailable when the server does not answer, DirectoryRefused when it says no, and NotExaminedError
when there is nothing to ask.
"""

import socket
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import datetime
from threading import Event
from typing import Final
from urllib.parse import urlsplit

from dirsync.ad.server import identify, lists_deleted
from dirsync.admin.deleted_objects import delegate_sync, hidden_deletions
from dirsync.errors import DirectoryRefused
from dirsync.examination.confidential import hidden_secrets
from dirsync.examination.feed import active_directory_tells, syncrepl_tells
from dirsync.examination.people import sample_users
from dirsync.examination.root import read_root
from dirsync.examination.session import NotExaminedError, PartFault, Session
from dirsync.examination.subschema import lacking, unknown
from dirsync.examination.writers import EVERYTHING, Writer, writers_below
from dirsync.settings import DirectoryKind
from dirsync.wire.complaints import Unreached
from dirsync.wire.connection import Connection
from dirsync.wire.handle import handle
from dirsync.wire.search import Dialogue, Scope, Search, converse
from schema.errors import Fault

_LOCAL: Final = "ldapi"
_SHOWN: Final = 5


def names(session: Session) -> Iterator[str]:
    """The addresses of each server, as DNS has them."""
    for server in session.servers():
        host = urlsplit(server).hostname
        if urlsplit(server).scheme == _LOCAL or not host:
            raise NotExaminedError(f"{server} is on this machine")
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except OSError as error:
            raise Unreached(
                f"the name {host} is not known ({error.strerror})",
                remedy="check the name in url of [directory], and the resolvers of this machine",
            ) from error
        yield f"{host}: {', '.join(dict.fromkeys(str(address[0]) for *_, address in found))}"


def sign_in(session: Session) -> str:
    """Whether the account is let in, and where."""
    with session.connected() as connection:
        return f"signed in to {connection.server}"


def kind(session: Session) -> str:
    """Whether the server is what `kind` says."""
    root, configured = session.root(), session.settings.kind
    if root.kind is not configured:
        remedy = f"set kind = {root.kind}" if root.kind else f"let url name servers of the kind {configured}"
        raise Fault(f"kind = {configured}, but the server is {root.title}", remedy=f"{remedy} in [directory]")
    return root.title


def base(session: Session) -> str:
    """Whether the base is there and served by this server."""
    dn = session.settings.base
    if session.settings.kind is DirectoryKind.AD:
        session.ask(identify(dn))
    if not session.ask(_is_there(dn)):
        raise DirectoryRefused(
            f"{dn} is not there, or must not be seen by the account",
            remedy="set base in [directory] to a DN that the directory has",
        )
    return dn


def users(session: Session) -> str:
    """Whether the account can read people."""
    sample = session.ask(sample_users(session.settings))
    if not sample.seen:
        raise Fault("the account sees no user below the base", remedy=_users_remedy(session))
    if sample.readable < sample.seen:
        # everybody can read themselves
        kind_of_fault = PartFault if sample.readable > 1 else Fault
        raise kind_of_fault(
            f"of {sample.seen} users the account can read {sample.readable}: the others cannot log on",
            remedy=_users_remedy(session),
        )
    return f"{sample.seen} users looked at, all can be read"


def secrets(session: Session) -> str:
    """Whether the account may read our confidential attributes (ad)."""
    _must_be_ad(session, "the directory has no confidential attributes")
    hidden = session.ask(hidden_secrets(session.settings.base))
    if hidden is None:
        raise NotExaminedError("the account may not read the permissions of the base")
    if hidden:
        raise Fault(f"the account may not read {', '.join(hidden)}", remedy=_delegation(session))
    return "the confidential attributes can be read"


def writers(session: Session) -> str:
    """Who may write our attributes of users (ad)."""
    _must_be_ad(session, "the directory's access rules are not read")
    if session.settings.mapping:
        raise NotExaminedError("[map] lets other attributes stand in for ours: look who may write those")
    found = session.ask(writers_below(session.settings.base, session.root().context))
    if found is None:
        raise NotExaminedError("the account may not read the permissions of the base")
    wide = [writer for writer in found if writer.is_everybody]
    if wide:
        raise PartFault(
            "; ".join(f"{each.name} may write {_listed(each.what)} ({_listed(each.where)})" for each in wide),
            remedy="withdraw that in ADUC, Security, Advanced: whoever may write them decides who needs a code",
        )
    return "; ".join(f"{', '.join(names)}: {what}" for what, names in _by_what(found).items())


def _by_what(found: Iterable[Writer]) -> dict[str, list[str]]:
    """The names of those who may write the same, by what that is; who may write everything is named first."""
    alike: dict[str, list[str]] = {EVERYTHING: []}
    for writer in found:
        what = EVERYTHING if EVERYTHING in writer.what else _listed(writer.what)
        alike.setdefault(what, []).append(writer.name)
    return {what: sorted(names) for what, names in alike.items() if names}


def _listed(several: Iterable[str]) -> str:
    """Some of them, and how many more there are."""
    known = list(several)
    more = f", and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return f"{', '.join(known[:_SHOWN])}{more}"


def deletions(session: Session) -> str:
    """Whether the account may list what was deleted (ad)."""
    _must_be_ad(session, "the server tells of deletions itself")
    if not session.ask(lists_deleted(session.root().context)):
        raise hidden_deletions(session.account, session.settings.base, session.servers()[0])
    return "deletions are seen"


def schema(session: Session) -> str:
    """Whether the directory has our schema."""
    if session.settings.mapping:
        raise NotExaminedError("[map] makes do without it")
    if fault := lacking(session.published()):
        raise fault
    return "as this version has it"


def mapping(session: Session) -> str:
    """Whether the attributes of [map] exist."""
    stand_ins = session.settings.mapping.values()
    if not stand_ins:
        raise NotExaminedError("there is no [map] section")
    if strange := unknown(stand_ins, session.published()):
        raise Fault(
            f"the directory has no attribute {', '.join(strange)}",
            remedy="name attributes in [map] that the directory's schema has",
        )
    return f"{len(stand_ins)} attributes stand in for ours"


def changes(session: Session) -> str:
    """How changes come."""
    context = session.root().context
    with session.connected() as connection:
        if session.settings.kind is DirectoryKind.AD:
            return active_directory_tells(connection, session.connector(), context, session.settings)
        return syncrepl_tells(connection, session.settings)


def entries(session: Session) -> str:
    """Whether a search for all entries is answered whole."""
    if session.settings.kind is DirectoryKind.AD:
        raise NotExaminedError("Active Directory is read page by page")
    return f"{session.ask(_count(session.settings.base))} entries came, and none was held back"


def time_at(session: Session, server: str) -> datetime:
    """What time it is at a server, now (ad)."""
    _must_be_ad(session, "the server does not tell its time")
    settings = session.settings
    with closing(Connection(handle(server, settings), server, settings, Event())) as connection:
        connection.greet()
        root = converse(read_root(), connection.search)
    if root.time is None:
        raise NotExaminedError("the server does not tell its time")
    return root.time


def _must_be_ad(session: Session, otherwise: str) -> None:
    if session.settings.kind is not DirectoryKind.AD:
        raise NotExaminedError(otherwise)


def _users_remedy(session: Session) -> str:
    if session.settings.kind is DirectoryKind.AD:
        return (
            f"{_delegation(session)}; administrators have permissions of their own, see docs/least-privilege.md, "
            "and so have units without inheritance"
        )
    return f"let the server's access rules give {session.account} the right to read, and set base above the people"


def _delegation(session: Session) -> str:
    """The command that gives the account all that the sync needs."""
    return delegate_sync(session.account, session.settings.base, session.servers()[0])


def _is_there(dn: str) -> Dialogue[bool]:
    page = yield Search(dn, ("objectClass",))
    return any(True for _ in page.entries)


def _count(dn: str) -> Dialogue[int]:
    page = yield Search(dn, ("1.1",), Scope.SUBTREE)
    return sum(1 for _ in page.entries)
