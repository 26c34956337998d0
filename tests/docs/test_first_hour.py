"""The first hour, word for word on a fresh domain, ends in a logon by text."""

import pytest

from docs.blocks import blocks
from docs.conftest import FIRST_HOUR

pytestmark = pytest.mark.servers


def test_the_first_hour_followed_word_for_word_ends_in_a_logon(first_hour):
    asked, let_in = [ran for ran in first_hour.ran if "radclient" in ran.command]
    assert "Received Access-Challenge" in asked.output
    assert "Received Access-Accept" in let_in.output
    (explained,) = [ran for ran in first_hour.ran if ran.command.startswith("dirfactor explain alice")]
    assert explained.status == 0


def test_nobody_loses_access_on_the_way_to_a_token_for_everybody(first_hour):
    """Carol has none when her group gets its policy, and one before it is demanded of her."""
    (asked,) = [ran for ran in first_hour.ran if "--changes" in ran.command]
    assert asked.status == 0, asked.output
    assert "come to something else" in asked.output
    (page,) = [block for block in blocks(FIRST_HOUR) if "New-ADObject -Type dirfactorSecurityPolicy" in block.text]
    assert "passwordUntilToken" in page.text
    policy, *_ = first_hour.dc.ldapsearch(first_hour.dc.base_dn, "(&(objectClass=dirfactorSecurityPolicy)(cn=staff))")
    assert policy.texts("dirfactorFirstMethod") == ["password"]
    assert policy.texts("dirfactorSecondMethod") == ["token"]
