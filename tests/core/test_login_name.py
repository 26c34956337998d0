"""What a client may write as login name, and whom it may stand for."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.login_name import names_meant
from schema.entry import User
from schema.parse import fold, names_of
from schema.words import UserIdAttribute

ANY = UserIdAttribute.ANY
ALICE = User(sam="Alice", upn="alice@lab.example", mail="Alice.Smith@example.org", login_name="asmith")


def meant(text, attribute=ANY, netbios_name="LAB"):
    return set(names_meant(text, attribute, {fold(netbios_name): ""} if netbios_name else {}).names)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("alice", {("sam", "alice"), ("loginName", "alice")}),
        ("  ALICE\t".replace("\t", " "), {("sam", "alice"), ("loginName", "alice")}),
        ("LAB\\alice", {("sam", "alice")}),
        ("lab\\Alice", {("sam", "alice")}),
        ("Alice@Lab.Example", {(kind, "alice@lab.example") for kind in ("upn", "mail", "loginName")}),
        ("OTHER\\alice", set()),
        ("LAB\\", set()),
        ("LAB\\ ", set()),
        ("\\alice", set()),
        ("LAB/alice", {("sam", "lab/alice"), ("loginName", "lab/alice")}),
    ],
)
def test_a_name_stands_for(text, expected):
    assert meant(text) == expected


@pytest.mark.parametrize(
    ("attribute", "kinds"),
    [
        (UserIdAttribute.SAM, {"alice": {"sam"}, "LAB\\alice": {"sam"}, "alice@lab.example": set()}),
        (UserIdAttribute.UPN, {"alice": set(), "LAB\\alice": set(), "alice@lab.example": {"upn"}}),
        (UserIdAttribute.MAIL, {"alice": set(), "LAB\\alice": set(), "alice@lab.example": {"mail"}}),
        (
            UserIdAttribute.LOGIN_NAME,
            {"alice": {"loginName"}, "LAB\\alice": set(), "alice@lab.example": {"loginName"}},
        ),
    ],
)
def test_the_nodes_user_id_attribute_narrows_it(attribute, kinds):
    for text, expected in kinds.items():
        assert {kind for kind, _ in meant(text, attribute)} == expected, text


def test_every_user_id_attribute_is_known():
    assert all(meant("alice", attribute) or meant("alice@lab.example", attribute) for attribute in UserIdAttribute)


def test_without_the_domains_short_name_a_name_with_a_domain_is_nobody():
    assert meant("LAB\\alice", netbios_name=None) == set()


@pytest.mark.parametrize(
    "text", ["", " ", "\u00a0", "\u2003", "al\0ice", "\0alice", "alice\0", "al\nice", "alice\x1b[2J", "\tal", "a" * 254]
)
def test_a_name_that_nobody_can_have_stands_for_nobody(text):
    assert meant(text) == set()


def test_the_longest_name_that_radius_carries_is_looked_up():
    assert len(meant("a" * 253)) == 2


@pytest.mark.parametrize(
    "text", ["alice", "ALICE", "LAB\\alice", "alice@LAB.example", "alice.smith@EXAMPLE.ORG", "ASMITH"]
)
def test_every_way_to_write_a_user_leads_to_a_name_under_which_the_replica_has_them(text):
    assert meant(text) & set(names_of(ALICE))


@pytest.mark.parametrize(
    ("typed", "in_the_directory"),
    [
        ("mu\u0308ller", "M\u00fcller"),
        ("M\u00dcLLER", "mu\u0308ller"),
        ("\uff41\uff4c\uff49\uff43\uff45", "Alice"),
        ("\uff2c\uff21\uff22\uff3calice", "Alice"),
        ("STRASSE", "stra\u00dfe"),
        ("o\ufb03ce", "OFFICE"),
        ("\u212angstrom", "kngstrom"),
        ("anna\u00a0 maria", "Anna Maria"),
    ],
    ids=["decomposed", "composed", "full width", "full width with domain", "sharp s", "ligature", "kelvin", "spaces"],
)
def test_the_ways_in_which_unicode_writes_the_same_name_are_one_name(typed, in_the_directory):
    assert meant(typed) & set(names_of(User(sam=in_the_directory)))


def test_an_address_typed_with_a_full_width_at_sign_is_an_address():
    assert meant("alice\uff20lab.example") == meant("alice@lab.example")


@pytest.mark.parametrize(
    ("typed", "in_the_directory"), [("muller", "M\u00fcller"), ("\u0430lice", "alice"), ("al ice", "alice")]
)
def test_names_that_only_look_alike_stay_two_names(typed, in_the_directory):
    assert not meant(typed) & set(names_of(User(sam=in_the_directory)))


awkward = (
    st.text(alphabet=string.ascii_letters + '*()\\\0/,+"<>;=#@ \u00df\u0130\u212a\u00e9\n', max_size=12) | st.text()
)


@given(awkward, st.sampled_from(UserIdAttribute), st.sampled_from([None, "LAB", "", "a"]))
def test_any_text_at_all_gives_names_as_the_replica_folds_them_and_no_error(text, attribute, netbios_name):
    for kind, name in names_meant(text, attribute, {fold(netbios_name): ""} if netbios_name else {}).names:
        assert kind in {"sam", "upn", "mail", "loginName"}
        assert name
        assert name in {fold(text), fold(fold(text).partition("\\")[2])}, (
            "nothing is escaped, cut or filtered on the way"
        )
        assert fold(name) == name


@given(st.text(alphabet=string.ascii_letters + string.digits + ".-_", min_size=1, max_size=20))
def test_case_and_surrounding_space_never_matter(name):
    assert meant(name) == meant(name.upper()) == meant(f" {name.lower()} ")


@given(awkward)
def test_a_name_with_a_domain_is_never_a_mail_address_principal_or_login_name(text):
    assert {kind for kind, _ in meant(f"LAB\\{text}")} <= {"sam"}
