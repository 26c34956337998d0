"""The real servers are what they claim to be: each test talks to one as its clients do, without the product."""

import os
import signal
import smtplib
import ssl
import subprocess
import sys
import tempfile
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest

from rig.fixtures import FULL_MAILBOX, NO_MAILBOX, need
from rig.ldaptools import LdapRefused, LdapTools, add_record
from rig.process import ServerFailure, members, wait_until

servers = pytest.mark.servers


def test_a_missing_server_is_a_failure_and_not_a_skip():
    with pytest.raises(pytest.fail.Exception, match="no-such-server is not installed: run tools/bootstrap servers"):
        need("sh", "no-such-server")


@servers
def test_a_domain_user_binds_with_the_right_password_only(samba_dc):
    dn = samba_dc.add_user("rig-alice", "Right-1", displayName="Älice")
    for name in (dn, "rig-alice@lab.example.test", "LAB\\rig-alice"):
        samba_dc.as_user(name, "Right-1").bind()
    with pytest.raises(LdapRefused, match="data 52e") as refusal:
        samba_dc.as_user(dn, "Wrong-1").bind()
    assert refusal.value.code == 49
    assert samba_dc.ldapsearch(dn, scope="base")[0].texts("displayName") == ["Älice"]


@servers
@pytest.mark.parametrize(
    ("password", "status", "number", "given"),
    [("Smpp-1x", "0", "436640009901", ["Code: 481516"]), ("Wrong-1", "14", "436640009902", [])],
)
def test_the_sms_centre_binds_with_the_right_password_only_and_says_what_it_was_given(
    smsc, password, status, number, given
):
    program = """
        use Net::SMPP;
        my ($port, $password, $number) = @ARGV;
        my ($centre, $bound) = Net::SMPP->new_transceiver('127.0.0.1', port => $port, smpp_version => 0x34,
            system_id => 'dirfactor', password => $password);
        print $bound->{status};
        exit 0 if $bound->{status};
        $centre->submit_sm(destination_addr => $number, short_message => 'Code: 481516', data_coding => 0);
    """
    command = ["perl", "-e", program, str(smsc.port), password, number]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == status
    assert [each.text for each in smsc.submitted(number)] == given


@servers
def test_the_domain_controller_takes_no_password_in_clear_text(samba_dc):
    clear = LdapTools(samba_dc.ldap, samba_dc.ca_file, samba_dc.admin, samba_dc.admin_password)
    with pytest.raises(LdapRefused, match="Transport encryption required"):
        clear.bind()


@servers
def test_389_ds_knows_its_accounts_takes_no_password_in_clear_text_and_forgets_at_a_reset(ds389):
    ds389.tools(ds389.sync, ds389.sync_password).bind()
    with pytest.raises(LdapRefused) as refusal:
        LdapTools(ds389.ldap, ds389.ca_file, ds389.sync, ds389.sync_password).bind()
    assert refusal.value.code == 13
    ds389.tools().modify(f"dn: ou=after,{ds389.base_dn}\nchangetype: add\nobjectClass: organizationalUnit\n")
    ds389.stop()
    ds389.start()
    assert ds389.tools().search(ds389.base_dn, "(ou=after)")
    ds389.reset()
    assert not ds389.tools().search(ds389.base_dn, "(ou=after)")


@servers
def test_a_snapshot_brings_back_its_moment_and_a_reset_the_beginning(fresh_dc):
    def has(sam):
        return bool(fresh_dc.ldapsearch(where=f"(sAMAccountName={sam})"))

    fresh_dc.add_user("before", "Pw-1")
    fresh_dc.snapshot("moment")
    fresh_dc.add_user("after", "Pw-1")
    assert (has("before"), has("after")) == (True, True)
    fresh_dc.restore("moment")
    assert (has("before"), has("after")) == (True, False)
    fresh_dc.as_user("before@lab.example.test", "Pw-1").bind()
    fresh_dc.reset()
    assert (has("before"), has("after")) == (False, False)


@servers
def test_a_shared_state_is_prepared_once(samba_dc):
    prepared = []

    def prepare(dc):
        prepared.append(dc.add_user("shared", "Pw-1"))

    samba_dc.become("shared", prepare)
    samba_dc.reset()
    samba_dc.become("shared", prepare)
    assert [entry.dn for entry in samba_dc.ldapsearch(where="(sAMAccountName=shared)")] == prepared


@servers
def test_users_in_bulk_are_in_the_directory(fresh_dc, tmp_path):
    records = [
        add_record(
            f"CN=bulk{number},CN=Users,{fresh_dc.base_dn}", {"objectClass": "user", "sAMAccountName": f"bulk{number}"}
        )
        for number in range(300)
    ]
    file = tmp_path / "bulk.ldif"
    file.write_text("".join(records).replace("changetype: add\n", ""))
    fresh_dc.bulk_load(file)
    assert len(fresh_dc.ldapsearch(where="(sAMAccountName=bulk*)", attributes=["1.1"])) == 300


