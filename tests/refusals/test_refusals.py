"""Refusals tell nothing: whatever the reason is, the packet is the same. Their times are for `make refusals`."""

import pytest

from auth.demo.service import audit_lines
from clients.house import open_house
from refusals.kinds import UNLIMITED, Refusals, entries
from rig.datagram import ACCESS_REJECT, MESSAGE_AUTHENTICATOR, attributes_of

pytestmark = pytest.mark.servers


def test_their_octets_are_the_same_but_for_identifier_and_proof(tmp_path):
    with open_house(tmp_path, entries=entries(), more_config=UNLIMITED) as house:
        refusals = Refusals(house)
        refusals.lock()
        said, reasons = set(), []
        for reason, make in refusals.kinds().items():
            request = make()
            reply = refusals.ask(request)
            attributes = attributes_of(reply)
            assert (reply[0], reply[1]) == (ACCESS_REJECT, request[1])
            assert attributes[0][0] == MESSAGE_AUTHENTICATOR
            said.add((reply[2:4], tuple(attributes[1:])))
            reasons.append((reason, audit_lines(tmp_path / "state" / "audit.jsonl")[-1]["reason"]))
    assert len(said) == 1
    assert all(wanted == found for wanted, found in reasons), reasons
