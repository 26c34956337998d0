"""What the service writes down when it fails or declines: enough to find the cause, nothing that a person typed."""

import asyncio
import contextlib
import logging
import re
import time
from dataclasses import replace
from types import SimpleNamespace

import msgspec
import pytest

from auth.audit import AuditFiles, AuditKey, AuditTrail, AuditUnavailable
from auth.audit.reader import outcomes
from auth.clock import SYSTEM_ENTROPY, Clock
from auth.performing import Performer
from auth.reason import Reason
from auth.request import AnswerRequest, Door, LoginRequest, Origin, Refused
from auth.service import LoginService, Parts
from auth.state import Recalled, StateUnavailable, Wanted
from auth.why.record import JournalUnavailable, NoJournal
from core.logins import NOW, entry_id, facts, link, node, person, policy
from dirsync.password import PasswordVerdict
from dirsync.view import Freshness
from schema.secret import Secret
from schema.words import Method

ORIGIN = Origin(Door.RADIUS, "vpn", "0123456789abcdef", "192.0.2.7", "Calling-Station-Id=+436640000067", "a-session")
PASSWORD_ALONE = link(policy(second_method=Method.NONE))


async def settled():
    """Nothing was written."""


async def recall(_wanted, _now):
    """Nothing is remembered."""
    return Recalled()


class BrokenStore:
    """Fails with what it was asked in the text of the error."""

    settled = staticmethod(settled)

    async def attempt(self, state, _node):
        raise ValueError("cannot look up " + state.text)


@pytest.fixture
async def audit(tmp_path):
    files = AuditFiles(tmp_path / "audit.jsonl", tmp_path / "audit.key")
    async with contextlib.aclosing(AuditTrail(files, AuditKey(bytes(32)), lambda: NOW)) as opened:
        text = files.segment("20261124").read_text
        yield SimpleNamespace(file=opened, text=text, lines=lambda: list(outcomes(files)))


def service(audit):
    directory = SimpleNamespace(freshness=lambda: Freshness(7, NOW))
    clock = Clock(lambda: NOW, lambda: 0.0)
    nothing = None
    known = SimpleNamespace(directory=directory)
    return LoginService(Parts(known, BrokenStore(), nothing, audit, NoJournal(), clock, SYSTEM_ENTROPY, 0.0))


async def test_the_text_of_an_unexpected_error_is_in_neither_log_nor_audit(audit, caplog):
    with caplog.at_level(logging.DEBUG):
        outcome = await service(audit.file).answer(AnswerRequest(ORIGIN, Secret("s-t-a-t-e"), Secret("123456")))
    assert outcome == Refused(Reason.INTERNAL_FAULT)
    assert [line.reason for line in audit.lines()] == ["internal-fault"]
    shown = logging.Formatter().format(caplog.records[0])
    assert re.fullmatch(r"0123456789abcdef: ValueError in test_service\.py line \d+", shown)
    assert len(caplog.records) == 1
    assert "s-t-a-t-e" not in audit.text()


async def test_what_a_door_declines_is_one_line_with_reason_and_correlation(audit):
    outcome = await service(audit.file).decline(ORIGIN, "alice", Reason.PASSWORD_PROTOCOL)
    assert outcome == Refused(Reason.PASSWORD_PROTOCOL)
    [line] = audit.lines()
    assert (line.outcome, line.reason, line.correlation) == (
        "refused",
        "password-protocol",
        "0123456789abcdef",
    )
    assert (line.door, line.node, line.address, line.name) == ("radius", "vpn", "192.0.2.7", "alice")


async def test_marks_of_the_caller_are_in_neither_log_nor_audit_nor_repr(audit, caplog):
    """A Calling-Station-Id can be a phone number."""
    with caplog.at_level(logging.DEBUG):
        await service(audit.file).decline(ORIGIN, "alice", Reason.PASSWORD_PROTOCOL)
        await service(audit.file).answer(AnswerRequest(ORIGIN, Secret("x"), Secret("123456")))
    written = audit.text() + caplog.text + repr(AnswerRequest(ORIGIN, Secret("x"), Secret("123456")))
    assert len(audit.lines()) == 2
    assert "436640000067" not in written
    assert "a-session" not in written


class FullDisk:
    def keep_all(self, events):
        return [JournalUnavailable("journal: the disk is full", remedy="make room")] * len(events)


async def test_an_outcome_whose_grounds_cannot_be_kept_is_told_all_the_same_and_the_audit_says_so(audit, caplog):
    """The journal is evidence, not control: nobody is kept out by it."""
    parts = replace(service(audit.file)._parts, journal=FullDisk())
    assert await LoginService(parts).decline(ORIGIN, "alice", Reason.USER_UNKNOWN) == Refused(Reason.USER_UNKNOWN)
    [line] = audit.lines()
    assert line.journal == "journal: the disk is full"
    assert "make room" in caplog.text


