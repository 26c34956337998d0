"""What counts as a loss of the second factor: the last token to ask anything of, and the PIN in front of its code."""

import pytest

from auth.keys.ring import Key, Ring
from auth.otp.sealed import sealed_token
from auth.otp.token import SoftwareToken
from auth.weakening import loss_under
from core.logins import NOW
from dirsync.view import Person, PolicyLink
from schema.entry import Policy, User
from schema.words import Method, TokenKind

RING = Ring((Key(b"k" * 32, NOW),))
ALICE = b"a" * 16
LOSS = loss_under(None)


def person(*tokens, **values):
    return Person(ALICE, "cn=alice", User(tokens=tokens, **values), None, (), ())


def seed(kind):
    return sealed_token(RING, ALICE, SoftwareToken(kind, kind, b"s" * 20), b"n" * 12)


@pytest.mark.parametrize("kind", [TokenKind.TOTP, TokenKind.HOTP])
def test_seeds_that_are_wiped_are_a_loss_like_the_token_itself(kind):
    before = person(kind, secrets=(seed(kind),))
    assert LOSS(before, person(kind)) == f"loses {kind} and has no token left"
    assert LOSS(before, person(secrets=before.user.secrets)) == f"loses {kind} and has no token left"
    assert LOSS(before, before) is None


def test_a_seed_of_another_kind_makes_no_token_and_another_token_is_no_loss():
    both = person(TokenKind.TOTP, TokenKind.HOTP, secrets=(seed(TokenKind.TOTP), seed(TokenKind.HOTP)))
    assert LOSS(both, person(TokenKind.TOTP, TokenKind.HOTP, secrets=(seed(TokenKind.HOTP),))) is None
    assert LOSS(both, person(TokenKind.TOTP, secrets=(seed(TokenKind.HOTP),))) is not None
    assert LOSS(person(TokenKind.SMS), person(TokenKind.SMS)) is None


@pytest.mark.parametrize(
    ("second", "loses"),
    [
        (Method.TOKEN, "is no longer asked for PIN"),
        (Method.PASSWORD_UNTIL_TOKEN, "is no longer asked for PIN"),
        (Method.PIN, None),
        (Method.NONE, None),
    ],
)
def test_a_pin_in_front_of_the_code_is_lost_where_a_code_is_asked_for(second, loses):
    before, after = (governed(second, pin_with_token=asks) for asks in (True, False))
    assert LOSS(before, after) == loses
    assert LOSS(after, before) is None


def governed(second, **values):
    demanded = Policy(name="p", first_method=Method.PASSWORD, second_method=second, **values)
    assigned = PolicyLink(b"p" * 16, "cn=p", demanded)
    return Person(ALICE, "cn=alice", User(tokens=(TokenKind.SMS,)), assigned, (), ())
