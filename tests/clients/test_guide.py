"""The access nodes on the pages are those that the clients are tested with."""

import configparser

import pytest

from clients.house import NODES
from docs.blocks import ROOT, blocks


def node_on(page: str) -> dict[str, str]:
    """The login mode and the demand for Message-Authenticator that a page sets, the defaults where it sets none."""
    text = next(block.text for block in blocks(ROOT / "docs" / "clients" / f"{page}.md") if block.kind == "ini")
    ini = configparser.RawConfigParser()
    ini.optionxform = str
    ini.read_string(text)
    return of(dict(ini[next(name for name in ini.sections() if name.startswith("node:"))]))


def of(settings) -> dict[str, str]:
    proven = settings.get("dirfactorRequireMessageAuthenticator", "TRUE").upper() in {"TRUE", "YES"}
    return {"mode": settings.get("dirfactorLoginMode", "challenge"), "proven": str(proven)}


@pytest.mark.parametrize(
    ("page", "node"),
    [("ocserv", "lenient"), ("openvpn", "reject-then-code"), ("pam", "lenient")],
)
def test_the_node_on_the_page_is_the_one_that_its_client_is_tested_with(page, node):
    assert node_on(page) == of(NODES[node])


def test_strongswans_is_tested_in_two_halves_its_mode_and_that_it_sends_what_is_demanded():
    assert node_on("strongswan") == {"mode": of(NODES["append"])["mode"], "proven": of(NODES["strict"])["proven"]}
