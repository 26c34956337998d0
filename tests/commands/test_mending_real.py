"""The commands that `check values` prints mend what it has found, in the directories that have it."""

import pytest

from commands.servers import ODD_RDN
from schema.errors import Malformed
from schema.mending import mending

pytestmark = pytest.mark.servers


def test_the_ldif_mends_the_value_and_leaves_the_others(lab):
    dn = lab.add_person("alice", ODD_RDN)
    lab.run("token", "assign", "alice", "sms")
    lab.tools.modify(
        f"dn: {dn}\nchangetype: modify\nadd: dirfactorToken\ndirfactorToken: pigeon\ndirfactorToken: vipp\n"
    )
    shown = lab.run("user", "show", "alice", "--json").data["malformed"]
    assert sorted(item["value"] for item in shown) == ["pigeon", "vipp"]
    for item in shown:
        lab.tools.modify(mending(dn, Malformed(**item)).ldif)
    assert lab.texts(dn, "dirfactorToken") == ["sms", "vip"]
    assert lab.run("user", "show", "alice", "--json").data["malformed"] == []


def test_a_setting_goes_back_to_its_default(lab):
    dn = lab.add_policy("staff", dirfactorLogonHours="always")
    (item,) = lab.run("policy", "show", "staff", "--json").data["malformed"]
    lab.tools.modify(mending(dn, Malformed(**item)).ldif)
    assert lab.run("policy", "show", "staff", "--json").data["malformed"] == []
