"""Real servers with RFC 4533: whatever an administrator does, the replica follows, and ends equal to a full read."""

import random
import signal
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from dirsync import directory
from dirsync.errors import DirectoryRefused, DirectoryUnavailable
from dirsync.replica import Replica, ReplicaWriter
from dirsync.settings import DirectoryKind, DirectorySettings
from dirsync.syncrepl.cookie import SyncCookie
from dirsync.syncrepl.server import DS389, OPENLDAP
from dirsync.syncrepl.source import SyncreplSource
from dirsync.wire.surroundings import Surroundings
from rig.ds389 import DirectoryServer389
from rig.fixtures import OPENLDAP_SCHEMA, need, running
from rig.process import copy_tree, wait_until
from rig.slapd import Slapd
from schema.secret import Secret
from small_openldap import whole_content
from surroundings import SURROUNDINGS

pytestmark = pytest.mark.servers

KINDS = {"openldap": OPENLDAP, "389ds": DS389}
PEOPLE = ("alice", "bob", "carol")


def now():
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def slapds(tmp_path_factory):
    """Without a session log, so that every resumed sync goes through a present phase, and with one."""
    need("slapd", "ldapmodify")
    with (
        running(Slapd(tmp_path_factory.mktemp("forgetful"), OPENLDAP_SCHEMA)) as forgetful,
        running(Slapd(tmp_path_factory.mktemp("remembering"), OPENLDAP_SCHEMA, session_log=1000)) as remembering,
    ):
        yield {"slapd": forgetful, "slapd with a session log": remembering}


@pytest.fixture(params=["slapd", "slapd with a session log", "389-ds"])
def server(request):
    if request.param == "389-ds":
        server = request.getfixturevalue("ds389")
    else:
        server = request.getfixturevalue("slapds")[request.param]
    server.reset()
    base = server.base_dn
    for name in PEOPLE:
        server.tools().modify(add_person(name, f"ou=people,{base}"))
    server.tools().modify(
        f"dn: cn=strict,ou=policies,{base}\nchangetype: add\nobjectClass: dirfactorSecurityPolicy\ncn: strict\n\n"
        f"dn: cn=vpn,{base}\nchangetype: add\nobjectClass: groupOfNames\ncn: vpn\n"
        f"member: uid=alice,ou=people,{base}\nmember: uid=bob,ou=people,{base}\n"
    )
    yield server
    server.reset()


def add_person(name, parent):
    return (
        f"dn: uid={name},{parent}\nchangetype: add\nobjectClass: inetOrgPerson\nobjectClass: dirfactorUser\n"
        "objectClass: dirfactorSubject\n"
        f"uid: {name}\ncn: {name}\nsn: {name}\nmail: {name}@example.test\nmobile: +43 664 0000001\n\n"
    )


def settings(server, **given):
    return DirectorySettings(
        **{
            "kind": DirectoryKind.DS389 if isinstance(server, DirectoryServer389) else DirectoryKind.OPENLDAP,
            "url": (server.ldaps,),
            "base": server.base_dn,
            "bind_dn": server.sync,
            "bind_password": Secret(server.sync_password),
            "ca_file": server.ca_file,
        }
        | given
    )


class Follower:
    """A replica that follows the server."""

    def __init__(self, folder: Path, settings: DirectorySettings) -> None:
        self._folder = folder
        self._settings = settings
        self.source = SyncreplSource(settings, KINDS[settings.kind], SURROUNDINGS)
        self.resumes = KINDS[settings.kind].resumes
        self.writer = ReplicaWriter(folder / "replica.sqlite")
        self.replica = Replica(folder / "replica.sqlite")
        self._reads = 0
        assert self.follow().refresh

    @property
    def cookie(self):
        return self.writer.cookie(self.source.identity)

    def follow(self, cookie=None):
        """Takes in what has changed."""
        batch = self.source.changes(cookie or self.cookie, now())
        self.writer.apply(batch, self.source.identity)
        if self.cookie is None:  # after a renaming, or what contradicts the replica, everything is wanted
            self.writer.apply(self.source.changes(None, now()), self.source.identity)
        return batch

    def follow_after_a_break(self):
        """The same over a new connection: with the cookie, where the server's cookies can be relied upon."""
        assert self.follow().refresh != self.resumes

    def equals_a_full_read(self):
        self._reads += 1
        writer = ReplicaWriter(self._folder / f"full{self._reads}.sqlite")
        source = SyncreplSource(self._settings, KINDS[self._settings.kind], SURROUNDINGS)
        try:
            writer.apply(source.changes(None, now()), source.identity)
            assert whole_content(self.writer) == whole_content(writer)
        finally:
            source.close()
            writer.close()
        return True

    def person(self, uid):
        (user,) = self.replica.find([("sam", uid)])
        return self.replica.person(user)

    def close(self):
        self.source.close()
        self.replica.close()
        self.writer.close()


