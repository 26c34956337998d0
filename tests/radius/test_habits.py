"""What access nodes send, and what follows from it: never anything by itself."""

import asyncio
import threading
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.keys import private_file
from auth.radius.attributes import Attribute
from auth.radius.habits import Habits, advice
from auth.radius.habits_file import counting, read_habits
from auth.radius.packet import Code, Packet, Proof
from schema.errors import Fault

TODAY = date(2026, 11, 26)


def request(*attributes):
    return Packet(Code.ACCESS_REQUEST, 1, bytes(16), tuple((number, b"x" * 17) for number in attributes))


def counted(*packets, served=True):
    habits = Habits()
    for packet, proof in packets:
        habits.note("vpn", packet, proof, TODAY, served=served)
    return habits.nodes.get("vpn")


PAP = request(Attribute.USER_NAME, Attribute.USER_PASSWORD)
PROXIED = request(Attribute.USER_NAME, Attribute.USER_PASSWORD, Attribute.PROXY_STATE)


@pytest.mark.parametrize(
    ("packets", "requires", "limits", "setting"),
    [
        ([(PAP, Proof.VALID)] * 3, False, True, "dirfactorRequireMessageAuthenticator: TRUE"),
        ([(PAP, Proof.VALID)] * 3, True, True, ""),
        ([(PAP, Proof.VALID), (PAP, Proof.ABSENT)], False, True, ""),
        ([(PAP, Proof.ABSENT)], False, False, "dirfactorLimitProxyState: TRUE"),
        ([(PROXIED, Proof.ABSENT)], False, False, ""),
        ([(PAP, Proof.ABSENT)], True, True, ""),
        ([(PAP, Proof.BY_TLS)] * 3, False, False, ""),
        ([(PAP, Proof.BY_TLS), (PAP, Proof.VALID)], False, True, "dirfactorRequireMessageAuthenticator: TRUE"),
        ([(PAP, Proof.BY_TLS), (PAP, Proof.ABSENT)], False, False, "dirfactorLimitProxyState: TRUE"),
        ([], False, False, ""),
    ],
)
def test_a_setting_is_advised_where_what_was_sent_would_still_be_answered(packets, requires, limits, setting):
    assert advice("vpn", counted(*packets), requires=requires, limits=limits).setting == setting


def test_what_somebody_forges_is_nobodys_habit():
    assert counted((PAP, Proof.WRONG)) is None


@given(proofs=st.lists(st.sampled_from([Proof.VALID, Proof.ABSENT, Proof.BY_TLS]), min_size=1, max_size=20))
def test_one_request_without_proof_is_enough_to_advise_nothing_stricter_about_it(proofs):
    """What TLS proves says nothing of what a client sends where nothing else would prove it."""
    found = advice("vpn", counted(*((PAP, proof) for proof in proofs)), requires=False, limits=True)
    assert bool(found.setting) == (Proof.VALID in proofs and Proof.ABSENT not in proofs)
    assert (found.counts.packets, found.counts.proven) == (len(proofs), proofs.count(Proof.VALID))
    assert found.counts.by_tls == proofs.count(Proof.BY_TLS)


def test_how_many_requests_lack_what_they_need_is_told_of_those_that_need_it():
    sent = [(PAP, Proof.BY_TLS)] * 5 + [(PAP, Proof.ABSENT), (PAP, Proof.VALID)]
    assert "1 of 2 requests had no" in advice("vpn", counted(*sent), requires=True, limits=True).why
    assert "RADIUS/1.1" in advice("vpn", counted(*sent[:5]), requires=False, limits=False).why


def test_days_are_counted_one_by_one_and_the_last_thirty_are_kept():
    habits = Habits()
    for number in range(40):
        habits.note("vpn", PAP, Proof.VALID, TODAY + timedelta(days=number), served=True)
    found = advice("vpn", habits.nodes["vpn"], requires=True, limits=True)
    assert (found.days, found.since, found.last) == (30, TODAY + timedelta(days=10), TODAY + timedelta(days=39))


def test_protocols_and_what_was_not_answered_are_told_apart():
    chap = Packet(
        Code.ACCESS_REQUEST, 1, bytes(16), ((Attribute.USER_NAME, b"a"), (Attribute.CHAP_PASSWORD, bytes(17)))
    )
    habits = Habits()
    habits.note("vpn", chap, Proof.ABSENT, TODAY, served=False)
    habits.note("vpn", request(Attribute.EAP_MESSAGE), Proof.VALID, TODAY, served=True)
    day = habits.nodes["vpn"].days[TODAY.isoformat()]
    assert (day.packets, day.pap, day.chap, day.eap, day.refused) == (2, 0, 1, 1, 1)


