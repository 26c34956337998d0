"""The first hour, word for word on a fresh domain, ends in a logon by text."""

import pytest

pytestmark = pytest.mark.servers


def test_the_first_hour_followed_word_for_word_ends_in_a_logon(first_hour):
    asked, let_in = [ran for ran in first_hour.ran if "radclient" in ran.command]
    assert "Received Access-Challenge" in asked.output
    assert "Received Access-Accept" in let_in.output
    (explained,) = [ran for ran in first_hour.ran if ran.command.startswith("dirfactor explain")]
    assert explained.status == 0
