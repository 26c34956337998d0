"""The password check: what is never sent, what is sent once, and what the directory's answers mean."""

import logging
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dirsync.password import PasswordCheck, PasswordVerdict
from dirsync.settings import DirectoryKind, DirectorySettings
from dirsync.wire.bind import LdapPasswordCheck, verdict_of
from other_end import INVALID_CREDENTIALS, SEARCH_DONE, SUCCESS, Answering, encrypting, listener
from rig.certificates import issue
from surroundings import SURROUNDINGS

ALICE = "CN=Alice,OU=Lab,DC=lab,DC=example,DC=test"
PASSWORD = "Copper-Ladder-63"
# the text of a domain controller
AD = "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data {}, v2580\x00"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return issue(tmp_path_factory.mktemp("tls"), "127.0.0.1")


@contextmanager
def checking(certificates, *servers, **given):
    """A password check on these servers; None is one that is down."""
    with ExitStack() as stack:
        ports = [
            stack.enter_context(listener(encrypting(certificates, server.serve))) if server else 1 for server in servers
        ]
        check = LdapPasswordCheck(
            DirectorySettings(
                kind=DirectoryKind.AD,
                url=tuple(f"ldaps://127.0.0.1:{port}" for port in ports),
                ca_file=certificates.ca,
                **{"timeout_seconds": 5.0} | given,
            ),
            SURROUNDINGS,
        )
        stack.callback(check.close)
        yield check


@pytest.mark.parametrize(
    ("data", "verdict"),
    [
        ("525", PasswordVerdict.WRONG),  # no such account
        ("52e", PasswordVerdict.WRONG),
        ("52E", PasswordVerdict.WRONG),
        ("530", PasswordVerdict.HOURS),
        ("531", PasswordVerdict.WORKSTATION),
        ("532", PasswordVerdict.EXPIRED),
        ("533", PasswordVerdict.DISABLED),
        ("701", PasswordVerdict.ACCOUNT_EXPIRED),
        ("773", PasswordVerdict.MUST_CHANGE),
        ("775", PasswordVerdict.LOCKED),
        ("57", PasswordVerdict.WRONG),
        ("5321", PasswordVerdict.WRONG),
        ("", PasswordVerdict.WRONG),
    ],
)
def test_ms_erref_2_2_the_reason_in_the_diagnostic_is_the_verdict(data, verdict):
    assert verdict_of(AD.format(data)) is verdict


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("Account inactivated. Contact system administrator.", PasswordVerdict.DISABLED),
        ("Exceed password retry limit. Please try later.", PasswordVerdict.LOCKED),
        ("password expired!", PasswordVerdict.EXPIRED),
        ("Invalid credentials", PasswordVerdict.WRONG),
    ],
)
def test_389_directory_server_gives_its_reasons_in_words(text, verdict):
    assert verdict_of(text) is verdict


@pytest.mark.parametrize("text", ["", "invalid credentials", "metadata 532", "data: 532", "data532"])
def test_a_diagnostic_without_a_reason_means_wrong(text):
    assert verdict_of(text) is PasswordVerdict.WRONG


@given(st.text() | st.from_regex(r"data [0-9a-f]{1,9}", fullmatch=True))
def test_no_diagnostic_means_right(text):
    assert verdict_of(text) not in {PasswordVerdict.RIGHT, PasswordVerdict.UNAVAILABLE}


@pytest.mark.parametrize(
    ("dn", "password"),
    [
        (ALICE, ""),  # an unauthenticated bind succeeds, RFC 4513 section 5.1.2
        (ALICE, "\0"),
        (ALICE, "\0" + PASSWORD),
        (ALICE, PASSWORD + "\0"),
        (ALICE, "\ud800"),  # no UTF-8
        ("", PASSWORD),  # an anonymous bind succeeds, RFC 4513 section 5.1.1
        ("  ", PASSWORD),
        ("\0" + ALICE, PASSWORD),
    ],
)
def test_what_would_prove_nothing_is_wrong_and_nothing_is_sent(dn, password):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        url = f"ldaps://127.0.0.1:{server.getsockname()[1]}"
        check: PasswordCheck = LdapPasswordCheck(
            DirectorySettings(kind=DirectoryKind.AD, url=(url,), timeout_seconds=0.2),
            SURROUNDINGS,
        )
        assert check.check(dn, password) is PasswordVerdict.WRONG
        with pytest.raises(BlockingIOError):
            server.accept()


def test_a_password_that_proves_something_is_sent(certificates):
    # the other half of the law above: its socket would have noticed
    server = Answering()
    with checking(certificates, server) as check:
        assert check.check(ALICE, PASSWORD) is PasswordVerdict.RIGHT
    assert [PASSWORD.encode() in octets and ALICE.encode() in octets for octets in server.binds] == [True]