@servers
def test_openldap_has_its_tree_and_takes_no_password_in_clear_text(fresh_slapd):
    people = f"ou=people,{fresh_slapd.base_dn}"
    fresh_slapd.tools().add(f"uid=bob,{people}", {"objectClass": "inetOrgPerson", "cn": "Bob", "sn": "B"})
    assert [entry.dn for entry in fresh_slapd.tools(fresh_slapd.sync).search(people, "(uid=bob)")] == [
        f"uid=bob,{people}"
    ]
    with pytest.raises(LdapRefused, match="confidentiality required"):
        LdapTools(fresh_slapd.ldap, fresh_slapd.ca_file, fresh_slapd.admin, fresh_slapd.admin_password).bind()
    fresh_slapd.reset()
    assert fresh_slapd.tools().search(people, "(uid=bob)") == []


def send_text(kannel, to, text, **more):
    account = {"username": kannel.username, "password": kannel.password}
    return httpx.get(kannel.sendsms_url, params=account | {"to": to, "text": text, "charset": "UTF-8"} | more)


@servers
@pytest.mark.parametrize(
    ("text", "coding"),
    [
        ("Ihr Code für heute: 481516 €", 0),
        ("Ваш код: 481516", 2),
        ("Ihr Code: 481516\n\n@example.com #481516", 0),
        ("Länger als eine SMS. " * 20 + "481516", 0),
        ("Длинный текст. " * 12 + "481516", 2),
    ],
    ids=["umlaut", "cyrillic", "lines", "long", "long cyrillic"],
)
def test_a_text_arrives_at_the_sms_centre_as_it_was_sent(kannel, text, coding):
    # a number of its own: what others had sent and did not read would come first
    assert send_text(kannel, "+436640000991", text, coding=coding).text == "0: Accepted for delivery"
    assert kannel.wait_for_text("+436640000991") == text
    with pytest.raises(ServerFailure, match="no text"):
        kannel.wait_for_text("+436640000991", timeout=0.1)


@servers
def test_the_gateway_keeps_texts_while_the_sms_centre_is_away(kannel):
    kannel.disconnect_centre()
    answer = send_text(kannel, "+436640000992", "later 1")
    kannel.connect_centre()
    assert answer.text == "3: Queued for later delivery"
    assert kannel.wait_for_text("+436640000992") == "later 1"


@servers
def test_the_gateway_refuses_a_wrong_password(kannel):
    assert send_text(kannel, "+436640000003", "no 1", password="Wrong-1").status_code == 403


def mail(to):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "service@example.test", to, "Anmeldung für heute"
    message.set_content("Ihr Code für heute: 481516")
    return message


def mail_session(postfix):
    session = smtplib.SMTP(postfix.host, postfix.port, timeout=10)
    session.starttls(context=ssl.create_default_context(cafile=postfix.ca_file))
    return session


@servers
def test_a_mail_sent_with_starttls_arrives_once(postfix):
    with mail_session(postfix) as session:
        session.send_message(mail("rig@example.test"))
    delivered = postfix.wait_for_mail("rig@example.test")
    assert delivered["Subject"] == "Anmeldung für heute"
    assert delivered.get_content() == "Ihr Code für heute: 481516\n"
    with pytest.raises(ServerFailure, match="no mail"):
        postfix.wait_for_mail("rig@example.test", timeout=0.1)


@servers
def test_a_mail_without_starttls_is_refused(postfix):
    with smtplib.SMTP(postfix.host, postfix.port) as session, pytest.raises(smtplib.SMTPSenderRefused) as refusal:
        session.send_message(mail("rig@example.test"))
    assert refusal.value.smtp_code == 530


@servers
@pytest.mark.parametrize(("recipient", "code"), [(FULL_MAILBOX, 452), (NO_MAILBOX, 550)])
def test_some_recipients_are_refused(postfix, recipient, code):
    with mail_session(postfix) as session, pytest.raises(smtplib.SMTPRecipientsRefused) as refusal:
        session.send_message(mail(recipient))
    assert refusal.value.recipients[recipient][0] == code


# A test run in small: starts what has several processes or changes its user, names the groups, then waits.
RUN = """
import sys, time
from pathlib import Path
from rig.postfix import Postfix
from rig.slapd import Slapd
home = Path(sys.argv[1])
home.chmod(0o755)
for server in (Postfix(home / "postfix", {}), Slapd(home / "slapd")):
    server.start()
    print(server.process.group, flush=True)
print("started", flush=True)
time.sleep(60)
"""


@servers
def test_no_server_outlives_a_test_run_that_is_killed():
    need("postfix", "slapd")
    tests = Path(__file__).parents[1]
    with (
        tempfile.TemporaryDirectory() as home,
        subprocess.Popen(
            [sys.executable, "-c", RUN, home],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(tests)},
        ) as run,
    ):
        groups = [int(line) for line in iter(run.stdout.readline, "started\n")]
        assert [bool(members(group)) for group in groups] == [True, True]
        run.send_signal(signal.SIGKILL)
        wait_until(lambda: not any(members(group) for group in groups), 5.0, lambda: "servers are left over")