async def test_what_was_written_is_read_and_goes_on(tmp_path):
    file = tmp_path / "radius-clients.json"
    assert read_habits(file) == {}
    async with counting(file) as habits:
        habits.note("vpn", PAP, Proof.VALID, TODAY, served=True)
    again = Habits(read_habits(file))
    again.note("vpn", PAP, Proof.VALID, TODAY, served=True)
    assert again.nodes["vpn"].days[TODAY.isoformat()].packets == 2
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_damaged_file_is_a_fault_with_what_to_do(tmp_path):
    file = tmp_path / "radius-clients.json"
    file.write_text("[]")
    with pytest.raises(Fault, match="is damaged"):
        read_habits(file)


async def test_what_was_counted_is_written_once_in_a_while(tmp_path, monkeypatch):
    file = tmp_path / "radius-clients.json"
    monkeypatch.setattr("auth.radius.habits_file._WRITE_SECONDS", 0.01)
    async with counting(file) as habits:
        habits.note("vpn", PAP, Proof.VALID, TODAY, served=True)
        async with asyncio.timeout(10):
            while not file.exists():
                await asyncio.sleep(0.01)
        assert read_habits(file)["vpn"].days[TODAY.isoformat()].packets == 1


async def test_what_was_counted_since_is_written_at_the_end(tmp_path):
    file = tmp_path / "radius-clients.json"
    async with counting(file) as habits:
        habits.note("vpn", PAP, Proof.VALID, TODAY, served=True)
        assert not file.exists()
    async with counting(file) as habits:
        habits.note("vpn", PAP, Proof.VALID, TODAY, served=True)
    assert read_habits(file)["vpn"].days[TODAY.isoformat()].packets == 2


class SlowDisk:
    """`private_file.replace` on a disk that takes its time for the first file, until `fast` is set."""

    def __init__(self, monkeypatch):
        self.asked, self.fast, self.written = threading.Event(), threading.Event(), threading.Event()
        self.replace = private_file.replace
        monkeypatch.setattr(private_file, "replace", self)
        monkeypatch.setattr("auth.radius.habits_file._WRITE_SECONDS", 0.01)

    def __call__(self, file, octets):
        if not self.asked.is_set():
            self.asked.set()
            self.fast.wait(2)
        self.replace(file, octets)
        self.written.set()


async def until(event):
    async with asyncio.timeout(10):
        while not event.is_set():
            await asyncio.sleep(0.005)


async def test_while_a_disk_takes_its_time_the_event_loop_turns(tmp_path, monkeypatch):
    disk, file = SlowDisk(monkeypatch), tmp_path / "radius-clients.json"
    async with counting(file) as habits:
        habits.note("vpn", PAP, Proof.VALID, TODAY, served=True)
        await until(disk.asked)
        assert not file.exists(), "nobody waited for it"
        disk.fast.set()
        await until(disk.written)
        assert read_habits(file)["vpn"].days[TODAY.isoformat()].packets == 1


async def test_what_is_being_written_at_the_end_does_not_come_after_the_last(tmp_path, monkeypatch):
    disk, file = SlowDisk(monkeypatch), tmp_path / "radius-clients.json"
    async with counting(file) as habits:
        habits.note("vpn", PAP, Proof.VALID, TODAY, served=True)
        await until(disk.asked)
        habits.note("vpn", PAP, Proof.VALID, TODAY, served=True)
        asyncio.get_running_loop().call_later(0.1, disk.fast.set)
    await asyncio.sleep(0.3)
    assert read_habits(file)["vpn"].days[TODAY.isoformat()].packets == 2


async def test_a_damaged_file_costs_counts_and_not_the_service(tmp_path, caplog):
    file = tmp_path / "radius-clients.json"
    file.write_text("[]")
    async with counting(file) as habits:
        habits.note("vpn", PAP, Proof.VALID, TODAY, served=True)
    assert "counted anew" in caplog.text
    assert read_habits(file)["vpn"].days[TODAY.isoformat()].packets == 1


async def test_a_file_that_cannot_be_written_is_said_and_ends_nothing(tmp_path, caplog):
    async with counting(tmp_path / "no folder" / "radius-clients.json") as habits:
        habits.note("vpn", PAP, Proof.VALID, TODAY, served=True)
    assert "is not written down" in caplog.text