def test_spaces_belong_to_a_password(certificates):
    server = Answering()
    with checking(certificates, server) as check:
        assert check.check(ALICE, " ") is PasswordVerdict.RIGHT
    assert b"\x80\x01 \xa0" in server.binds[0]  # what follows the password are controls


def test_a_wrong_password_is_not_tried_on_another_server(certificates):
    first, second = Answering(INVALID_CREDENTIALS, AD.format("52e")), Answering()
    with checking(certificates, first, second) as check:
        assert check.check(ALICE, PASSWORD) is PasswordVerdict.WRONG
    assert (len(first.binds), second.connections) == (1, 0)


def test_a_server_that_hangs_up_on_a_bind_leaves_the_answer_open_and_no_other_is_asked(certificates):
    first, second = Answering(None), Answering()
    with checking(certificates, first, second) as check:
        assert check.check(ALICE, PASSWORD) is PasswordVerdict.UNAVAILABLE
        assert (len(first.binds), second.connections) == (1, 0)
        # the next login is a new question, and goes where there may be an answer
        assert check.check(ALICE, PASSWORD) is PasswordVerdict.RIGHT
    assert (len(first.binds), len(second.binds)) == (1, 1)


def test_a_server_that_does_not_answer_a_bind_leaves_the_answer_open_and_no_other_is_asked(certificates):
    first, second = Answering(), Answering()
    first.hold.clear()
    with checking(certificates, first, second, timeout_seconds=0.3) as check:
        began = time.monotonic()
        assert check.check(ALICE, PASSWORD) is PasswordVerdict.UNAVAILABLE
        assert time.monotonic() - began < 2.0
        first.hold.set()
    assert (len(first.binds), second.connections) == (1, 0)


def test_before_the_password_is_sent_the_next_server_may_be_asked(certificates):
    second = Answering()
    with checking(certificates, None, second) as check:
        assert check.check(ALICE, PASSWORD) is PasswordVerdict.RIGHT
    assert len(second.binds) == 1


def test_when_no_server_answers_nothing_is_known(certificates):
    with checking(certificates, None, None) as check:
        assert check.check(ALICE, PASSWORD) is PasswordVerdict.UNAVAILABLE


@pytest.mark.parametrize("code", [1, 2, 7, 8, 10, 14, 32, 34, 48, 50, 51, 52, 53, 80, 97])
def test_nothing_but_success_is_right_and_nothing_but_invalid_credentials_is_wrong(certificates, code):
    server = Answering(code, AD.format("532"))
    with checking(certificates, server) as check:
        assert check.check(ALICE, PASSWORD) is PasswordVerdict.UNAVAILABLE
        server.code = SUCCESS
        check.check(ALICE, PASSWORD)
    # a connection that has behaved strangely is not used again
    assert server.connections == 2


@pytest.mark.parametrize("code", [19, 53])
@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("Account inactivated. Contact system administrator.", PasswordVerdict.DISABLED),
        ("Exceed password retry limit. Please try later.", PasswordVerdict.LOCKED),
        ("password expired!", PasswordVerdict.UNAVAILABLE),
    ],
)
def test_another_result_may_refuse_the_account_and_never_says_that_the_password_was_right(
    certificates, code, text, verdict
):
    with checking(certificates, Answering(code, text)) as check:
        assert check.check(ALICE, PASSWORD) is verdict


def test_the_success_of_something_else_is_not_right(certificates):
    with checking(certificates, Answering(tag=SEARCH_DONE), timeout_seconds=0.3) as check:
        assert check.check(ALICE, PASSWORD) is PasswordVerdict.UNAVAILABLE


POLICY, EXPIRED_389 = "1.3.6.1.4.1.42.2.27.8.5.1", "2.16.840.1.113730.3.4.4"


