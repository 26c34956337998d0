"""The log hears of a trouble once a minute, whoever causes it and however often."""

import re

import pytest

from auth.radius.complaints import Complaint, OncePerInterval

DO = frozenset(
    ("add", "check", "find", "give", "let", "make", "put", "report", "return", "set", "type", "update", "use")
)
"""What a remedy begins with."""


def test_a_subject_is_said_once_in_60_seconds():
    said = OncePerInterval()
    assert [said.admit("a", now) for now in (0.0, 0.1, 59.9, 60.0, 60.1, 119.9, 120.0)] == [
        *(True, False, False),
        *(True, False, False),
        True,
    ]


def test_each_cause_and_address_is_a_subject_of_its_own():
    said = OncePerInterval()
    subjects = [(Complaint.NO_PROOF, "192.0.2.7"), (Complaint.NO_PROOF, "192.0.2.8"), (Complaint.BUSY, "192.0.2.7")]
    assert all(said.admit(subject, 0.0) for subject in subjects)
    assert not any(said.admit(subject, 1.0) for subject in subjects)


def test_forged_addresses_can_neither_fill_the_log_nor_the_memory():
    said = OncePerInterval(most_remembered=10)
    assert sum(said.admit(address, 0.0) for address in range(1000)) == 10
    assert len(said._said) == 10
    assert not said.admit("a real one", 59.0)
    assert said.admit("a real one", 60.0)
    assert len(said._said) == 1


def told(complaint):
    return complaint.value.format(address="192.0.2.7", node="vpn1", detail="DETAIL")


def says_what_to_do(line):
    """Whether a clause after the first tells the reader to do something."""
    return any(clause.split()[0].lower() in DO for clause in re.split(r"[:;?] ", line)[1:])


@pytest.mark.parametrize("complaint", Complaint)
def test_every_complaint_can_be_said_and_says_what_to_do(complaint):
    line = told(complaint)
    assert line.startswith("192.0.2.7")
    assert "{" not in line
    assert says_what_to_do(line), line


def test_a_complaint_that_only_complains_is_noticed():
    assert not says_what_to_do("192.0.2.7, access node vpn1: discarded, not a RADIUS packet: Length is 7")
