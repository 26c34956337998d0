"""What networks, certificates and servers do wrong: the fault says what, and what to do; the old replica stays."""

import contextlib
import socket
import threading
import time
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from auth.login_name import names_meant
from dirsync.ad.source import AdSource
from dirsync.errors import DirectoryRefused, DirectoryUnavailable
from dirsync.password import PasswordVerdict
from dirsync.replica import Replica, ReplicaWriter
from dirsync.scheduler import SyncScheduler
from dirsync.settings import DirectoryKind, DirectorySettings, SyncSettings
from dirsync.wire import ber, connection
from dirsync.wire.bind import LdapPasswordCheck
from dirsync.wire.connector import Connector
from dirsync.wire.lookups import Lookups
from dirsync.wire.search import Scope, Search
from other_end import SEARCH_DONE, SUCCESS, Answering, encrypting, listener, result
from rig.certificates import issue, self_signed
from rig.ports import LOOPBACK
from rig.proxy import Trouble, between, cut, garbage, silence
from schema.secret import Secret
from schema.words import UserIdAttribute
from small_directory import content
from surroundings import SURROUNDINGS

servers = pytest.mark.servers
PASSWORD = "Copper-Ladder-63"


def now():
    return datetime.now(UTC)


def settings(url, ca_file, **given):
    defaults = {
        "kind": DirectoryKind.AD,
        "url": (url,),
        "base": "DC=lab,DC=example,DC=test",
        "bind_dn": "reader@lab.example.test",
        "bind_password": Secret(PASSWORD),
        "ca_file": ca_file,
        "timeout_seconds": 1.0,
    }
    return DirectorySettings(**(defaults | given))


def expired(folder):
    return issue(folder, LOOPBACK, first=now() - timedelta(days=9), last=now() - timedelta(days=1))


def not_yet_valid(folder):
    return issue(folder, LOOPBACK, first=now() + timedelta(days=1), last=now() + timedelta(days=9))


@pytest.mark.parametrize(
    ("make", "words", "remedy"),
    [
        (expired, "certificate has expired", "give the server a new certificate"),
        (not_yet_valid, "certificate is not yet valid", "check the clocks"),
        (lambda folder: self_signed(folder, LOOPBACK), "self-signed certificate", "of the certificate itself"),
        (lambda folder: issue(folder, "dc1.example.test"), "not valid for '127.0.0.1'", "names 127.0.0.1"),
    ],
    ids=["expired", "not yet valid", "self-signed", "another name"],
)
def test_what_is_wrong_with_a_certificate_is_said_in_words(tmp_path, make, words, remedy):
    files = make(tmp_path / "server")
    with listener(encrypting(files, lambda _: None)) as port, pytest.raises(DirectoryUnavailable) as fault:
        Connector(settings(f"ldaps://{LOOPBACK}:{port}", files.ca), SURROUNDINGS).sign_in()
    assert words in fault.value.problem
    assert remedy in fault.value.remedy


@pytest.mark.parametrize(
    ("url", "words", "remedy"),
    [
        ("ldaps://127.0.0.1:1", "Connection refused", "serves LDAP on port 1"),
        ("ldaps://dc1.nowhere.invalid", "dc1.nowhere.invalid is not known to DNS", "check the name in url"),
    ],
)
def test_what_stands_in_the_way_of_a_server_is_said_in_words(tmp_path, url, words, remedy):
    with pytest.raises(DirectoryUnavailable) as fault:
        Connector(settings(url, issue(tmp_path, LOOPBACK).ca), SURROUNDINGS).sign_in()
    assert words in fault.value.problem
    assert remedy in fault.value.remedy


def test_a_port_that_speaks_something_else_is_said_to(tmp_path):
    with (
        listener(lambda client: client.sendall(b"220 mail.example.test ESMTP\r\n")) as port,
        pytest.raises(DirectoryUnavailable) as fault,
    ):
        Connector(settings(f"ldaps://{LOOPBACK}:{port}", issue(tmp_path, LOOPBACK).ca), SURROUNDINGS).sign_in()
    assert "no TLS" in fault.value.problem
    assert "a port that speaks TLS" in fault.value.remedy


