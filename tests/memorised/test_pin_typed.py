"""What is typed where a PIN is wanted is read in every way that it can be meant, and in no other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.memorised.pin_typed import first_right, readings, twice_the_same
from schema.secret import Secret

digits = st.text(alphabet="0123456789", min_size=4, max_size=32)
few_digits = st.text(alphabet="12", max_size=30)
code_lengths = st.lists(st.integers(6, 10), max_size=3, unique=True).map(tuple)


def plainly(reading):
    return reading.pin.text, reading.code_length, reading.new.text if reading.new else None


@given(pin=digits, new=digits, lengths=code_lengths, code=st.text(alphabet="0123456789", min_size=10, max_size=10))
def test_a_pin_with_its_code_and_with_a_new_one_behind_it_is_among_the_readings(pin, new, lengths, code):
    for length in lengths or (0,):
        typed = pin + code[:length]
        assert (pin, length, None) in map(plainly, readings(Secret(typed), lengths))
        assert (pin, length, new) in map(plainly, readings(Secret(typed + new + new), lengths))


@given(few_digits, code_lengths)
def test_every_reading_accounts_for_all_that_was_typed(text, lengths):
    for reading in readings(Secret(text), lengths):
        assert reading.pin.text
        assert reading.code_length in (lengths or (0,))
        rest = text[len(reading.pin.text) + reading.code_length :]
        assert text.startswith(reading.pin.text)
        assert rest == (reading.new.text * 2 if reading.new else "")
        assert reading.new is None or reading.new.text


def test_what_was_typed_is_read_as_pin_and_code_before_a_new_pin_is_looked_for():
    found = [plainly(reading) for reading in readings(Secret("24 68-5555"), (4,))]
    assert found == [("2468", 4, None), ("24", 4, "5")]


def test_a_long_text_of_one_digit_is_not_read_in_hundreds_of_ways():
    assert len(list(readings(Secret("1" * 1000), (6,)))) <= 33


@pytest.mark.parametrize(("text", "pin"), [("97539753", "9753"), ("9753 9753", "9753"), ("97539754", None), ("", None)])
def test_a_new_pin_is_typed_twice(text, pin):
    found = twice_the_same(Secret(text))
    assert (found.text if found else None) == pin


def test_of_the_readings_the_first_whose_pin_is_right_counts():
    def found():
        return readings(Secret("24685555"), (4, 2))

    assert plainly(first_right(found(), lambda pin: pin.text == "246855")) == ("246855", 2, None)
    assert plainly(first_right(found(), lambda pin: bool(pin.text))) == ("2468", 4, None)
    assert first_right(found(), lambda pin: pin.text == "1") is None
