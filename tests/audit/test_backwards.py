"""Reading from the end gives the lines of the file from the last to the first, however the blocks fall."""

from hypothesis import given
from hypothesis import strategies as st

from auth.audit import backwards

LINES = st.lists(st.binary(max_size=9).map(lambda octets: octets.replace(b"\n", b".") + b"\n"), max_size=8)


@given(
    lines=LINES, rest=st.binary(max_size=9).map(lambda octets: octets.replace(b"\n", b".")), block=st.integers(1, 12)
)
def test_lines_come_from_the_last_to_the_first_with_their_places(tmp_path_factory, lines, rest, block):
    file = tmp_path_factory.getbasetemp() / "lines"
    file.write_bytes(b"".join(lines) + rest)
    whole, backwards._BLOCK = backwards._BLOCK, block
    try:
        found = list(backwards.lines_backwards(file))
    finally:
        backwards._BLOCK = whole
    assert [line for _, line in found] == lines[::-1]
    octets = file.read_bytes()
    assert all(octets[place : place + len(line)] == line for place, line in found)


@given(lines=LINES, block=st.integers(1, 12), letter=st.sampled_from(b"abc"))
def test_what_is_passed_over_has_nothing_that_was_asked_for(tmp_path_factory, lines, block, letter):
    file = tmp_path_factory.getbasetemp() / "lines"
    file.write_bytes(b"".join(lines))
    whole, backwards._BLOCK = backwards._BLOCK, block
    try:
        found = [line for _, line in backwards.lines_backwards(file, lambda octets: letter in octets)]
    finally:
        backwards._BLOCK = whole
    assert [line for line in found if letter in line] == [line for line in lines[::-1] if letter in line]
