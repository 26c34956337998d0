"""From where RADIUS over UDP may come."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.networks import Networks
from auth.settings import PRIVATE_NETWORKS, RadiusSettings
from schema.errors import Fault


@given(address=st.ip_addresses())
def test_what_is_on_the_public_internet_is_in_no_network_of_the_default(address):
    if address.is_global:
        assert not Networks(PRIVATE_NETWORKS).have(str(address))


@pytest.mark.parametrize("address", ["10.1.2.3", "192.168.0.7", "127.0.0.1", "100.64.0.1", "fd00::1", "::1", "fe80::1"])
def test_one_s_own_networks_are(address):
    known = Networks(RadiusSettings().networks)
    assert [known.have(address) for _ in range(2)] == [True, True]


@given(network=st.ip_addresses(v=4), prefix=st.integers(0, 32), address=st.ip_addresses(v=4))
def test_it_is_what_the_prefix_says(network, prefix, address):
    named = ipaddress.ip_network((network, prefix), strict=False)
    assert Networks([str(named)]).have(str(address)) == (address in named)


@pytest.mark.parametrize("text", ["10.0.0.1/8", "everywhere", "10.0.0.0/33"])
def test_what_is_none_is_told_with_what_to_write(text):
    with pytest.raises(Fault, match="networks: ") as told:
        Networks([text])
    assert "10.0.0.0/8" in told.value.remedy


def test_what_is_no_address_is_in_none():
    assert not Networks(["0.0.0.0/0", "::/0"]).have("nobody")