@pytest.fixture
def follower(server, tmp_path):
    follower = Follower(tmp_path, settings(server))
    yield follower
    follower.close()


MODIFY = "dn: {}\nchangetype: modify\n{}\n"
RENAME = "dn: {}\nchangetype: modrdn\nnewrdn: {}\ndeleteoldrdn: 1\n{}"


def edits(base):
    """What an administrator does in a day, one after the other."""
    people = f"ou=people,{base}"
    alice, bob, carol = (f"uid={name},{people}" for name in PEOPLE)
    vpn, strict, gate = f"cn=vpn,{base}", f"cn=strict,ou=policies,{base}", f"cn=gate,{base}"
    subject = "add: objectClass\nobjectClass: dirfactorSubject\n-\n"
    return {
        "add an attribute": MODIFY.format(alice, "add: dirfactorToken\ndirfactorToken: sms\ndirfactorToken: vip"),
        "change attributes": MODIFY.format(
            alice, "replace: mobile\nmobile: +43 664 0000002\n-\nreplace: dirfactorToken\ndirfactorToken: email"
        ),
        "remove an attribute": MODIFY.format(alice, "delete: mobile"),
        "assign a policy": MODIFY.format(alice, f"add: dirfactorPolicy\ndirfactorPolicy: {strict}"),
        "assign a policy that is not there": MODIFY.format(
            bob, f"add: dirfactorPolicy\ndirfactorPolicy: cn=lax,ou=policies,{base}"
        ),
        "and there it is": f"dn: cn=lax,ou=policies,{base}\nchangetype: add\nobjectClass: dirfactorSecurityPolicy\n"
        "cn: lax\n",
        "assign a policy to a container": MODIFY.format(
            people, f"{subject}add: dirfactorPolicy\ndirfactorPolicy: {strict}"
        ),
        "a node with members": f"dn: {gate}\nchangetype: add\nobjectClass: dirfactorAccessNode\ncn: gate\n"
        f"dirfactorAddress: 192.0.2.7\ndirfactorMember: {vpn}\ndirfactorMember: {carol}\n",
        "a member less in the node": MODIFY.format(gate, f"delete: dirfactorMember\ndirfactorMember: {carol}"),
        "members come and go": MODIFY.format(vpn, f"add: member\nmember: {carol}\n-\ndelete: member\nmember: {bob}"),
        "a group in a group": f"dn: cn=all,{base}\nchangetype: add\nobjectClass: groupOfUniqueNames\ncn: all\n"
        f"uniqueMember: {vpn}\n",
        "an OU below one of no use": f"dn: l=Wien,{base}\nchangetype: add\nobjectClass: locality\nl: Wien\n\n"
        f"dn: ou=staff,l=Wien,{base}\nchangetype: add\nobjectClass: organizationalUnit\nou: staff\n",
        "move a user": RENAME.format(alice, "uid=alice", f"newsuperior: ou=staff,l=Wien,{base}\n"),
        "rename what holds the OU": RENAME.format(f"l=Wien,{base}", "l=Linz", ""),
        "the group follows": MODIFY.format(vpn, f"add: member\nmember: uid=alice,ou=staff,l=Linz,{base}"),
        "rename a user": RENAME.format(f"uid=alice,ou=staff,l=Linz,{base}", "cn=älice\\, A.", ""),
        "rename an OU": RENAME.format(people, "ou=persons", ""),
        "move an OU": RENAME.format(f"ou=persons,{base}", "ou=persons", f"newsuperior: ou=policies,{base}\n"),
        "and back": RENAME.format(f"ou=persons,ou=policies,{base}", "ou=people", f"newsuperior: {base}\n"),
        "delete a member": f"dn: {carol}\nchangetype: delete\n",
        "create it again": add_person("carol", people),
        "delete a policy": f"dn: cn=lax,ou=policies,{base}\nchangetype: delete\n",
        "come and go": add_person("visitor", people) + f"dn: uid=visitor,{people}\nchangetype: delete\n",
        "delete a group in a group": f"dn: {vpn}\nchangetype: delete\n",
    }


def test_whatever_an_administrator_does_the_replica_ends_equal_to_a_full_read(server, follower):
    for what, ldif in edits(server.base_dn).items():
        server.tools().modify(ldif)
        assert follower.source.wait(10), what
        assert not follower.follow().refresh, what
        assert follower.equals_a_full_read(), what
        assert list(follower.follow().changes) == [], what


