"""What an outcome was decided from is kept so that it can be decided again, without any secret, and not for ever."""

import sqlite3
import threading
import time
from contextlib import closing, contextmanager
from datetime import timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from auth.addresses import masked, phone_number
from auth.decision import decide
from auth.facts import Evidence, Typed, typed
from auth.reason import Reason
from auth.spend.numbers import NumberRules, NumberType
from auth.tokens import usable_tokens
from auth.vip.credential import shown
from auth.why.described import described
from auth.why.journal import JournalFile, opened_journal, read_events
from auth.why.packing import Packer, unpacked
from auth.why.record import Event, JournalUnavailable, Moment
from auth.why.redact import redacted_evidence, redacted_node, redacted_person, stand_in
from core.logins import NOW, PHONE, REACH, facts, link, node, person, policy
from core.test_decision_laws import any_evidence, any_facts, instants
from schema.entry import User
from schema.errors import Malformed
from schema.secret import Secret
from schema.words import TokenKind

SECRETS = {
    "pin": "digest-of-a-pin",
    "secrets": ("sealed-seed",),
    "temporary_response": "digest-of-a-response",
    "malformed": (Malformed("dirfactorPhone", "0664 0000067 and more", "a number"),),
}
WAIT = 0.2  # seconds
GIVEN = Evidence(typed_password=Typed.GIVEN)


def event(*moments, at=NOW, correlation="0123456789abcdef", login=""):
    return Event(at, correlation, login, "vpn", "refused", Reason.NO_TOKEN, moments)


def moment(known, evidence=GIVEN, now=NOW):
    return Moment(known, evidence, now, decide(known, evidence, now).step)


def kept(*moments):
    packed = Packer().pack(event(*moments))
    return unpacked(packed.value, packed.parts.__getitem__)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "journal.sqlite"


@pytest.fixture
def journal(file):
    with closing(JournalFile(file, 30)) as opened:
        yield opened


def parts(file):
    with closing(sqlite3.connect(file)) as db:
        return db.execute("SELECT count(*) FROM part").fetchone()[0]


@given(any_facts, any_evidence, instants)
def test_what_is_kept_is_decided_again_in_the_same_way(known, evidence, now):
    told = moment(known, evidence, now)
    [again] = kept(told).moments
    assert again.step == described(told.step)
    decided = decide(again.facts, again.evidence, again.now)
    assert described(decided.step) == described(told.step)
    assert [item.check for item in decided.trace] == [item.check for item in decide(known, evidence, now).trace]


def test_no_secret_is_in_what_is_kept():
    asking = node(shared_secret="sealed-shared-secret", api_key_hash="digest-of-a-key")
    packed = Packer().pack(event(moment(facts(person(link(policy()), phone=PHONE, **SECRETS), asking))))
    octets = packed.value + b"".join(packed.parts.values())
    assert b"VSST12345678" in octets
    hidden = ("digest-of-a-pin", "sealed-seed", "digest-of-a-response", "sealed-shared-secret", "digest-of-a-key")
    for secret in (*hidden, PHONE[1:], PHONE[4:], "0000067"):
        assert secret.encode() not in octets, secret


def test_that_there_is_a_secret_is_kept():
    bare = redacted_person(person(**SECRETS), "AT", NumberRules()).user
    assert (bool(bare.pin), len(bare.secrets), bool(bare.temporary_response)) == (True, 1, True)
    bare = redacted_person(person(), "AT", NumberRules()).user
    assert (bare.pin, bare.secrets, bare.temporary_response) == (None, (), None)


numbers = st.sampled_from(
    ["+436640000067", "0664 0000067", "+44 7700 900123", "+1 202 555 0123", "+358 40 1234567", "+4930123456", "none"]
) | st.from_regex(r"\+[1-9][0-9]{6,13}", fullmatch=True)


def test_of_a_telephone_that_vip_sends_to_no_more_is_kept_than_is_shown():
    given = ("VSST12345678", "voice:+436640000067", "sms:436641111167", "sms:436640000068", "sms:43664", "user:alice")
    bare = redacted_person(person(vip_credentials=given), "AT", NumberRules()).user.vip_credentials
    for digits in ("64000006", "64111116", "43664"):
        assert digits not in " ".join(bare)
    assert [shown(each) for each in sorted(bare)] == [shown(each) for each in sorted(given)]
    assert [len(each) for each in bare] == [len(each) for each in given]


