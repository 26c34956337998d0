"""[admin:NAME] sections: what is wrong with one is told with what helps, and what is right opens what it says."""

import pytest

from auth.config import ConfigFault, read_config
from auth.http.api import Routes, operations
from auth.http.operation import Access
from docs.blocks import ROOT

HASH, OTHER = "a1" * 32, "b2" * 32
NODE = f"[node:portal]\ndirfactorNodeType = http\ndirfactorApiKeyHash = {OTHER.upper()}\ndirfactorMember = everyone\n"


def read(folder, text):
    (folder / "directory.ldif").touch()
    file = folder / "config.ini"
    file.write_text(f"[directory]\nkind = ldif\nfile = directory.ldif\n{NODE}{text}")
    return read_config(file, {})


def test_a_section_says_who_may_what(tmp_path):
    settings = read(tmp_path, f"[admin:desk]\napi_key_hash = {HASH.upper()}\nroles = helpdesk, operator\n")
    assert settings.administrators["desk"].roles == ("helpdesk", "operator")


WRONG = {
    "the key itself": (f"api_key_hash = {'k' * 64}\nroles = monitor", "is no SHA-256"),
    "too short": ("api_key_hash = a1b2\nroles = monitor", "is no SHA-256"),
    "that of a node": (f"api_key_hash = {OTHER}\nroles = monitor", r"is that of \[node:portal\] as well"),
    "another role": (f"api_key_hash = {HASH}\nroles = monitor, operater", "there is no role operater .*operator"),
    "no role": (f"api_key_hash = {HASH}\nroles =", "has no value"),
    "no roles": (f"api_key_hash = {HASH}", "roles: is missing"),
    "no key": ("roles = monitor", "api_key_hash: is missing"),
    "something else": (f"api_key_hash = {HASH}\nroles = monitor\nrole = x", "unknown key"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_with_one_is_told(tmp_path, what):
    text, problem = WRONG[what]
    with pytest.raises(ConfigFault, match=problem) as raised:
        read(tmp_path, f"[admin:desk]\n{text}\n")
    assert {found.where.partition("]")[0] for found in raised.value.problems} == {"[admin:desk"}


def test_two_have_no_key_in_common(tmp_path):
    one = f"api_key_hash = {HASH}\nroles = monitor\n"
    with pytest.raises(ConfigFault, match=r"is that of \[admin:desk\] as well"):
        read(tmp_path, f"[admin:desk]\n{one}[admin:other]\n{one.replace('a1', 'A1')}")


class Anything:
    """Stands behind a door whose routes are only listed."""

    def __getattr__(self, _):
        return Anything()


def test_every_route_is_on_the_page():
    anything = Anything()
    routes = Routes(*[anything] * 7, tally=anything)
    page = (ROOT / "docs" / "http.md").read_text()
    for operation in operations(routes):
        named = operation.path if operation.access is Access.NODE else f"{operation.method} {operation.path}"
        assert named in page