def test_each_edit_that_was_made_while_nobody_listened_is_caught_up_with(server, follower):
    for what, ldif in edits(server.base_dn).items():
        follower.source.close()
        server.tools().modify(ldif)
        follower.follow_after_a_break()
        assert follower.equals_a_full_read(), what


def test_a_day_of_edits_while_nobody_listened_is_caught_up_with(server, follower):
    follower.source.close()
    for ldif in edits(server.base_dn).values():
        server.tools().modify(ldif)
    follower.follow_after_a_break()
    assert follower.equals_a_full_read()


def test_a_day_of_edits_in_one_batch_leads_to_the_same(server, follower):
    for ldif in edits(server.base_dn).values():
        server.tools().modify(ldif)
    assert not follower.follow().refresh
    assert follower.equals_a_full_read()


def test_what_decides_about_a_person_arrives(server, follower):
    base = server.base_dn
    server.tools().modify(
        MODIFY.format(
            f"cn=vpn,{base}",
            "add: objectClass\nobjectClass: dirfactorSubject\n-\n"
            f"add: dirfactorPolicy\ndirfactorPolicy: cn=strict,ou=policies,{base}",
        )
        + "\n"
        + MODIFY.format(f"uid=alice,ou=people,{base}", "add: dirfactorToken\ndirfactorToken: sms")
    )
    follower.follow()
    alice = follower.person("alice")
    assert alice.user.tokens == ("sms",)
    assert alice.user.mail == "alice@example.test"
    assert [(group.group.name, group.policy.dn) for group in alice.groups] == [("vpn", f"cn=strict,ou=policies,{base}")]
    assert [ancestor.dn for ancestor in alice.ancestors] == [f"ou=people,{base}", base]


def test_a_renamed_member_has_left_the_group_until_the_group_says_its_new_name(server, follower):
    base = server.base_dn
    server.tools().modify(RENAME.format(f"uid=alice,ou=people,{base}", "uid=eve", ""))
    follower.follow()
    assert follower.person("eve").groups == ()
    server.tools().modify(MODIFY.format(f"cn=vpn,{base}", f"add: member\nmember: uid=eve,ou=people,{base}"))
    follower.follow()
    assert [group.group.name for group in follower.person("eve").groups] == ["vpn"]


def with_a_member(server):
    """Add alice, and the group vpn that has her; the DNs of both."""
    base = server.base_dn
    alice, vpn = f"uid=alice,ou=people,{base}", f"cn=vpn,{base}"
    server.tools().modify(
        add_person("alice", f"ou=people,{base}")
        + f"dn: {vpn}\nchangetype: add\nobjectClass: groupOfNames\ncn: vpn\nmember: {alice}\n"
    )
    return alice, vpn


def test_what_refint_writes_and_does_not_tell_is_read(slapds, tmp_path):
    """The overlay gives groups the new name of a renamed member, and the server is silent about it."""
    server = with_refint(slapds)
    alice, vpn = with_a_member(server)
    follower = Follower(tmp_path, settings(server))
    server.tools().modify(RENAME.format(alice, "uid=eve", ""))
    wait_until(lambda: b"uid=eve" in server.tools().search(vpn)[0].attributes["member"][0], 10.0, lambda: "no refint")
    follower.follow()
    assert [group.group.name for group in follower.person("eve").groups] == ["vpn"]
    assert follower.equals_a_full_read()
    follower.close()
    server.reset()


def test_who_is_called_as_somebody_was_whom_refint_took_out_of_a_group_is_not_in_it(slapds, tmp_path):
    """The overlay takes a deleted member out of the groups, and the server is silent about it."""
    server = with_refint(slapds)
    alice, vpn = with_a_member(server)
    follower = Follower(tmp_path, settings(server))
    server.tools().modify(f"dn: {alice}\nchangetype: delete\n")
    wait_until(
        lambda: alice.encode() not in server.tools().search(vpn)[0].attributes["member"], 10.0, lambda: "no refint"
    )
    follower.follow()
    server.tools().modify(add_person("alice", f"ou=people,{server.base_dn}"))
    follower.follow()
    assert follower.person("alice").groups == ()
    assert follower.equals_a_full_read()
    follower.close()
    server.reset()


def with_refint(slapds):
    """A server whose overlay refint keeps the members of groups right."""
    server = slapds["slapd with a session log"]
    server.reset()
    server.tools(server.config, server.config_password).modify(
        "dn: olcOverlay=refint,olcDatabase={1}mdb,cn=config\nchangetype: add\nobjectClass: olcOverlayConfig\n"
        "objectClass: olcRefintConfig\nolcOverlay: refint\nolcRefintAttribute: member\nolcRefintNothing: cn=nobody\n"
    )
    return server


