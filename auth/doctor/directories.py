"""The checks of a directory: the questions of `dirsync.examination`, and what their answers mean for the service."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from auth.certificate_files import first_end
from auth.clock import Clock
from auth.doctor.catalogue import Check
from auth.doctor.clocks import apart
from auth.doctor.days import days_left
from auth.doctor.report import Finding, Status
from auth.doctor.runner import Examination
from dirsync.directory import source
from dirsync.examination import questions
from dirsync.examination.session import PartFault, Session
from dirsync.settings import DirectoryKind, DirectorySettings
from dirsync.wire.reach import certificate_end
from dirsync.wire.surroundings import Surroundings
from schema.errors import Fault

_ALL_ENTRIES_SECONDS = 300.0
_RENEW = "give the server a new certificate"
_OURS = "renew it, and let the directory know the new one first"
_QUESTIONS: tuple[tuple[Check, Callable[[Session], str], Status], ...] = (
    (Check.SIGN_IN, questions.sign_in, Status.FAILED),
    (Check.KIND, questions.kind, Status.FAILED),
    (Check.BASE, questions.base, Status.FAILED),
    (Check.USERS, questions.users, Status.FAILED),
    (Check.SECRETS, questions.secrets, Status.WARNING),
    (Check.WRITERS, questions.writers, Status.WARNING),
    (Check.DELETIONS, questions.deletions, Status.WARNING),
    (Check.SCHEMA, questions.schema, Status.FAILED),
    (Check.MAP, questions.mapping, Status.FAILED),
    (Check.CHANGES, questions.changes, Status.FAILED),
)


def directory_examinations(
    name: str, settings: DirectorySettings, clock: Clock, surroundings: Surroundings
) -> Iterator[Examination]:
    """The examinations of one directory.

    Args:
        name: its name in config.ini; empty for [directory].
        settings: its section.
        clock: for certificates and the difference of clocks.
        surroundings: for connections.
    """
    subject = f"[directory:{name}]" if name else "[directory]"
    if settings.kind is DirectoryKind.LDIF:
        yield Examination(Check.FILE, subject, partial(_file, settings, clock, surroundings))
        return
    session = Session(settings, surroundings)
    yield Examination(Check.NAMES, subject, partial(_names, session))
    yield Examination(Check.SERVERS, subject, partial(_servers, session, clock))
    for check, question, severity in _QUESTIONS:
        yield Examination(check, subject, partial(_answer, question, session), severity)
    yield Examination(
        Check.ENTRIES, subject, partial(_answer, questions.entries, session), seconds=_ALL_ENTRIES_SECONDS
    )
    yield Examination(Check.CLOCK, subject, partial(_clocks, session, clock))
    session.close()


def _answer(question: Callable[[Session], str], session: Session) -> Iterator[Finding]:
    try:
        yield Finding(Status.OK, question(session))
    except PartFault as fault:
        yield Finding.of(fault, Status.WARNING)


def _names(session: Session) -> Iterator[Finding]:
    for line in questions.names(session):
        yield Finding(Status.OK, line)


def _servers(session: Session, clock: Clock) -> Iterator[Finding]:
    own = session.settings.client_certificate
    ends = first_end(own) if own is not None else None
    if ends is not None:
        yield days_left(f"our certificate {own}", ends, clock.now(), _OURS)
    for server in session.servers():
        try:
            end = certificate_end(server, session.settings)
        except Fault as fault:
            yield Finding.of(fault)
            continue
        if end is None:
            yield Finding(Status.OK, f"{server}: reached, without TLS")
        else:
            yield days_left(f"{server}: its certificate", end, clock.now(), _RENEW)


def _clocks(session: Session, clock: Clock) -> Iterable[Finding]:
    for server in session.servers():
        before = clock.now()
        theirs = questions.time_at(session, server)
        # between both looks at our clock the server has looked at its own
        yield apart(server, theirs, before + (clock.now() - before) / 2)


def _file(settings: DirectorySettings, clock: Clock, surroundings: Surroundings) -> Iterator[Finding]:
    read = source(settings, surroundings)
    entries = sum(1 for _ in read.changes(None, clock.now()).changes)
    yield Finding(Status.OK, f"{settings.file}: {entries} entries of use")