def after_the_bind(files, octets):
    """A server that lets everybody in and answers what is asked then with these octets; {id} is the message's."""
    answering = Answering()

    def serve(client):
        while asked := client.recv(65536):
            number = ber.Reader(asked).sequence().integer()
            if b"DC=lab" in asked:
                client.sendall(octets(number))
            else:
                bind = asked.find(b"\x60", 4, 8) > 0
                answer = answering.answer_bind(asked) if bind else result(SEARCH_DONE, SUCCESS)
                client.sendall(ber.sequence(ber.integer(number), answer))

    return encrypting(files, serve)


def entry(number, dn, name):
    attributes = ber.sequence(ber.sequence(ber.octet_string(name), b"\x31\x00"))
    contents = ber.octet_string(dn) + attributes
    return ber.sequence(ber.integer(number), bytes([0x64, len(contents)]) + contents)


@pytest.mark.parametrize(
    "octets",
    [
        lambda number: b"HTTP/1.1 400 Bad Request\r\n\r\n",
        lambda number: bytes(range(256)),
        lambda number: b"\x30\x84\xff\xff\xff\xff\x02\x01",
        lambda number: ber.sequence(ber.integer(number), b"\x64\x03\x04\x7fX"),
        lambda number: entry(number, b"CN=\xff\xfe", b"cn"),
        lambda number: entry(number, b"CN=x", b"c\xff"),
    ],
    ids=["http", "all octets", "endless", "cut entry", "DN that is no UTF-8", "attribute that is no UTF-8"],
)
def test_a_server_that_answers_garbage_is_unavailable_and_is_not_believed(tmp_path, octets, monkeypatch):
    monkeypatch.setattr(connection, "_WALK_SECONDS", 1.0)
    files = issue(tmp_path / "server", LOOPBACK)
    with listener(after_the_bind(files, octets)) as port:
        signed_in = Connector(settings(f"ldaps://{LOOPBACK}:{port}", files.ca), SURROUNDINGS).sign_in()
        with contextlib.closing(signed_in), pytest.raises(DirectoryUnavailable) as fault:
            list(signed_in.search(Search("DC=lab", ("cn",), Scope.SUBTREE)).entries)
    assert fault.value.remedy


@pytest.fixture
def crowd(samba_dc):
    """A domain with some hundred users, so that its answer takes many packets; DN of their OU."""
    dc, crowd = samba_dc, f"OU=crowd,{samba_dc.base_dn}"
    if not dc.ldapsearch(where="(ou=crowd)"):
        users = "".join(
            f"\ndn: CN=crowd{number},{crowd}\nchangetype: add\nobjectClass: user\nsAMAccountName: crowd{number}\n"
            for number in range(200)
        )
        dc.ldapmodify(f"dn: {crowd}\nchangetype: add\nobjectClass: organizationalUnit\n{users}")
    return crowd


class Following:
    """A replica that follows a domain over a network that may have trouble."""

    def __init__(self, dc, folder, trouble, stack):
        port = stack.enter_context(between(dc.address, 636, trouble))
        given = settings(
            f"ldaps://{LOOPBACK}:{port}",
            dc.ca_file,
            base=dc.base_dn,
            bind_dn=dc.admin,
            bind_password=Secret(dc.admin_password),
        )
        self.source = AdSource(given, SURROUNDINGS)
        self.writer = ReplicaWriter(folder / "replica.sqlite")
        self.replica = Replica(folder / "replica.sqlite")
        self.scheduler = SyncScheduler(self.source, self.writer, SyncSettings(interval_seconds=0.1), now)
        for each in (self.source, self.writer, self.replica):
            stack.callback(each.close)

    def read_all(self):
        self.writer.apply(self.source.changes(None, now()), self.source.identity)


@pytest.fixture
def following(samba_dc, crowd, tmp_path):
    with contextlib.ExitStack() as stack:
        trouble = Trouble()
        yield Following(samba_dc, tmp_path, trouble, stack), trouble