def test_a_person_whose_policy_is_gone_has_one_that_leads_nowhere(server, follower):
    base = server.base_dn
    strict = f"cn=strict,ou=policies,{base}"
    server.tools().modify(
        MODIFY.format(f"uid=bob,ou=people,{base}", f"add: dirfactorPolicy\ndirfactorPolicy: {strict}")
    )
    server.tools().modify(f"dn: {strict}\nchangetype: delete\n")
    follower.follow()
    link = follower.person("bob").policy
    assert (link.dn, link.policy) == (None, None)


def test_nothing_new_is_no_news(server, follower):
    assert not follower.source.wait(0.1)
    batch = follower.follow()
    assert list(batch.changes) == []


def test_a_restart_of_the_server_loses_nothing(server, follower):
    base = server.base_dn
    server.stop()
    with pytest.raises(DirectoryUnavailable):
        follower.follow()
    assert not follower.source.wait(0.1)
    server.start()
    server.tools().modify(MODIFY.format(f"uid=alice,ou=people,{base}", "replace: mail\nmail: new@example.test"))
    follower.follow_after_a_break()
    assert follower.person("alice").user.mail == "new@example.test"
    server.stop()  # the kept connection dies unnoticed
    server.start()
    server.tools().modify(f"dn: uid=bob,ou=people,{base}\nchangetype: delete\n")
    follower.follow_after_a_break()
    assert follower.equals_a_full_read()


def test_a_killed_server_is_followed_again(server, follower):
    base = server.base_dn
    server.tools().modify(f"dn: uid=bob,ou=people,{base}\nchangetype: delete\n")
    server.process.kill()
    server.start()
    server.tools().modify(add_person("dora", f"ou=people,{base}"))
    follower.follow()
    assert follower.equals_a_full_read()
    assert follower.person("dora")


def test_a_deletion_that_a_crash_made_the_server_forget_is_noticed(server, follower):
    base = server.base_dn
    alice = f"uid=alice,ou=people,{base}"
    # whose changes are not among the newest ones is not missed for that
    again = (MODIFY.format(f"cn=busy{number},{base}", "replace: o\no: x") for number in range(10))
    add = "dn: cn=busy{},{}\nchangetype: add\nobjectClass: applicationProcess\nobjectClass: extensibleObject\n\n"
    server.tools().modify("".join(add.format(number, base) for number in range(10)) + "\n".join(again))
    follower.follow()
    follower.source.close()
    server.tools().modify(f"dn: {alice}\nchangetype: delete\n")
    server.process.kill()
    server.start()
    server.tools().modify(add_person("dora", f"ou=people,{base}"))
    follower.follow()
    assert follower.equals_a_full_read()


@pytest.mark.parametrize("then", ["", "cn=vpn,{}"], ids=["", "another change"])
def test_a_change_that_a_crash_made_the_server_forget_is_noticed(server, follower, then):
    """It is in the entry and not in contextCSN, which is the one that the cookie has."""
    base = server.base_dn
    server.stop()
    server.start()
    follower.follow()
    follower.source.close()
    server.tools().modify(MODIFY.format(f"uid=alice,ou=people,{base}", "replace: mail\nmail: new@example.test"))
    server.process.kill()
    server.start()
    if then:
        server.tools().modify(MODIFY.format(then.format(base), "replace: description\ndescription: x"))
    follower.follow()
    assert follower.equals_a_full_read()


def test_a_server_that_hangs_is_an_error_and_not_silence(server, follower, tmp_path):
    patient = Follower(make(tmp_path / "patient"), settings(server, timeout_seconds=1.0))
    server.process.signal(signal.SIGSTOP)
    try:
        with pytest.raises(DirectoryUnavailable):
            patient.follow()
    finally:
        server.process.signal(signal.SIGCONT)
    patient.follow()
    assert patient.equals_a_full_read()
    patient.close()


def make(folder):
    folder.mkdir()
    return folder


@pytest.mark.parametrize("raw", [b"garbage", b"rid=000,csn=20000101000000.000000Z#000000#000#000000", b"rid=000"])
def test_a_cookie_that_the_server_cannot_use_leads_to_the_same(server, follower, raw):
    base = server.base_dn
    server.tools().modify(f"dn: uid=bob,ou=people,{base}\nchangetype: delete\n")
    spoilt = msgspec.structs.replace(msgspec.msgpack.decode(follower.cookie, type=SyncCookie), raw=raw)
    follower.follow(spoilt.encode())
    assert follower.equals_a_full_read()


