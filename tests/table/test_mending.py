"""Each malformed value has the commands that mend it, and nothing in a value can become a command."""

import pytest

from schema.errors import Malformed
from schema.mending import mending
from schema.parse import parse_entry, parse_policy

ALICE = "CN=alice,DC=lab,DC=example"
USER = {"objectclass": (b"user",), "useraccountcontrol": (b"512",), "samaccountname": (b"alice",)}


def mend(attribute, *values, dn=ALICE):
    octets = tuple(value.encode() for value in values)
    read = parse_entry(USER | {attribute.lower(): octets})
    (finding, *_) = read.malformed or parse_policy("staff", {attribute.lower(): octets}).malformed
    return mending(dn, finding)


def test_a_word_that_was_meant_takes_the_place_of_the_wrong_one():
    found = mend("dirfactorToken", "smss", "vip")
    assert found.powershell == (
        f"Set-ADObject -Identity '{ALICE}' -Remove @{{dirfactorToken='smss'}} -Add @{{dirfactorToken='sms'}}"
    )
    assert found.ldif == (
        f"dn: {ALICE}\nchangetype: modify\ndelete: dirfactorToken\ndirfactorToken: smss\n-\n"
        "add: dirfactorToken\ndirfactorToken: sms\n-\n"
    )
    found = mend("dirfactorFirstMethod", "pasword")
    assert found.powershell.endswith(" -Replace @{dirfactorFirstMethod='password'}")
    assert "replace: dirfactorFirstMethod\ndirfactorFirstMethod: password\n" in found.ldif


def test_a_value_that_nothing_is_like_goes_alone():
    found = mend("dirfactorToken", "sms", "carrier pigeon")
    assert found.powershell.endswith(" -Remove @{dirfactorToken='carrier pigeon'}")
    assert "delete: dirfactorToken\ndirfactorToken: carrier pigeon\n-\n" in found.ldif


def test_a_setting_with_one_value_goes_back_to_its_default():
    found = mend("dirfactorCodeLength", "99")
    assert found.powershell.endswith(" -Clear dirfactorCodeLength")
    assert found.ldif.endswith("changetype: modify\ndelete: dirfactorCodeLength\n-\n")


@pytest.mark.parametrize("value", ["'; Remove-ADUser alice; '", "\u2019; Remove-ADUser alice; \u2019", "$(calc) `n"])
def test_no_value_ends_the_quotes_that_it_stands_in(value):
    line = mend("dirfactorToken", value, dn=f"CN={value},DC=lab").powershell
    quotes = "'\u2018\u2019\u201a\u201b"
    bare = line
    for quote in quotes:
        bare = bare.replace(quote * 2, "")
    assert sum(bare.count(quote) for quote in quotes) == 4, "those around the DN and around the value"


def test_ldif_holds_whatever_the_value_is():
    found = mend("dirfactorToken", " ünsafe", dn="CN=Jürgen,DC=lab")
    assert found.ldif.isascii()
    assert "dn:: " in found.ldif


def test_a_secret_is_never_in_a_command():
    assert mending(ALICE, Malformed("dirfactorSecret", "***", "text")) is None
    found = mending(ALICE, Malformed("dirfactorPin", "***", "text"))
    assert "***" not in found.powershell + found.ldif
    assert found.powershell.endswith("-Clear dirfactorPin")


@pytest.mark.parametrize("value", ["x" * 200, "bad\\xff", "two\nlines"])
def test_a_value_that_is_not_shown_as_it_is_is_not_named(value):
    assert mending(ALICE, Malformed("dirfactorToken", value, "one of sms, vip")) is None


def test_what_the_sync_may_not_read_is_mended_by_no_command():
    finding = Malformed("userAccountControl", "no value", "a value that the sync account may read")
    assert mending(ALICE, finding) is None