def test_what_is_clear_of_a_sealed_value_is_kept_and_its_body_is_not():
    """A decision reads from it until when a temporary response is good."""
    value = "df1:response:k1:20261124T115900.000000Z:20261124T125900.000000Z:single:c2VjcmV0"
    bare = redacted_person(
        person(temporary_response=value, secrets=("df1:seed:k1:totp:c2VjcmV0",)), "AT", NumberRules()
    )
    assert bare.user.temporary_response == value.replace("c2VjcmV0", "AAAA")
    assert bare.user.secrets == ("df1:seed:k1:totp:AAAA",)


rules = st.builds(
    NumberRules,
    st.sampled_from([None, ("AT", "GB"), ("+43664", "+1202", "+4930"), ()]),
    st.sampled_from([frozenset(), frozenset({NumberType.UNKNOWN, NumberType.PREMIUM}), frozenset(NumberType)]),
)


@given(numbers, rules)
def test_a_stand_in_looks_like_the_number_when_it_is_masked_and_may_be_texted_as_it(text, wanted):
    number, other = phone_number(text, "AT"), stand_in(text, "AT", wanted)
    if number is None or other == "#":
        assert phone_number(other, "AT") is None
    else:
        assert phone_number(other, "DE") == other, "whatever the region is when it is read again"
        assert masked(other) == masked(number)
        assert wanted.refusal(other) == wanted.refusal(number)
        assert len(set(other[-6:-2])) == 1, "the digits before the last two are of no number"


@pytest.mark.parametrize(
    "text", ["+436640000067", "0664 0000067", "+44 7700 900123", "+1 202 555 0123", "+358 401234567"]
)
def test_a_number_as_people_have_it_has_a_stand_in(text):
    assert stand_in(text, "AT", NumberRules(("AT", "GB"), frozenset({NumberType.UNKNOWN}))) != "#"


@given(numbers, rules)
def test_the_same_tokens_are_usable_for_the_same_reasons(number, wanted):
    somebody = person(phone=number, texts=(), tokens=(TokenKind.SMS,))
    reach = replace(REACH, numbers=wanted)
    bare = redacted_person(somebody, "AT", wanted)
    assume(bare.user.phone != "#" or phone_number(number, "AT") is None)
    before, after = (
        [(type(one), one.kind, getattr(one, "why", "")) for one in usable_tokens(each.user, policy(), "AT", reach)]
        for each in (somebody, bare)
    )
    assert before == after


def test_every_field_of_a_user_or_node_is_kept_or_left_out_for_a_reason():
    """Whoever adds a field says here what becomes of it."""
    somebody = person(phone=PHONE, **SECRETS)
    bare = redacted_person(somebody, "AT", NumberRules()).user
    changed = {name for name in User.__struct_fields__ if getattr(bare, name) != getattr(somebody.user, name)}
    assert changed == {"phone", "texts", "pin", "secrets", "temporary_response", "malformed"}
    asking = node(shared_secret="a", shared_secret_name="b", api_key_hash="c")
    left_out = redacted_node(asking).node
    fields = type(asking.node).__struct_fields__
    assert {name for name in fields if getattr(asking.node, name) != getattr(left_out, name)} == {
        "shared_secret",
        "api_key_hash",
    }


def test_what_is_the_same_in_many_events_is_there_once(journal, file):
    known = facts()
    for number in range(5):
        journal.keep(event(moment(known), moment(known), correlation=str(number)))
    assert parts(file) == 3, "node, person, and what config.ini says"
    journal.keep(event(moment(facts(person(link(policy(priority=5))))), correlation="other"))
    assert parts(file) == 4


def test_the_next_process_stores_what_is_the_same_once_more_under_the_same_digest(journal, file):
    known = facts(at=node(members=frozenset(bytes([number]) * 16 for number in range(9))))
    journal.keep(event(moment(known)))
    with closing(JournalFile(file, 30)) as other:
        other.keep(
            event(moment(replace(known, node=replace(known.node, members=frozenset(sorted(known.node.members))))))
        )
    assert parts(file) == 3


