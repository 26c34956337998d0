"""A step in words says where it looks, shows no whole address, and not how long a PIN or password is."""

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
        (CheckPassword(Part(Field.PASSWORD, None, -6)), "check password: a part of the password field"),
        (CheckCode(VIP, Part(Field.CODE, 4, 10)), "check code: vip to VSST12345678, a part of the code field"),
        (SendCode(Usable(TokenKind.SMS, phone=PHONE)), "send code: sms to +43***67"),
    ],
)
def test_a_step_is_told_with_the_part_of_the_field_that_it_means(step, words):
    assert described(step) == words
