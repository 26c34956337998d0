"""FreeRADIUS's radclient: each protocol that it speaks, and its own retransmits."""

import pytest

from rig.radclient import radclient_with

pytestmark = pytest.mark.servers


def request(visitor, typed, *more):
    return [f'User-Name = "{visitor.uid}"', f'User-Password = "{typed}"', *more]


def test_pap_opens_in_two_steps(house):
    visitor = house.visitor()
    with house.network("strict") as relay:
        challenge = radclient_with(relay.port, house.secret_file, request(visitor, visitor.password))
        assert challenge.code == "Challenge"
        code = house.code(visitor)
        accept = radclient_with(relay.port, house.secret_file, request(visitor, code, f"State = {challenge.state}"))
    assert accept.code == "Accept"
    assert accept.said == {"Filter-Id": "staff", "Class": "0x" + b"OU=vpn-staff;".hex()}