def test_a_cookie_from_the_future_leads_to_a_full_read(server, follower):
    raw = b"rid=000,csn=29990101000000.000000Z#000000#000#000000"
    spoilt = msgspec.structs.replace(msgspec.msgpack.decode(follower.cookie, type=SyncCookie), raw=raw)
    assert follower.follow(spoilt.encode()).refresh
    assert follower.equals_a_full_read()


def test_octets_that_are_no_cookie_lead_to_a_full_read(server, follower):
    assert follower.follow(b"no cookie").refresh
    assert follower.equals_a_full_read()


@pytest.mark.parametrize(
    "lost",
    [
        pytest.param("dn: uid=bob,ou=people,{}\nchangetype: delete\n", id="a deletion"),
        pytest.param(
            "dn: uid=bob,ou=people,{}\nchangetype: modify\nreplace: mail\nmail: b@example.test\n", id="a change"
        ),
        pytest.param(add_person("dora", "ou=people,{}"), id="an addition"),
    ],
)
def test_a_server_that_was_restored_from_a_copy_and_changed_since_is_read_anew(server, follower, tmp_path, lost):
    base = server.base_dn
    server.stop()
    copy_tree(server._home / "data", tmp_path / "copy")
    server.start()
    server.tools().modify(lost.format(base))
    follower.follow()
    server.stop()
    copy_tree(tmp_path / "copy", server._home / "data")
    server.start()
    server.tools().modify(MODIFY.format(f"uid=carol,ou=people,{base}", "replace: mail\nmail: c@example.test"))
    follower.follow()
    follower.follow()  # what contradicts the replica has it read anew
    assert follower.equals_a_full_read()
    assert follower.person("bob").user.mail == "bob@example.test"


def test_a_reader_that_was_stopped_in_the_middle_takes_nothing_in(server, follower):
    """A batch of which not everything is taken leaves the replica as it was; the same cookie leads on."""
    base = server.base_dn
    server.tools().modify(add_person("dora", f"ou=people,{base}"))
    was = whole_content(follower.writer)
    next(follower.source.changes(follower.cookie, now()).changes)
    assert whole_content(follower.writer) == was
    follower.follow()
    assert follower.equals_a_full_read()


def test_a_base_that_is_not_there_is_refused(server):
    source = SyncreplSource(settings(server, base="dc=no,dc=test"), OPENLDAP, SURROUNDINGS)
    with pytest.raises(DirectoryRefused) as fault:
        source.changes(None, now())
    source.close()
    assert "base" in fault.value.remedy


def test_what_the_server_is_it_says_itself(server):
    server.stop()
    found = directory.source(settings(server, kind=DirectoryKind.AUTO), SURROUNDINGS)
    with pytest.raises(DirectoryUnavailable):
        found.changes(None, now())
    assert not found.wait(0.01)
    server.start()
    assert list(found.changes(None, now()).changes)
    assert found.method == directory.source(settings(server), SURROUNDINGS).method
    found.close()


def test_the_end_of_a_connection_is_announced_unless_it_comes_soon_after_its_beginning(server):
    """What is edited before the next regular look, which may be far off, would not be heard of."""
    seconds = [0.0]
    around = Surroundings(lambda: seconds[0], random.Random(1).randrange)
    found = directory.source(settings(server), around)
    for after, is_announced in ((0.0, False), (2.0, True)):
        list(found.changes(None, now()).changes)
        seconds[0] += after
        server.stop()
        server.start()
        assert found.wait(1.0) == is_announced
        assert not found.wait(0.05), "once"
    found.close()


def test_when_one_server_fails_another_goes_on_and_nobody_is_missing_meanwhile(slapds, tmp_path):
    """The two have the same tree and other entries: the other one's cookie means nothing to it."""
    one, other = slapds.values()
    for server in (one, other):
        server.reset()
        server.tools().modify(add_person("alice", f"ou=people,{server.base_dn}"))
    other.tools().modify(add_person("bob", f"ou=people,{other.base_dn}"))
    authorities = tmp_path / "authorities.pem"
    authorities.write_text(one.ca_file.read_text() + other.ca_file.read_text())
    both = settings(one, url=(one.ldaps, other.ldaps), ca_file=authorities)
    follower = Follower(make(tmp_path / "replica"), both)
    assert follower.person("alice")
    one.stop()
    try:
        follower.follow()
        assert follower.person("alice")
        assert follower.person("bob")
        assert not follower.source.wait(0.05)
    finally:
        one.start()
        follower.close()
