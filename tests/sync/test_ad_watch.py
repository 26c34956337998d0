"""A watch over a domain wakes the sync, and never does harm."""

import pytest

from dirsync.ad.controls import NOTIFICATION, SHOW_DELETED
from dirsync.ad.source import AdSource
from dirsync.ad.watch import Watch
from dirsync.errors import DirectoryRefused, DirectoryUnavailable
from dirsync.wire.connector import Connector
from dirsync.wire.search import Page, Scope, Search
from dirsync.wire.stream import Ended, Found
from real_domain import PASSWORD, now, settings
from schema.secret import Secret
from surroundings import SURROUNDINGS

BASE = "DC=lab,DC=example,DC=test"
REFUSED = DirectoryRefused("Administrative limit exceeded", remedy="-")
GONE = DirectoryUnavailable("Can't contact LDAP server", remedy="-")

CHANGES = {
    "an addition": "dn: CN=new,{0}\nchangetype: add\nobjectClass: user\nsAMAccountName: new\n",
    "a modification": "dn: CN=alice,{0}\nchangetype: modify\nreplace: mail\nmail: new@example.test\n",
    "a new member": "dn: CN=vpn,{0}\nchangetype: modify\nadd: member\nmember: CN=carol,{0}\n",
    "a new name": "dn: CN=alice,{0}\nchangetype: modrdn\nnewrdn: CN=alicia\ndeleteoldrdn: 1\n",
    "a deletion": "dn: CN=alice,{0}\nchangetype: delete\n",
}


@pytest.fixture
def source(dc, lab):
    """A source that has read the domain and listens."""
    source = AdSource(settings(dc), SURROUNDINGS)
    source.changes(None, now())
    assert source.wait(10.0), "what was not told before it listened counts as a change"
    fall_quiet(source)
    yield source
    source.close()


def fall_quiet(source):
    while source.wait(0.3):
        pass


@pytest.mark.servers
@pytest.mark.parametrize("change", CHANGES)
def test_each_change_wakes(dc, lab, source, change):
    dc.ldapmodify(CHANGES[change].format(lab))
    assert source.wait(10.0)
    fall_quiet(source)
    assert source.method == "DirSync, woken by highestCommittedUSN"


@pytest.mark.servers
@pytest.mark.parametrize("change", CHANGES)
def test_each_change_is_told(dc, lab, change):
    # Samba is not asked to, for what it costs there; but it can, and shows what is told
    connection = Connector(settings(dc), SURROUNDINGS).sign_in()
    search = Search(BASE, ("objectGUID",), Scope.SUBTREE, controls=(NOTIFICATION, SHOW_DELETED))
    stream = connection.stream(search)
    assert stream.next(0.3) is None
    dc.ldapmodify(CHANGES[change].format(lab))
    assert stream.next(10.0)
    connection.close()


@pytest.mark.servers
def test_a_watch_survives_a_restart_of_the_domain_controller(dc, lab, source):
    dc.stop()
    assert [source.wait(0.1) for _ in range(3)] == [False] * 3
    dc.start()
    batch = source.changes(None, now())
    assert source.wait(10.0), "what happened in between is not told"
    fall_quiet(source)
    dc.ldapmodify(CHANGES["a modification"].format(lab))
    assert source.wait(10.0)
    assert [put.attributes for put in source.changes(batch.cookie, now()).changes] == [{"mail": (b"new@example.test",)}]


@pytest.mark.servers
def test_an_account_without_rights_is_woken_too_and_is_told_what_it_lacks(dc, lab, caplog):
    dc.add_user("reader", PASSWORD)
    source = AdSource(settings(dc, bind_dn="reader@lab.example.test", bind_password=Secret(PASSWORD)), SURROUNDINGS)
    source.changes(None, now())
    assert source.wait(10.0)
    fall_quiet(source)
    dc.ldapmodify(CHANGES["a modification"].format(lab))
    assert source.wait(10.0)
    assert source.method == "DirSync, woken by highestCommittedUSN, deletions at full reads only"
    assert "CN=Deleted Objects" in caplog.text
    source.close()


