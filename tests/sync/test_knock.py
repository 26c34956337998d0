"""At which of several servers somebody opens, seen from sockets that open, refuse, or let callers wait for ever."""

import socket
import time
from contextlib import ExitStack, contextmanager
from threading import Event

import pytest

from dirsync.errors import DirectoryAway, DirectoryUnavailable
from dirsync.password import PasswordVerdict
from dirsync.settings import DirectoryKind, DirectorySettings
from dirsync.wire.bind import LdapPasswordCheck
from dirsync.wire.connector import Connector
from dirsync.wire.knock import knock
from dirsync.wire.lookups import Lookups
from dirsync.wire.servers import Servers
from other_end import Answering, encrypting, listener
from rig.certificates import issue
from rig.ports import LOOPBACK
from schema.secret import Secret
from surroundings import SURROUNDINGS

ALICE = "CN=Alice,OU=Lab,DC=lab,DC=example,DC=test"
PASSWORD = "Copper-Ladder-63"
LOOKUPS = Lookups(time.monotonic)
REFUSING = f"ldaps://{LOOPBACK}:1"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return issue(tmp_path_factory.mktemp("tls"), LOOPBACK)


@contextmanager
def hanging():
    """The URL of a server to which no connection comes about, as behind a firewall: its queue is full."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server((LOOPBACK, 0), backlog=0))
        for _ in range(2):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(server.getsockname())
        yield f"ldaps://{LOOPBACK}:{server.getsockname()[1]}"


def settings(certificates, *urls, **given):
    defaults = {
        "kind": DirectoryKind.AD,
        "url": urls,
        "base": "DC=lab,DC=example,DC=test",
        "bind_dn": "reader@lab.example.test",
        "bind_password": Secret(PASSWORD),
        "ca_file": certificates.ca,
        "timeout_seconds": 5.0,
    }
    return DirectorySettings(**(defaults | given))


def long_away(*urls):
    """What is known of servers that have failed for an hour: each is paused for a minute."""
    known = Servers()
    for _ in range(60):
        for url in urls:
            known = known.failed(url, SURROUNDINGS.monotonic())
    return known


def test_of_each_server_at_which_nobody_opens_is_said_why():
    with hanging() as hangs, listener() as port:
        opens, unknown = f"ldap://{LOOPBACK}:{port}", "ldaps://nobody.invalid"
        begun = time.monotonic()
        closed = knock((hangs, REFUSING, opens, unknown, "ldapi://%2Frun%2Fldapi"), 2.0, LOOKUPS, Event())
        assert time.monotonic() - begun < 1.0, "the others are not waited for"
    assert closed[hangs] == "no answer within 2 s"
    assert closed[REFUSING] == "Connection refused"
    assert closed[unknown].startswith("the name nobody.invalid is not known to DNS")
    assert len(closed) == 3


def test_when_nobody_opens_it_ends_in_time_and_at_once_for_who_wants_to_know_no_more():
    with hanging() as hangs:
        begun = time.monotonic()
        assert knock((hangs,), 0.4, LOOKUPS, Event()) == {hangs: "no answer within 0.4 s"}
        assert 0.3 < time.monotonic() - begun < 0.9
        interrupted = Event()
        interrupted.set()
        assert set(knock((hangs,), 60.0, LOOKUPS, interrupted)) == {hangs}
    assert time.monotonic() - begun < 2.0


def test_a_name_that_nobody_looks_up_does_not_keep_from_a_server_that_is_back():
    """A resolver waits for name servers that are away for half a minute and longer."""
    answers = Event()

    def resolve(host, *arguments, **more):
        if host == "dc1.example.test":
            answers.wait(10)
        return socket.getaddrinfo(host, *arguments, **more)

    with listener() as port:
        unresolved, opens = "ldaps://dc1.example.test", f"ldap://{LOOPBACK}:{port}"
        begun = time.monotonic()
        closed = knock((unresolved, opens), 2.0, Lookups(time.monotonic, resolve), Event())
        assert time.monotonic() - begun < 1.0
    answers.set()
    assert closed == {unresolved: "nobody says within 2 s what its address is"}


def test_a_password_is_checked_at_the_one_server_that_is_back_though_others_hang_and_all_were_away_for_long(
    certificates,
):
    """Within the two seconds in which logons are to go on; the others are not tried in full, each for five seconds."""
    back = Answering()
    with hanging() as one, hanging() as other, listener(encrypting(certificates, back.serve)) as port:
        urls = (one, REFUSING, other, f"ldaps://{LOOPBACK}:{port}")
        check = LdapPasswordCheck(settings(certificates, *urls), SURROUNDINGS)
        check._connector._servers = long_away(*urls)
        begun = time.monotonic()
        assert check.check(ALICE, PASSWORD) is PasswordVerdict.RIGHT
        assert time.monotonic() - begun < 2.0
        check.close()
    assert len(back.binds) == 1


def test_a_server_that_opens_and_then_hangs_up_does_not_keep_from_another_that_is_back(certificates):
    back = Answering()
    with (
        listener(lambda connection: connection.close()) as dead,
        listener(encrypting(certificates, back.serve)) as port,
    ):
        urls = f"ldaps://{LOOPBACK}:{dead}", f"ldaps://{LOOPBACK}:{port}"
        connector = Connector(settings(certificates, *urls), SURROUNDINGS)
        connector._servers = long_away(*urls)
        connection = connector.open()
        assert connection.server == urls[1]
        connection.close()


def test_where_no_server_is_there_the_directory_is_away_and_nobody_is_shown_the_password(certificates):
    with hanging() as hangs, listener(lambda connection: connection.close()) as dead:
        urls = (REFUSING, f"ldaps://{LOOPBACK}:{dead}", hangs)
        connector = Connector(settings(certificates, *urls, timeout_seconds=0.4), SURROUNDINGS)
        for _ in range(3):
            with pytest.raises(DirectoryAway) as caught:
                connector.sign_in()
            assert all(url in caught.value.problem for url in urls)


def test_a_server_whose_certificate_is_not_accepted_is_not_away(tmp_path, certificates):
    """Somebody has to do something about it, and a server that is there is not called all the time."""
    other = issue(tmp_path / "other", LOOPBACK)
    with listener(encrypting(other, lambda connection: connection.recv(4096))) as port:
        connector = Connector(settings(certificates, f"ldaps://{LOOPBACK}:{port}"), SURROUNDINGS)
        for _ in range(2):
            with pytest.raises(DirectoryUnavailable) as caught:
                connector.sign_in()
            assert not isinstance(caught.value, DirectoryAway)