@servers
@pytest.mark.parametrize(
    ("act", "after"),
    [(silence, 0), (cut, 0), (cut, 900), (silence, 30_000), (cut, 30_000), (garbage, 30_000)],
    ids=["silent", "cut off", "cut in the handshake", "silent in a page", "cut in a page", "garbage in a page"],
)
def test_whatever_breaks_a_sync_leaves_the_replica_and_the_next_one_mends_it(
    samba_dc, following, monkeypatch, act, after
):
    monkeypatch.setattr(connection, "_WALK_SECONDS", 1.0)
    monkeypatch.setattr(connection, "_FLOW_SECONDS", 1.0)
    follower, trouble = following
    follower.scheduler.run_once()
    before, version = content(follower.writer), follower.replica.freshness().version
    follower.source.close()
    user = samba_dc.add_user(f"late{act.__name__}{after}", PASSWORD)
    trouble.act, trouble.after = act, trouble.passed + after
    with pytest.raises(DirectoryUnavailable) as fault:
        follower.read_all()
    assert trouble.happened.is_set()
    assert fault.value.remedy
    assert content(follower.writer) == before
    assert follower.replica.freshness().version == version
    trouble.after = 1 << 62
    trouble.happened.clear()
    follower.read_all()
    assert follower.replica.lookup(user) is not None


@servers
def test_a_stop_ends_a_read_that_hangs(following):
    follower, trouble = following
    follower.scheduler.run_once()
    version = follower.replica.freshness().version
    follower.source.close()
    trouble.after, trouble.act = trouble.passed + 30_000, silence
    # without a stop, the walk would wait for minutes
    faults = []

    def read():
        try:
            follower.scheduler.reconcile()
        except DirectoryUnavailable as fault:
            faults.append(fault)

    reading = threading.Thread(target=read)
    reading.start()
    assert trouble.happened.wait(20)
    stopping = threading.Thread(target=follower.scheduler.stop)
    stopping.start()
    stopping.join(20)
    reading.join(20)
    assert not stopping.is_alive()
    assert "the sync was stopped" in faults[0].problem
    assert follower.replica.freshness().version == version


@servers
def test_a_value_of_two_megabytes_arrives_whole(samba_dc, tmp_path):
    picture = bytes(range(256)) * 8192
    dn = samba_dc.add_user("picture", PASSWORD, jpegPhoto=picture)
    given = settings(
        samba_dc.ldaps, samba_dc.ca_file, bind_dn=samba_dc.admin, bind_password=Secret(samba_dc.admin_password)
    )
    with contextlib.closing(Connector(given, SURROUNDINGS).sign_in()) as signed_in:
        [(_, found)] = signed_in.search(Search(dn, ("jpegPhoto",))).entries
    assert found["jpegPhoto"] == [picture]
    extra = msgspec.structs.replace(given, extra_attributes=("jpegPhoto",))
    with (
        contextlib.closing(AdSource(extra, SURROUNDINGS)) as source,
        contextlib.closing(ReplicaWriter(tmp_path / "replica.sqlite", ("jpegPhoto",))) as writer,
        contextlib.closing(Replica(tmp_path / "replica.sqlite")) as replica,
    ):
        writer.apply(source.changes(None, now()), source.identity)
        person = replica.person(replica.lookup(dn))
    assert len(next(text.value for text in person.user.texts if text.attribute == "jpegphoto")) >= len(picture) // 2


@servers
def test_a_login_name_finds_its_user_however_unicode_writes_it(samba_dc, tmp_path):
    dn = samba_dc.add_user("M\u00fcller-Stra\u00dfe", PASSWORD)
    given = settings(
        samba_dc.ldaps, samba_dc.ca_file, bind_dn=samba_dc.admin, bind_password=Secret(samba_dc.admin_password)
    )
    with (
        contextlib.closing(AdSource(given, SURROUNDINGS)) as source,
        contextlib.closing(ReplicaWriter(tmp_path / "replica.sqlite")) as writer,
        contextlib.closing(Replica(tmp_path / "replica.sqlite")) as replica,
    ):
        writer.apply(source.changes(None, now()), source.identity)
        user = replica.lookup(dn)
        assert user is not None
        for typed in ("mu\u0308ller-strasse", "M\u00dcLLER-STRASSE", "\uff2d\u00fcller-Stra\u00dfe"):
            assert replica.find(names_meant(typed, UserIdAttribute.ANY, {}).names) == (user,)
        assert replica.find(names_meant("muller-strasse", UserIdAttribute.ANY, {}).names) == ()


