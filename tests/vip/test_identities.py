"""Which certificate is shown: files are read again when they change, and the next one takes over once it is proven."""

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from auth.clock import Clock
from auth.demo.certificates import Authority
from auth.vip.identities import CertificateState, Identities
from auth.vip.settings import CertificateFile, VipSettings
from auth.vip.watch import CertificateWatch, days
from schema.errors import Fault
from schema.secret import Secret

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
PASSWORD = Secret("a password of the test")
FIRST_ENDS, NEXT_ENDS = NOW + timedelta(days=20), NOW + timedelta(days=80)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.make("Test Authority", NOW)


@pytest.fixture
def put(tmp_path, authority):
    """Put a certificate that ends then where the first or the next one lies."""

    def write(name: str, ends: datetime) -> CertificateFile:
        path = tmp_path / name
        beside = tmp_path / "beside"
        beside.write_bytes(authority.client("Test Account", ends).pkcs12(PASSWORD))
        beside.rename(path)
        return CertificateFile(path, PASSWORD)

    return write


@pytest.fixture
def identities(put) -> Identities:
    return Identities(VipSettings(put("first", FIRST_ENDS), next_certificate=put("next", NEXT_ENDS), hand_over_days=14))


def shown(identities: Identities, now: datetime) -> list[bool]:
    return [state.shown for state in identities.states(now)]


def test_the_next_one_waits_until_its_days_have_come(identities):
    assert identities.due(FIRST_ENDS - timedelta(days=14, seconds=1)) is None
    assert identities.due(FIRST_ENDS - timedelta(days=14)).expires == NEXT_ENDS


def test_it_is_shown_only_once_it_is_proven(identities):
    late = FIRST_ENDS - timedelta(days=1)
    assert shown(identities, late) == [True, False]
    identities.prove(identities.due(late))
    assert shown(identities, late) == [False, True]
    assert identities.due(late) is None


def test_when_the_first_one_has_ended_there_is_nothing_to_lose(identities):
    assert identities.due(FIRST_ENDS) is None
    assert identities.current(FIRST_ENDS).expires == NEXT_ENDS
    assert [bool(state.problem) for state in identities.states(FIRST_ENDS)] == [True, False]


def test_when_both_have_ended_the_first_ones_fault_is_told(identities, caplog):
    with pytest.raises(Fault, match=r"first expired"):
        identities.current(NEXT_ENDS)
    assert "next expired" in caplog.text


def test_a_renewed_first_one_is_shown_again(identities, put):
    late = FIRST_ENDS - timedelta(days=1)
    identities.prove(identities.due(late))
    put("first", NEXT_ENDS + timedelta(days=1))
    assert identities.current(late).expires == NEXT_ENDS + timedelta(days=1)


def test_a_next_one_that_ends_sooner_never_takes_over(identities, put):
    put("next", FIRST_ENDS - timedelta(days=1))
    assert identities.due(FIRST_ENDS - timedelta(days=2)) is None


def test_a_replaced_file_is_taken_up(identities, put):
    assert identities.current(NOW).expires == FIRST_ENDS
    put("first", FIRST_ENDS + timedelta(days=1))
    assert identities.current(NOW).expires == FIRST_ENDS + timedelta(days=1)


def test_an_ended_one_that_is_replaced_is_taken_up(put):
    identities = Identities(VipSettings(put("first", NOW + timedelta(days=1))))
    identities.current(NOW)
    with pytest.raises(Fault, match="expired"):
        identities.current(NOW + timedelta(days=1))
    put("first", NOW + timedelta(days=50))
    assert identities.current(NOW + timedelta(days=1)).expires == NOW + timedelta(days=50)


@pytest.mark.parametrize("spoil", [lambda path: path.write_bytes(b"half of it"), Path.unlink])
def test_what_replaces_it_and_cannot_be_used_leaves_the_old_one_until_that_ends(put, caplog, spoil):
    file = put("first", FIRST_ENDS)
    identities = Identities(VipSettings(file))
    identities.current(NOW)
    spoil(file.path)
    for _ in range(3):
        assert identities.current(NOW).expires == FIRST_ENDS
    assert caplog.text.count("so the old one stays") == 1
    with pytest.raises(Fault):
        identities.current(FIRST_ENDS)


# --- the watch


class Client:
    """Has one certificate, and hands over as it is told."""

    def __init__(self, hand_over=lambda: False):
        self.hands = hand_over

    async def hand_over(self):
        return self.hands()

    def certificates(self):
        return (CertificateState(Path("first"), FIRST_ENDS, shown=True),)


@pytest.fixture
def rings(caplog):
    """What is logged when so many days are left, one look after the other."""

    async def look(*lefts: float) -> list[int]:
        left = iter(lefts)
        now = NOW
        watch = CertificateWatch(Client(), Clock(lambda: now, lambda: 0.0))
        found = []
        for days_left in left:
            now = FIRST_ENDS - timedelta(days=days_left)
            caplog.clear()
            await watch.look()
            found.append(max((record.levelno for record in caplog.records), default=0))
        return found

    return look


async def test_it_rings_when_60_30_and_7_days_are_passed_and_at_the_end_every_day(rings):
    assert await rings(61, 60.5) == [0, 0]
    passed = await rings(59.9, 59, 40, 29.9, 20, 6.9, 6.5, 5.9, 0.5)
    warning, error = logging.WARNING, logging.ERROR
    assert passed == [warning, 0, 0, warning, 0, error, 0, error, error]


async def test_a_hand_over_and_one_that_fails_are_told(caplog):
    clock = Clock(lambda: NOW - timedelta(days=100), lambda: 0.0)
    with caplog.at_level(logging.INFO):
        await CertificateWatch(Client(lambda: True), clock).look()
    assert "is shown from now on" in caplog.text

    def refused():
        raise Fault("VIP does not accept it", remedy="download it again")

    await CertificateWatch(Client(refused), clock).look()
    assert "VIP does not accept it (download it again)" in caplog.text


def test_days_are_whole_days():
    state = CertificateState(Path("x"), FIRST_ENDS, shown=True)
    assert days(state, FIRST_ENDS - timedelta(days=7)) == 7
    assert days(state, FIRST_ENDS - timedelta(days=6, hours=23)) == 6
    assert days(CertificateState(Path("x"), None, shown=False), NOW) is None
