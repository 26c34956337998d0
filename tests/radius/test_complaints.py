"""The log hears of a trouble once a minute, whoever causes it and however often."""

from auth.radius.complaints import Complaint, OncePerInterval


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


def test_every_complaint_can_be_said_and_says_what_to_do():
    for complaint in Complaint:
        line = complaint.value.format(address="192.0.2.7", node="vpn1", detail="DETAIL")
        assert line.startswith("192.0.2.7")
        assert "{" not in line
        assert ": " in line.removeprefix("192.0.2.7, access node vpn1: ")
