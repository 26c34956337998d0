"""The timers on the pages about RADIUS clients keep the rule that stands on their first page."""

import re

import pytest
from msgspec.structs import fields

from auth.settings import ServiceSettings
from docs.blocks import ROOT
from schema.entry import AccessNode

PAGES = ROOT / "docs" / "clients"
MARGIN_SECONDS = 2


def numbers(page: str, *patterns: str) -> list[float]:
    """What stands on a page for each of these patterns, each of which is there once."""
    text = (PAGES / f"{page}.md").read_text()
    found = [re.findall(pattern, text, re.MULTILINE) for pattern in patterns]
    assert all(len(values) == 1 for values in found), (page, found)
    return [float(values[0]) for values in found]


def ocserv() -> float:
    seconds, again = numbers("ocserv", r"^radius_timeout (\d+)$", r"^radius_retries (\d+)$")
    return seconds * (again + 1)


def openvpn() -> float:
    seconds, again = numbers("openvpn", r"^\twait=(\d+)$", r"^\tretry=(\d+)$")
    return seconds * (again + 1)


def strongswan() -> float:
    """Each wait is longer than the one before."""
    settings = (rf"retransmit_{name} = ([\d.]+)$" for name in ("timeout", "base", "tries"))
    seconds, base, tries = numbers("strongswan", *settings)
    return sum(seconds * base**number for number in range(int(tries)))


def pam() -> float:
    seconds, again = numbers("pam", r"^192\.0\.2\.20:1812 \.\.\. (\d+)$", r"prompt_attribute retry=(\d+)$")
    return seconds * (again + 1)


def asa() -> float:
    seconds, tries = numbers("cisco-asa", r"^ timeout (\d+)$", r"^ max-failed-attempts (\d+)$")
    return seconds * tries


def palo_alto() -> float:
    seconds, tries = numbers("palo-alto", r"^\| Timeout \| (\d+) \|$", r"^\| Retries \| (\d+) \|$")
    return seconds * tries


def fortigate() -> float:
    return numbers("fortigate", r"set remoteauthtimeout (\d+)$")[0]


def netscaler() -> float:
    return numbers("netscaler", r"-authTimeout (\d+) ")[0]


@pytest.mark.parametrize("waits", [ocserv, openvpn, strongswan, pam, asa, palo_alto, fortigate, netscaler])
def test_the_client_is_still_waiting_when_the_last_gateway_had_its_time(waits):
    assert waits() > ServiceSettings().delivery_seconds + MARGIN_SECONDS


def test_a_client_whose_repeats_are_new_requests_has_asked_for_the_last_time_while_they_join_the_first():
    (joins,) = [each.default for each in fields(AccessNode) if each.name == "coalesce_seconds"]
    assert openvpn() < joins