class FullAudit:
    def write_all(self, lines):
        raise AuditUnavailable("the audit: the disk is full", remedy="make room")


async def test_an_outcome_that_cannot_be_recorded_lets_nobody_in(audit, caplog):
    parts = replace(service(audit.file)._parts, audit=FullAudit())
    assert await LoginService(parts).decline(ORIGIN, "alice", Reason.USER_UNKNOWN) == Refused(Reason.AUDIT_UNAVAILABLE)
    assert "make room" in caplog.text


class LockedStore:
    async def attempt(self, state, _node):
        raise StateUnavailable("state file: locked", remedy="check the disk")


async def test_without_the_state_store_nobody_is_let_in_and_the_audit_says_why(audit):
    parts = replace(service(audit.file)._parts, store=LockedStore())
    outcome = await LoginService(parts).answer(AnswerRequest(ORIGIN, Secret("s-t-a-t-e"), Secret("123456")))
    assert outcome == Refused(Reason.STATE_UNAVAILABLE)
    [line] = audit.lines()
    assert (line.reason, line.detail) == ("state-unavailable", "state file: locked")


class Renaming:
    """A directory in which the login name becomes somebody else's while the password is checked."""

    def __init__(self):
        self.people = {entry_id(name): person(PASSWORD_ALONE, name=name) for name in ("alice", "bob")}
        self.bearer = person().id

    def facts(self, _node, found, _recalled):
        return msgspec.structs.replace(facts(), found=found)

    def ids(self, _node, _name):
        return (self.bearer,)

    def named(self, _name):
        return SimpleNamespace(node=node().node, facts=node())

    async def ask(self, _directory, _dn, _password):
        self.bearer = entry_id("bob")
        return PasswordVerdict.RIGHT


def logons_in(world, audit):
    """The parts of a service that asks this directory."""
    directory = SimpleNamespace(freshness=lambda: Freshness(7, NOW), person=world.people.get)
    known = SimpleNamespace(directory=directory, nodes=world, facts=world.facts, ids=world.ids)
    known.wanted, known.again = lambda _node, _found, _now: Wanted(), lambda known, _recalled: known
    known.entries = lambda ids: tuple(world.people[each] for each in ids)
    performer = Performer(world, SimpleNamespace(settled=settled), *7 * [None])
    return replace(
        service(audit.file)._parts,
        known=known,
        performer=performer,
        store=SimpleNamespace(settled=settled, recall=recall),
    )


async def test_what_one_user_has_shown_never_counts_for_another_to_whom_the_name_goes_meanwhile(audit):
    parts = logons_in(Renaming(), audit)
    outcome = await LoginService(parts).begin(LoginRequest(ORIGIN, "alice", Secret("Teapot")))
    assert (outcome.reason, audit.lines()[0].user) == (Reason.ACCEPTED, person().dn)


class Slow(Renaming):
    """A directory that takes its time to refuse a password."""

    async def ask(self, _directory, _dn, _password):
        await asyncio.sleep(0.05)
        return PasswordVerdict.WRONG


@pytest.mark.parametrize(("refusal_seconds", "told"), [(0.01, 1), (1.0, 0), (0.0, 0)], ids=["less", "more", "none"])
async def test_a_directory_that_is_slower_than_refusals_may_be_is_told_of_once(audit, caplog, refusal_seconds, told):
    """A name that nobody has would be refused sooner, and so the time would tell who has an account."""
    clock = Clock(lambda: NOW, time.monotonic)
    logons = LoginService(replace(logons_in(Slow(), audit), clock=clock, refusal_seconds=refusal_seconds))
    for password in ("Teapot", "Teacup"):
        outcome = await logons.begin(LoginRequest(ORIGIN, "alice", Secret(password)))
        assert outcome.reason is Reason.PASSWORD_WRONG
    assert caplog.text.count("set refusal_seconds of [service] to more than the directory takes") == told
    assert "alice" not in caplog.text


async def test_whatever_fails_while_the_name_is_looked_up_ends_in_an_audit_line(audit):
    def fail(*_):
        raise ValueError("of the library")

    known = SimpleNamespace(ids=fail, nodes=Renaming(), directory=SimpleNamespace(freshness=lambda: Freshness(7, NOW)))
    parts = replace(service(audit.file)._parts, known=known)
    outcome = await LoginService(parts).begin(LoginRequest(ORIGIN, "alice", Secret("Teapot")))
    assert outcome == Refused(Reason.INTERNAL_FAULT)
    assert [line.reason for line in audit.lines()] == ["internal-fault"]
