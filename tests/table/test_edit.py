"""Edits by an administrator: what is shown is what is sent, and nothing is lost to somebody who was faster."""

import io
import re
from datetime import UTC, datetime, timedelta

import ldap.dn
from hypothesis import given
from hypothesis import strategies as st

import ldif
from dirsync.admin.edit import Edit, Replacement, Values, applied, as_ldif, instant, replaced
from dirsync.admin.filters import equal
from dirsync.admin.found import Found
from dirsync.admin.tokens import assigning, enrolling, removing, removing_software
from schema import grammar
from schema.dn import fold, rdn, split
from schema.words import TokenKind

TEXTS = st.text(min_size=1, max_size=12)
ALICE = Found("cn=alice,dc=lab", {"dirfactortoken": (b"SMS", b"vip"), "dirfactorvipcredential": (b"VSST1", b"VSMT2")})


def sent(text):
    """The modifications as python-ldap reads the record."""
    records = ldif.LDIFRecordList(io.StringIO(text))
    records.parse_change_records()
    (record,) = records.all_modify_changes
    return record[:2]


@given(st.lists(st.binary(min_size=1, max_size=8), min_size=1, max_size=3, unique=True), st.binary(min_size=1))
def test_the_ldif_names_the_values_that_go_and_those_that_come(before, after):
    found = Found("cn=ü,dc=lab", {"description": tuple(before)})
    edit = Edit(found.dn, (Values("description", tuple(before), (after,)),))
    assert sent(as_ldif(edit)) == ("cn=ü,dc=lab", [(1, "description", before), (0, "description", [after])])
    assert applied(found, edit).attributes == {"description": (after,)}


def test_what_is_as_it_should_be_is_no_change():
    found = Found("cn=x", {"mail": (b"a",)})
    assert replaced(found, "mail", b"a") == ()
    assert as_ldif(Edit("cn=x", ())) == ""
    assert replaced(found, "mail") == (Values("mail", (b"a",), ()),)


def test_a_secret_is_replaced_without_being_known():
    edit = Edit("cn=x", (Replacement("dirfactorPin", (b"new",)), Replacement("dirfactorSecret")))
    assert sent(as_ldif(edit)) == ("cn=x", [(2, "dirfactorPin", [b"new"]), (2, "dirfactorSecret", None)])
    found = Found("cn=x", {"dirfactorsecret": (b"a", b"b")})
    assert applied(found, edit).attributes == {"dirfactorpin": (b"new",)}


@given(st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2099, 1, 1)))  # noqa: DTZ001 - UTC is added
def test_an_instant_is_written_so_that_nothing_before_it_comes_after_it(at):
    now = at.replace(tzinfo=UTC)
    written = grammar.TIME.read(instant(now).decode())
    assert timedelta(0) <= written - now < timedelta(seconds=1)


def test_seeds_come_beside_those_that_are_there_and_the_token_with_the_first():
    new = Values("dirfactorSecret", (), (b"one", b"two"))
    kinds = {"one": TokenKind.TOTP, "two": TokenKind.TOTP}
    assert enrolling(ALICE, kinds) == (Values("dirfactorToken", (), (b"totp",)), new)
    assert enrolling(Found("cn=x", {"dirfactortoken": (b"TOTP",)}), kinds) == (new,)
    assert enrolling(ALICE, {}) == ()


def test_a_software_token_goes_with_its_last_seed_and_seeds_that_cannot_be_read_go_with_the_last_token():
    both = Found("cn=x", {"dirfactortoken": (b"totp", b"HOTP", b"sms")})
    token, seed = Values("dirfactorToken", (b"totp",)), Values("dirfactorSecret", (b"one",))
    assert removing_software(both, TokenKind.TOTP, ["one"], last=True) == (token, seed)
    assert removing_software(both, TokenKind.TOTP, ["one"], last=False) == (seed,)
    assert removing_software(both, TokenKind.TOTP, [], last=True) == (token,), "hotp may have seeds"
    one = Found("cn=x", {"dirfactortoken": (b"totp", b"sms")})
    assert removing_software(one, TokenKind.TOTP, [], last=True) == (token, Replacement("dirfactorSecret"))
    assert removing_software(ALICE, TokenKind.TOTP, [], last=True) == ()


def test_a_token_is_added_once_and_taken_as_it_is_written():
    assert assigning(ALICE, TokenKind.SMS) == ()
    assert assigning(ALICE, TokenKind.VIP, ["vsst1", "VSST9"]) == (Values("dirfactorVipCredential", (), (b"VSST9",)),)
    assert removing(ALICE, TokenKind.SMS) == (Values("dirfactorToken", (b"SMS",)),)
    assert removing(ALICE, TokenKind.EMAIL) == ()


def test_a_vip_token_goes_with_its_last_credential():
    assert removing(ALICE, TokenKind.VIP, ["vsst1"]) == (Values("dirfactorVipCredential", (b"VSST1",)),)
    both = Values("dirfactorToken", (b"vip",)), Values("dirfactorVipCredential", (b"VSST1", b"VSMT2"))
    assert removing(ALICE, TokenKind.VIP) == both
    assert removing(ALICE, TokenKind.VIP, ["VSST1", "VSMT2"]) == both


@given(TEXTS)
def test_no_value_changes_the_meaning_of_a_filter(value):
    written = equal("cn", value)
    inside = written.removeprefix("(cn=").removesuffix(")")
    assert not set(inside) & set("()*&|!=<>~:\x00 ")
    octets = re.sub(rb"\\([0-9a-f]{2})", lambda match: bytes.fromhex(match[1].decode()), inside.encode())
    assert octets.decode() == value


@given(TEXTS)
def test_an_rdn_is_one_whatever_the_name(value):
    dn = f"{rdn('cn', value)},dc=lab"
    first, above = split(dn)
    assert above == "dc=lab"
    ((pair,), *_) = ldap.dn.str2dn(dn)
    assert pair[1] == value
    assert fold(first) == fold(rdn("CN", value))