class Controller:
    """A domain controller's end of a watch, for what Samba never does."""

    def __init__(self, *messages):
        self.messages = list(messages)
        self.usn = 1
        self.opened = 0
        self.vendor = []
        self.streams = 0
        self.unreachable = False

    def sign_in(self):
        self.opened += 1
        if self.unreachable:
            raise GONE
        return self

    def stream(self, search):
        assert (search.scope, search.where) == (Scope.SUBTREE, "(objectClass=*)")
        assert search.controls == (NOTIFICATION, SHOW_DELETED)
        self.streams += 1
        return self

    def search(self, search):
        if self.unreachable:
            raise GONE
        return Page(iter([("", {"highestCommittedUSN": [b"%d" % self.usn], "vendorName": self.vendor})]))

    def next(self, seconds):
        message = self.messages.pop(0) if self.messages else None
        if isinstance(message, Exception):
            raise message
        self.usn += isinstance(message, Found)
        return message

    def close(self):
        pass


def listening(controller):
    watch = Watch(controller.sign_in)
    watch.prepare(BASE, 0.0)
    assert watch.wait(0.01)
    return watch


def test_nothing_is_opened_before_the_domain_could_be_read():
    controller = Controller()
    watch = Watch(controller.sign_in)
    assert not watch.wait(0.01)
    assert controller.opened == 0


def test_a_server_that_cannot_be_reached_is_tried_once_for_each_read_that_succeeds():
    # with a wrong password, each try brings the account closer to being locked
    controller = Controller()
    controller.unreachable = True
    watch = Watch(controller.sign_in)
    for tries in (1, 2):
        watch.prepare(BASE, 0.0)
        assert [watch.wait(0.01) for _ in range(3)] == [False] * 3
        assert controller.opened == tries


@pytest.mark.parametrize("refusal", [REFUSED, GONE, Ended()], ids=["refused", "a limit", "ended"])
def test_where_notification_is_refused_the_number_wakes_and_it_is_said_once(refusal, caplog):
    controller = Controller(refusal)
    watch = listening(controller)
    assert not watch.wait(0.01)
    assert watch.method == "woken by highestCommittedUSN"
    controller.usn += 1
    assert watch.wait(0.01)
    assert not watch.wait(0.01)
    assert (controller.opened, len(caplog.records)) == (1, 1)


def test_a_change_that_is_told_wakes_once():
    controller = Controller(Found("CN=x", {}, {}), None, Found("CN=y", {}, {}))
    watch = listening(controller)
    assert watch.wait(0.01)
    assert watch.wait(0.01)
    assert not watch.wait(0.01)
    assert watch.method == "woken by change notification"


def test_samba_is_looked_at_and_not_made_to_tell():
    controller = Controller()
    controller.vendor = [b"Samba Team (https://www.samba.org)"]
    watch = listening(controller)
    assert not watch.wait(0.01)
    controller.usn += 1
    assert watch.wait(0.01)
    assert controller.streams == 0
    assert watch.method == "woken by highestCommittedUSN"


def test_a_change_that_is_told_late_is_seen_by_the_number():
    controller = Controller()
    watch = listening(controller)
    assert not watch.wait(0.01)
    controller.usn += 1
    assert watch.wait(0.01)


def test_a_connection_that_dies_is_replaced_and_what_was_missed_counts_as_a_change():
    controller = Controller()
    watch = listening(controller)
    controller.unreachable = True
    assert not watch.wait(0.01)
    controller.unreachable = False
    assert watch.wait(0.01)
    assert controller.opened == 2


def test_after_an_answer_that_took_long_the_server_is_left_alone_as_long():
    controller = Controller()
    watch = Watch(controller.sign_in)
    watch.prepare(BASE, 0.02)
    assert [watch.wait(0.01), watch.wait(0.01)] == [False, False]
    assert controller.opened == 0
    assert watch.wait(0.01)


def test_a_closed_watch_sleeps():
    controller = Controller()
    watch = listening(controller)
    watch.close()
    controller.usn += 1
    assert not watch.wait(0.01)
    assert controller.opened == 1
