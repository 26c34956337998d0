"""A step in words says where it looks, and shows no whole address."""

import pytest

from auth.facts import Field
from auth.steps import CheckCode, CheckPassword, Part, SendCode
from auth.tokens import Usable
from auth.why.described import described
from core.logins import PHONE
from schema.words import TokenKind

VIP = Usable(TokenKind.VIP, credentials=("VSST12345678",))


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (CheckPassword(Part(Field.PASSWORD)), "check password: the password field"),
        (CheckPassword(Part(Field.PASSWORD, None, -6)), "check password: the password field to -6"),
        (CheckCode(VIP, Part(Field.CODE, 4, 10)), "check code: vip to VSST12345678, the code field from 4 to 10"),
        (SendCode(Usable(TokenKind.SMS, phone=PHONE)), "send code: sms to +43***67, 0"),
    ],
)
def test_a_step_is_told_with_the_part_of_the_field_that_it_means(step, words):
    assert described(step) == words