@pytest.mark.parametrize(
    ("told", "verdict"),
    [
        ({POLICY: "30 00"}, PasswordVerdict.RIGHT),
        ({POLICY: ""}, PasswordVerdict.RIGHT),
        ({POLICY: None}, PasswordVerdict.RIGHT),
        ({POLICY: "30 06 A0 04 80 02 0E 10"}, PasswordVerdict.RIGHT),  # timeBeforeExpiration
        ({POLICY: "30 05 A0 03 81 01 02"}, PasswordVerdict.EXPIRED),  # graceAuthNsRemaining
        ({POLICY: "30 05 A0 03 81 01 00"}, PasswordVerdict.EXPIRED),  # this was the last one
        ({POLICY: "30 03 81 01 02"}, PasswordVerdict.MUST_CHANGE),  # changeAfterReset
        ({POLICY: "30 08 A0 03 81 01 02 81 01 02"}, PasswordVerdict.MUST_CHANGE),
        ({POLICY: "30 03 81 01 00"}, PasswordVerdict.EXPIRED),  # passwordExpired
        ({POLICY: "30 03 81 01 01"}, PasswordVerdict.LOCKED),  # accountLocked
        ({EXPIRED_389: "30"}, PasswordVerdict.MUST_CHANGE),
        ({EXPIRED_389: None}, PasswordVerdict.MUST_CHANGE),
        ({POLICY: "30 00", EXPIRED_389: "30"}, PasswordVerdict.MUST_CHANGE),
        ({EXPIRED_389: "30", POLICY: "30 05 A0 03 81 01 02"}, PasswordVerdict.EXPIRED),
        ({"2.16.840.1.113730.3.4.5": "33 36 30 30"}, PasswordVerdict.RIGHT),  # 389's: will expire in 3600 s
    ],
)
def test_draft_behera_6_2_a_bind_that_succeeds_may_be_good_for_a_change_of_the_password_only(
    certificates, told, verdict
):
    controls = {oid: None if value is None else bytes.fromhex(value) for oid, value in told.items()}
    server = Answering(controls=controls)
    with checking(certificates, server) as check:
        assert [check.check(ALICE, PASSWORD) for _ in range(2)] == [verdict, verdict]
        server.code = INVALID_CREDENTIALS
        assert check.check(ALICE, PASSWORD) is PasswordVerdict.WRONG
    assert server.connections == 1
    # it was asked for, and a server that does not know it may go on
    assert all(POLICY.encode() in octets and b"\x01\x01\xff" not in octets for octets in server.binds)


@pytest.mark.parametrize(
    "value",
    [
        "30",
        "31 00",
        "30 01 00",
        "30 00 00",
        "30 80",
        "30 03 A0 01 81",
        "30 05 A0 03 82 01 01",
        "30 02 81 00",
        "30 02 A0 00",
        "30 84 FF FF FF FF",
    ],
)
def test_what_cannot_be_read_of_a_password_policy_is_not_right(certificates, value):
    with checking(certificates, Answering(controls={POLICY: bytes.fromhex(value)})) as check:
        assert check.check(ALICE, PASSWORD) is PasswordVerdict.UNAVAILABLE


def test_a_connection_is_used_again_after_a_verdict(certificates):
    server = Answering()
    with checking(certificates, server) as check:
        for code in (SUCCESS, INVALID_CREDENTIALS, INVALID_CREDENTIALS, SUCCESS):
            server.code = code
            right = check.check(ALICE, PASSWORD) is PasswordVerdict.RIGHT
            assert right == (code == SUCCESS)
    assert (server.connections, len(server.binds)) == (1, 4)


def test_a_connection_that_the_server_has_closed_meanwhile_costs_nobody_a_login(certificates):
    server = Answering()
    serving = server.serve

    def once(connection):
        connection.settimeout(0.2)  # an idle limit: AD's is 15 minutes
        serving(connection)

    server.serve = once
    with checking(certificates, server) as check:
        assert check.check(ALICE, PASSWORD) is PasswordVerdict.RIGHT
        time.sleep(0.4)
        assert check.check(ALICE, PASSWORD) is PasswordVerdict.RIGHT
    assert (server.connections, len(server.binds)) == (2, 2)


def test_at_most_eight_passwords_are_asked_about_at_a_time(certificates):
    server = Answering()
    server.hold.clear()
    with checking(certificates, server) as check, ThreadPoolExecutor(12) as threads:
        asked = [threads.submit(check.check, ALICE, PASSWORD) for _ in range(12)]
        deadline = time.monotonic() + 4.0
        while server.waiting < 8 and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.1)  # for a ninth, if there were one
        server.hold.set()
        assert {verdict.result() for verdict in asked} == {PasswordVerdict.RIGHT}
    assert server.most_waiting == 8
    assert server.connections == 8


def test_who_waits_too_long_for_a_turn_learns_nothing(certificates):
    server = Answering()
    server.hold.clear()
    with checking(certificates, server, timeout_seconds=0.3) as check, ThreadPoolExecutor(40) as threads:
        verdicts = [threads.submit(check.check, ALICE, PASSWORD) for _ in range(40)]
        assert {verdict.result() for verdict in verdicts} == {PasswordVerdict.UNAVAILABLE}
        server.hold.set()
    # forty in eights would be five rounds; nobody waits for the third
    assert len(server.binds) < 24


def test_no_password_is_logged(certificates, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    for server in (Answering(), Answering(INVALID_CREDENTIALS), Answering(None), Answering(53), None):
        with checking(certificates, server) as check:
            check.check(ALICE, PASSWORD)
    assert PASSWORD not in caplog.text + "".join(capfd.readouterr())
