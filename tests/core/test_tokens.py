"""Which tokens can be used: assigned, enabled and reachable, and why each of the others is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from auth.facts import Reach
from auth.keys.ring import Key, Ring
from auth.otp.sealed import sealed_token
from auth.otp.token import SoftwareToken
from auth.spend.numbers import NumberRules
from auth.tokens import Unusable, Usable, usable_tokens
from core.logins import ALL_TOKENS, MAIL, NOW, PHONE, REACH, policy, user
from schema.entry import AttributeText
from schema.words import SendMode, TokenKind

SMS, EMAIL, VIP, TOTP, HOTP = TokenKind
RING = Ring((Key(b"k" * 32, NOW),))


def tokens(somebody=None, settings=None, region="AT"):
    return list(usable_tokens(user() if somebody is None else somebody, settings or policy(), region, REACH))


def only(kind, somebody=None, settings=None, region="AT"):
    return next(item for item in tokens(somebody, settings, region) if item.kind is kind)


def seed(kind, serial, digits):
    return sealed_token(RING, b"a" * 16, SoftwareToken(kind, serial, b"s" * 20, digits=digits), b"n" * 12)


def text(attribute, value):
    return AttributeText(attribute, value)


def test_each_usable_token_has_where_it_goes_and_nothing_of_another():
    assert only(SMS) == Usable(SMS, phone=PHONE)
    assert only(EMAIL) == Usable(EMAIL, mail=MAIL)
    assert only(VIP) == Usable(VIP, credentials=("VSST12345678",))


def test_codes_that_we_make_are_as_long_as_the_policy_says():
    assert [only(kind, settings=policy(code_length=9)).code_length for kind in (SMS, EMAIL)] == [9, 9]


def test_a_number_that_gets_no_text_is_unusable_wherever_it_stands_and_says_what_to_do():
    reach = replace(REACH, numbers=NumberRules(places=("DE",)))
    for somebody, home in ((user(), "mobile"), (user(phone=PHONE, texts=()), "dirfactorPhone")):
        found = next(item for item in usable_tokens(somebody, policy(), "AT", reach) if item.kind is SMS)
        assert isinstance(found, Unusable)
        refusal = reach.numbers.refusal(PHONE)
        assert found.why == f"the number in {home} {refusal.problem}: {refusal.remedy}"
        assert "countries of [spend]" in found.why


@pytest.mark.parametrize("kind", [TOTP, HOTP])
def test_software_tokens_have_their_serials_and_the_length_of_their_codes(kind):
    other = HOTP if kind is TOTP else TOTP
    secrets = (seed(kind, "b", 7), seed(kind, "a", 8), seed(other, "c", 6), "written by hand")
    assert only(kind, user(secrets=secrets)) == Usable(kind, serials=("a", "b"), code_length=8)


@pytest.mark.parametrize("kind", [TOTP, HOTP])
def test_a_software_token_whose_key_is_gone_is_unusable_and_the_key_is_named(kind):
    somebody, ours = user(secrets=(seed(kind, "a", 6),)), RING.current.id
    for keys, usable in ((None, True), ({ours}, True), ({"00000000"}, False), ((), False)):
        reach = replace(REACH, keys=None if keys is None else frozenset(keys))
        found = next(item for item in usable_tokens(somebody, policy(), "AT", reach) if item.kind is kind)
        assert isinstance(found, Usable) is usable
        assert usable or f"token a is sealed with key {ours}" in found.why


UNUSABLE = [
    (TOTP, {}, {}, "the user has no seed for it in dirfactorSecret"),
    (HOTP, {}, {}, "the user has no seed for it in dirfactorSecret"),
    (TOTP, {}, {"totp_enabled": False}, "the policy does not enable it (dirfactorTotpEnabled)"),
    (HOTP, {}, {"hotp_enabled": False}, "the policy does not enable it (dirfactorHotpEnabled)"),
    (TOTP, {"tokens": (SMS,)}, {}, "not assigned to the user (dirfactorToken)"),
    (SMS, {"tokens": (VIP,)}, {}, "not assigned to the user (dirfactorToken)"),
    (SMS, {}, {"sms_enabled": False}, "the policy does not enable it (dirfactorSmsEnabled)"),
    (SMS, {"texts": ()}, {}, "the user has no phone number in mobile"),
    (SMS, {}, {"sms_phone_attribute": "pager"}, "the user has no phone number in pager"),
    (SMS, {"texts": (text("mobile", "none"),)}, {}, "mobile does not hold a phone number that can be dialled"),
    (SMS, {"phone": "none"}, {}, "dirfactorPhone does not hold a phone number that can be dialled"),
    (EMAIL, {"tokens": ()}, {}, "not assigned to the user (dirfactorToken)"),
    (EMAIL, {}, {"email_enabled": False}, "the policy does not enable it (dirfactorEmailEnabled)"),
    (EMAIL, {"texts": ()}, {}, "the user has no mail address in mail"),
    (EMAIL, {"texts": (text("mail", "a@b, c@d"),)}, {}, "mail does not hold one mail address"),
    (EMAIL, {"mail_override": "nobody"}, {}, "dirfactorMail does not hold one mail address"),
    (VIP, {"tokens": (SMS,)}, {}, "not assigned to the user (dirfactorToken)"),
    (VIP, {}, {"vip_enabled": False}, "the policy does not enable it (dirfactorVipEnabled)"),
    (VIP, {"vip_credentials": ()}, {}, "the user has no credential in dirfactorVipCredential"),
    (VIP, {"vip_credentials": tuple("ABCDEF")}, {}, "more than 5 credentials in dirfactorVipCredential"),
]


@pytest.mark.parametrize(("kind", "values", "settings", "why"), UNUSABLE)
def test_a_token_that_cannot_be_used_says_which_attribute_stands_in_the_way(kind, values, settings, why):
    assert only(kind, user(**values), policy(**settings)) == Unusable(kind, why)


@pytest.mark.parametrize(("kind", "values", "settings", "why"), UNUSABLE)
def test_one_unusable_token_leaves_the_others_as_they_are(kind, values, settings, why):
    if "tokens" not in values and "texts" not in values:
        others = [item for item in tokens(user(**values), policy(**settings)) if item.kind is not kind]
        assert others == [item for item in tokens() if item.kind is not kind]


def test_the_policy_says_where_the_number_is_and_the_users_own_attribute_overrides_it():
    somebody = user(texts=(text("mobile", "0664 0000001"), text("ipphone", "0664 0000002")))
    assert only(SMS, somebody).phone == "+436640000001"
    assert only(SMS, somebody, policy(sms_phone_attribute="ipPhone")).phone == "+436640000002"
    override = user(texts=somebody.texts, phone="0664 0000003")
    assert only(SMS, override, policy(sms_phone_attribute="ipPhone")).phone == "+436640000003"


def test_a_bad_override_is_not_passed_over_for_the_number_behind_it():
    assert isinstance(only(SMS, user(phone="none")), Unusable)
    assert isinstance(only(EMAIL, user(mail_override="none")), Unusable)


def test_the_policy_says_where_the_mail_address_is_and_the_users_own_attribute_overrides_it():
    somebody = user(texts=(text("mail", "a@example.org"), text("othermailbox", "b@example.org")))
    assert only(EMAIL, somebody).mail == "a@example.org"
    assert only(EMAIL, somebody, policy(email_mail_attribute="otherMailbox")).mail == "b@example.org"
    assert only(EMAIL, user(texts=somebody.texts, mail_override="c@example.org")).mail == "c@example.org"


def test_a_national_number_needs_the_region_of_config_ini():
    somebody = user(texts=(text("mobile", "0664 0000001"),))
    assert isinstance(only(SMS, somebody, region=None), Unusable)


def test_five_credentials_are_usable_and_their_order_is_always_the_same():
    assert only(VIP, user(vip_credentials=("E", "A", "D", "C", "B"))).credentials == ("A", "B", "C", "D", "E")


subsets = st.lists(st.sampled_from(TokenKind), unique=True)


@given(subsets, subsets)
def test_every_kind_of_the_order_is_told_once_in_that_order_and_then_what_is_assigned_outside_it(order, assigned):
    found = tokens(user(tokens=tuple(assigned)), policy(token_order=tuple(order)))
    assert [item.kind for item in found[: len(order)]] == order
    assert {item.kind for item in found[len(order) :]} == set(assigned) - set(order)
    assert {item.why for item in found[len(order) :]} <= {"assigned, but not in the policy's dirfactorTokenOrder"}
    for item in found:
        if isinstance(item, Usable):
            assert item.kind in assigned
            assert item.kind in order


flags = st.booleans()


@given(subsets, flags, flags, flags, st.sampled_from(SendMode), st.sampled_from(SendMode), flags, flags, flags)
def test_a_token_is_usable_only_when_assigned_and_enabled_and_reachable(
    assigned, sms, email, vip, sms_mode, email_mode, phone, mail, credential
):
    somebody = user(
        tokens=tuple(assigned),
        texts=(*[text("mobile", PHONE)] * phone, *[text("mail", MAIL)] * mail),
        vip_credentials=("VSST12345678",) * credential,
    )
    settings = policy(sms_enabled=sms, email_enabled=email, vip_enabled=vip, sms_mode=sms_mode, email_mode=email_mode)
    usable = {item.kind for item in tokens(somebody, settings) if isinstance(item, Usable)}
    assert usable == {
        kind
        for kind, holds in (
            (SMS, sms and phone),
            (EMAIL, email and mail),
            (VIP, vip and credential),
        )
        if holds and kind in assigned
    }


@given(st.sampled_from(ALL_TOKENS), st.text(max_size=20), st.text(max_size=20))
def test_why_a_token_is_unusable_never_quotes_the_number_or_address(kind, number, address):
    somebody = user(texts=(text("mobile", f"x{number}9f31"), text("mail", f"9f31{address} ")))
    found = only(kind, somebody)
    if isinstance(found, Unusable):
        assert "9f31" not in found.why


NOWHERE = "the policy names gateway nowhere, which config.ini does not have"


@pytest.mark.parametrize(
    ("settings", "reach", "kind", "why"),
    [
        ({}, Reach(mail=frozenset({"relay"}), vip=True), SMS, "config.ini has no [sms:...] section"),
        ({}, Reach(sms=frozenset({"gateway"}), vip=True), EMAIL, "config.ini has no [email:...] section"),
        ({}, Reach(sms=frozenset({"gateway"}), mail=frozenset({"relay"})), VIP, "config.ini has no [vip] section"),
        ({"sms_gateways": ("gateway", "nowhere")}, REACH, SMS, NOWHERE),
    ],
)
def test_a_token_that_config_ini_cannot_reach_is_unusable_and_says_what_is_missing(settings, reach, kind, why):
    found = {token.kind: token for token in usable_tokens(user(), policy(**settings), "AT", reach)}
    assert found[kind] == Unusable(kind, why)
