"""`dirfactor user` as a helpdesk types it; the directory is then looked at with ldapsearch."""

import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from auth.embedded_state import EmbeddedStore
from auth.guessing import guesses
from auth.turn import Turns
from commands.servers import ODD_RDN
from plain_store import PlainStore
from schema.dn import fold

pytestmark = pytest.mark.servers


@pytest.fixture
def service(tmp_path):
    """The folder of a service whose config.ini is used for the state file; its own directory is a file."""
    (tmp_path / "state").mkdir()
    (tmp_path / "directory.ldif").write_text("dn: dc=x\nobjectClass: domain\ndc: x\n")
    config = tmp_path / "config.ini"
    config.write_text(
        "[service]\nstate_directory = state\nregion = AT\n[directory]\nkind = ldif\nfile = directory.ldif\n"
        "[sms:kannel]\nurl = https://sms.example.org/?to={phone}&text={text}\nsuccess_status = 202\n"
    )
    return config


def strikes(config, entry, number):
    """The user with this entry has typed wrong codes just now."""
    guid = entry.attributes.get("objectGUID", [b""])[0]
    text = (entry.texts("nsUniqueId") or entry.texts("entryUUID") or [""])[0]
    user = uuid.UUID(bytes_le=guid).bytes if guid else uuid.UUID(text.replace("-", "")).bytes
    store = EmbeddedStore(config.parent / "state" / "state.sqlite", "boot", Turns())
    for second in range(number):
        PlainStore(store).struck(user, datetime.now(UTC) - timedelta(seconds=30 + second), guesses(user, None))
    store.close()


@pytest.fixture
def alice(lab):
    lab.add_policy("staff", dirfactorLogonAttempts="2", dirfactorViolationLimit="2")
    dn = (
        lab.add_person("alice", ODD_RDN, dirfactorToken="sms") if lab.kind == "ad" else lab.add_person("alice", ODD_RDN)
    )
    lab.run("token", "assign", "alice", "sms")
    lab.run("policy", "assign", "staff", "alice")
    return dn


def test_show_tells_entry_tokens_policies_and_violations(lab, alice, service):
    strikes(service, lab.everything(alice), 3)
    data = lab.run("user", "show", "alice", "--config", str(service), "--json").data
    assert fold(data["dn"]) == fold(alice)
    assert data["names"]["sam"] == "alice"
    assert data["tokens"] == [{"kind": "sms", "usable": True, "about": "+43***01"}]
    governing = [(row["level"], row["policy"]) for row in data["policies"] if row["won"]]
    assert governing == [("user", lab.dn("staff"))]
    assert data["violations"] == {
        "wrong_codes": 3,
        "violations": 1,
        "locked_until": None,
        "wrong_codes_today": 3,
    }
    assert data["tell"] == "alice gets a text to +43***01 at the next logon"
    text = lab.run("user", "show", "alice", "--config", str(service)).out
    assert "1 violations, 3 wrong codes; 3 wrong codes within a day" in text
    assert "not known here" in lab.run("user", "show", "alice").out
    assert "0000001" not in text


def test_unlock_writes_the_present_and_says_what_no_longer_counts(lab, alice, service):
    strikes(service, lab.everything(alice), 4)
    locked = lab.run("user", "show", "alice", "--config", str(service), "--json").data
    assert locked["violations"]["locked_until"]
    assert "violations-locked" in locked["warnings"][0]
    ended = lab.run("user", "unlock", "ALICE", "--config", str(service))
    assert ended.status == 0, ended
    assert f": unlocked by {lab.options[3]} at " in ended.out
    assert re.search(r"before: 2 violations, 4 wrong codes, locked until ", ended.out)
    (value,) = lab.texts(alice, "dirfactorUnlockedAt")
    written = datetime.strptime(value, "%Y%m%d%H%M%S.0Z").replace(tzinfo=UTC)
    assert abs(datetime.now(UTC) - written) < timedelta(minutes=2)
    lab.tools.modify(
        f"dn: {alice}\nchangetype: modify\nreplace: dirfactorUnlockedAt\ndirfactorUnlockedAt: 20261101000000.0Z\n"
    )
    again = lab.run("user", "unlock", "alice", "--config", str(service), "--json").data
    assert again["before"]["wrong_codes"] == 4
    after = lab.texts(alice, "dirfactorUnlockedAt")
    assert (len(after), after[0] > "20261101000000.0Z") == (1, True)


def test_a_dry_run_of_unlock_writes_nothing(lab, alice):
    ended = lab.run("user", "unlock", "alice", "--dry-run")
    assert lab.texts(alice, "dirfactorUnlockedAt") == []
    assert "add: dirfactorUnlockedAt" in ended.out


def test_policies_through_groups_primary_group_and_containers_are_found_as_the_sync_finds_them(ad_lab):
    lab = ad_lab
    alice = lab.add_person("alice")
    for name, priority in (("outer", "10"), ("inner", "5"), ("everyone", "20")):
        lab.add_policy(name, dirfactorPriority=priority)
    lab.tools.add(lab.dn("in"), {"objectClass": "group", "cn": "in", "sAMAccountName": "in", "member": alice})
    lab.tools.add(lab.dn("out"), {"objectClass": "group", "cn": "out", "sAMAccountName": "out", "member": lab.dn("in")})
    domain_users = f"CN=Domain Users,CN=Users,{lab.base}"
    for policy, subject in (("inner", "in"), ("outer", "out"), ("everyone", domain_users), ("outer", lab.place)):
        assert lab.run("policy", "assign", policy, subject).status == 0
    data = lab.run("user", "show", "alice", "--json").data
    levels = [(row["level"], row["policy"], row["holder"], row["won"]) for row in data["policies"]]
    assert sorted(levels[:3]) == [
        ("group", lab.dn("everyone"), domain_users, False),
        ("group", lab.dn("inner"), lab.dn("in"), True),
        ("group", lab.dn("outer"), lab.dn("out"), False),
    ]
    assert levels[3] == ("organizational unit", lab.dn("outer"), lab.place, False)
    for policy, subject in (("everyone", domain_users), ("outer", lab.place)):
        lab.run("policy", "assign", policy, subject, "--remove")
    lab.clear()