def read_base(slapd, base, who=None):
    given = settings(
        slapd.ldaps, slapd.ca_file, base=base, bind_dn=who or slapd.sync, bind_password=Secret(slapd.sync_password)
    )
    with contextlib.closing(Connector(given, SURROUNDINGS).sign_in()) as signed_in:
        return list(signed_in.search(Search(base, ("cn",), Scope.SUBTREE)).entries)


@servers
def test_a_wrong_base_is_named_with_the_part_of_it_that_is_there(slapd):
    with pytest.raises(DirectoryRefused) as fault:
        read_base(slapd, f"ou=missing,{slapd.base_dn}")
    assert "No such object" in fault.value.problem
    assert f"'ou=missing,{slapd.base_dn}' is not there" in fault.value.remedy
    assert f"only {slapd.base_dn} is there" in fault.value.remedy


@servers
def test_a_referral_is_not_followed_and_says_where_the_base_is_served(fresh_slapd):
    fresh_slapd.tools(fresh_slapd.config, fresh_slapd.config_password).modify(
        "dn: cn=config\nchangetype: modify\nadd: olcReferral\nolcReferral: ldap://other.example.test\n"
    )
    with pytest.raises(DirectoryRefused) as fault:
        read_base(fresh_slapd, "dc=other,dc=test")
    assert "ldap://other.example.test" in fault.value.remedy


@servers
def test_a_missing_right_is_to_be_given_to_the_account_that_lacks_it(fresh_slapd):
    fresh_slapd.tools(fresh_slapd.config, fresh_slapd.config_password).modify(
        "dn: olcDatabase={1}mdb,cn=config\nchangetype: modify\nreplace: olcAccess\n"
        "olcAccess: to attrs=userPassword by anonymous auth by * none\nolcAccess: to * by * disclose\n"
    )
    with pytest.raises(DirectoryRefused) as fault:
        read_base(fresh_slapd, fresh_slapd.base_dn)
    assert "Insufficient access" in fault.value.problem
    assert f"give the account {fresh_slapd.sync} (bind_dn of [directory]) the right to read" in fault.value.remedy


@pytest.fixture
def silent_resolver(monkeypatch):
    """A resolver waits for its own name servers, one after the other, much longer than anybody waits for us."""
    ended = threading.Event()

    def silent(*_, **__):
        ended.wait(20)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(Lookups.__init__, "__defaults__", (silent,))
    yield
    ended.set()


@pytest.mark.usefixtures("silent_resolver")
def test_a_name_that_nobody_looks_up_takes_no_longer_than_a_server_that_says_nothing(tmp_path):
    given = settings("ldaps://dc1.lab.example.test", issue(tmp_path, LOOPBACK).ca, timeout_seconds=0.4)
    begun = time.monotonic()
    with pytest.raises(DirectoryUnavailable, match=r"nobody says within 0\.4 s") as caught:
        Connector(given, SURROUNDINGS).sign_in()
    assert "resolvers of this machine" in caught.value.remedy
    assert LdapPasswordCheck(given, SURROUNDINGS).check("uid=a", "right") is PasswordVerdict.UNAVAILABLE
    assert time.monotonic() - begun < 5.0


@pytest.mark.usefixtures("silent_resolver")
def test_whoever_waits_for_a_name_can_be_interrupted(tmp_path):
    given = settings("ldaps://dc1.lab.example.test", issue(tmp_path, LOOPBACK).ca, timeout_seconds=15.0)
    connector, ends = Connector(given, SURROUNDINGS), []

    def wait():
        with pytest.raises(DirectoryUnavailable, match="was stopped") as caught:
            connector.sign_in()
        ends.append(caught.value)

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.3)
    with connector.interrupting():
        waiting.join(5)
    assert ends