def test_an_event_is_found_by_its_id_and_by_that_of_the_login_that_it_belongs_to(journal, file):
    journal.keep(event(correlation="first"))
    journal.keep(event(correlation="second", login="first"))
    journal.keep(event(correlation="other"))
    assert [item.correlation for item in read_events(file, "first")] == ["first", "second"]
    assert [item.correlation for item in read_events(file, "second")] == ["second"]
    assert read_events(file, "") == ()


def test_the_file_is_for_its_owner_only(journal, file):
    journal.keep(event(moment(facts())))
    assert {each.stat().st_mode & 0o777 for each in file.parent.iterdir()} == {0o600}


def test_what_is_older_than_it_may_be_goes_and_what_it_was_decided_from(journal, file):
    journal.keep(event(moment(facts()), correlation="old"))
    later = NOW + timedelta(days=30, seconds=1)
    journal.keep(event(correlation="new", at=later))
    assert read_events(file, "old") == (), "without anybody purging"
    assert len(read_events(file, "new")) == 1
    for days in (61, 61):
        journal.purge(NOW + timedelta(days=days))
    assert (read_events(file, "new"), parts(file)) == ((), 0)


def test_a_part_that_is_needed_day_after_day_stays(journal, file):
    known = facts()
    for day in range(100):
        journal.keep(event(moment(known), at=NOW + timedelta(days=day), correlation=f"day {day}"))
        journal.purge(NOW + timedelta(days=day))
    assert all(read_events(file, f"day {day}") for day in range(71, 100))
    assert not read_events(file, "day 60")


def test_a_file_that_cannot_be_used_is_said_and_used_again_once_it_is_mended(journal, file):
    file.write_bytes(b"no database, and long enough to be read as one" * 100)
    with pytest.raises(JournalUnavailable, match="not a database"):
        journal.keep(event())
    file.unlink()
    journal.keep(event())
    assert len(read_events(file, "0123456789abcdef")) == 1


def test_while_another_process_holds_the_file_only_the_first_event_waits_for_it(journal, file):
    journal.keep(event())
    for _ in range(2):  # it is waited for again when it was got in between
        with held(file):
            assert waited(journal) > WAIT / 2
            assert sum(waited(journal) for _ in range(10)) < WAIT
        journal.keep(event(correlation="after"))
    assert len(read_events(file, "after")) == 2


def test_who_finds_the_file_held_for_a_moment_only_waits_and_keeps_the_event(journal, file):
    with held(file):
        waited(journal)
    journal.keep(event())
    with held(file) as other:
        free = threading.Timer(WAIT / 4, other.execute, ["ROLLBACK"])
        free.start()
        journal.keep(event(correlation="patient"))
        free.join()
    assert len(read_events(file, "patient")) == 1


@contextmanager
def held(file):
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


def waited(journal):
    """For how many seconds an event waits that is not kept."""
    begun = time.monotonic()
    with pytest.raises(JournalUnavailable, match="locked"):
        journal.keep(event())
    return time.monotonic() - begun


def test_a_file_of_another_layout_is_left_alone(journal, file):
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(JournalUnavailable, match="another version"):
        journal.keep(event())


def test_what_cannot_be_written_down_is_said_without_its_text(journal):
    with pytest.raises(JournalUnavailable, match="Error") as raised:
        journal.keep(event(replace(moment(facts()), evidence=object())))
    assert "object" not in raised.value.problem


def test_who_keeps_nothing_any_more_has_nothing_left(journal, file):
    journal.keep(event(moment(facts())))
    journal.close()
    with closing(opened_journal(file, 0)) as none:
        none.keep(event())
        none.purge(NOW)
    assert list(file.parent.iterdir()) == []


@given(st.text("abc0123456789", max_size=30))
def test_how_long_a_password_is_is_not_kept_and_what_may_be_a_code_at_its_ends_is(text):
    one = redacted_evidence(Evidence(typed_password=typed(Secret(text)), pin_length=4))
    kept, was = one.typed_password, typed(Secret(text))
    assert one.pin_length == 0
    assert (kept.given, kept.only_digits) == (was.given, was.only_digits)
    if was.given and not was.only_digits:
        assert kept.length <= 21
        assert kept.length == kept.leading_digits + kept.trailing_digits + 1
        assert (kept.leading_digits, kept.trailing_digits) == (
            min(was.leading_digits, 10),
            min(was.trailing_digits, 10),
        )
