"""A rotation changes what a value is sealed with and nothing of what it says; a key goes when nothing needs it."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from auth.keys.ring import Key, Ring
from auth.keys.sealing import SealBroken
from auth.keys.shared_secret import sealed_shared_secret, unsealed_shared_secret
from auth.keys.text import key_named_in
from auth.memorised.pin import make_kept, pin_value
from auth.memorised.temporary_response import TemporaryResponse, response_value
from auth.otp.sealed import sealed_token, unsealed_token
from auth.otp.token import SoftwareToken
from auth.rotation.resealing import resealed_seeds, resealed_shared_secret
from auth.rotation.usage import Usage, Use
from dirsync.view import Node, Person
from schema.entry import AccessNode, User
from schema.secret import Secret
from schema.words import TokenKind

NOW = datetime(2026, 11, 26, tzinfo=UTC)
OLD = Ring((Key(b"o" * 32, NOW),))
NEW = OLD.with_new(Key(b"n" * 32, NOW))
ALICE = b"a" * 16
TOKENS = [SoftwareToken(TokenKind.TOTP, "T", b"t" * 20), SoftwareToken(TokenKind.HOTP, "H", b"h" * 20)]


def nonces():
    numbers = itertools.count()
    return lambda: bytes([next(numbers)]) * 12


def seeds(ring, entry=ALICE):
    draw = nonces()
    return tuple(sealed_token(ring, entry, token, draw()) for token in TOKENS)


def person(*secrets):
    return Person(ALICE, "cn=alice", User(secrets=secrets), None, (), ())


def test_seeds_under_an_old_key_are_sealed_anew_and_say_the_same():
    before = seeds(OLD)
    change = resealed_seeds(person(*before, "by hand"), NEW, nonces())
    assert change.removed == tuple(text.encode() for text in before)
    after = [text.decode() for text in change.added]
    assert [unsealed_token(NEW, ALICE, text) for text in after] == TOKENS
    assert {key_named_in(text) for text in after} == {NEW.current.id}
    assert len({text[-20:] for text in after}) == 2


def test_what_is_under_the_current_key_is_left_alone_so_that_a_second_run_does_nothing():
    assert resealed_seeds(person(*seeds(NEW)), NEW, nonces()) is None
    half = (seeds(OLD)[0], seeds(NEW)[1])
    assert resealed_seeds(person(*half), NEW, nonces()).removed == (half[0].encode(),)
    assert resealed_seeds(person("by hand"), NEW, nonces()) is None


def test_a_seed_of_somebody_else_is_never_sealed_anew_for_whom_it_was_copied_to():
    with pytest.raises(SealBroken):
        resealed_seeds(person(*seeds(OLD, b"b" * 16)), NEW, nonces())


def node(ring, entry=ALICE):
    text = sealed_shared_secret(ring, entry, Secret("a shared secret"), b"n" * 12)
    return Node(ALICE, "cn=vpn", AccessNode(name="vpn", shared_secret=text), None, frozenset())


def test_shared_secrets_are_sealed_anew_likewise():
    change = resealed_shared_secret(node(OLD), NEW, nonces())
    (text,) = change.added
    assert unsealed_shared_secret(NEW, ALICE, text.decode()).text == "a shared secret"
    assert resealed_shared_secret(node(NEW), NEW, nonces()) is None


def used(*users, nodes=(), kept=(), now=NOW):
    usage = Usage()
    for user in users:
        usage.add_user(user, now)
    usage.add_nodes(nodes)
    usage.add_changed_pins(kept)
    return usage


def response(ring):
    return response_value(ring, ALICE, Secret("12345678"), TemporaryResponse(NOW, NOW + timedelta(hours=1), False))


@pytest.mark.parametrize(
    ("usage", "use"),
    [
        (used(User(secrets=seeds(OLD)[:1])), Use.SEEDS),
        (used(User(pin=pin_value(OLD, ALICE, Secret("2580")))), Use.PINS),
        (used(User(temporary_response=response(OLD))), Use.RESPONSES),
        (used(nodes=[node(OLD)]), Use.SHARED_SECRETS),
        (used(kept=[make_kept(OLD, ALICE, Secret("2580"), NOW)]), Use.CHANGED_PINS),
    ],
)
def test_a_key_stays_as_long_as_anything_needs_it(usage, use):
    assert usage.of(OLD.current.id) == {use: 1}
    assert usage.unneeded(NEW) == []
    assert usage.missing(NEW) == []
    assert usage.missing(Ring(NEW.keys[1:])) == [OLD.current.id]


def test_a_key_that_nothing_needs_goes_and_the_current_one_stays():
    over = used(User(temporary_response=response(OLD)), now=NOW + timedelta(hours=1))
    for usage in (used(), used(User(secrets=("by hand",), pin="1", temporary_response="2")), over):
        assert usage.unneeded(NEW) == [OLD.current.id]
        assert usage.unneeded(OLD) == []
