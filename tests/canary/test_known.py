"""What of a run is known to be secret, and by what it is told from what stands somewhere anyway."""

from pathlib import Path
from types import ModuleType

import pytest

from canary.known import LONGEST, Known, noting, recognisable
from schema.secret import Secret


@pytest.mark.parametrize("text", ["Teapot-41", "canary of a shared secret", "8305172946", "wJalrXUtn/K7MDENG"])
def test_what_nobody_writes_by_chance_is_known(text):
    assert recognisable(text)


@pytest.mark.parametrize(
    "text", ["", "513270", "0123456789", "1234567890", "password", "a word or two", "0000000000-0", "Grüß-Gott-99"]
)
def test_what_may_stand_anywhere_is_not(text):
    assert not recognisable(text)


def test_each_secret_of_the_process_is_noted_and_remains_a_secret():
    noted = []
    with noting(noted.append):
        secret = Secret("Kettle-and-pot-7")
        assert f"{secret!r} {secret}" == "*** ***"
        assert secret.matches(Secret(text="Kettle-and-pot-7"))
    Secret("nobody looks any more")
    assert noted == ["Kettle-and-pot-7"] * 2


def test_one_text_is_one_secret_by_who_made_it_first():
    known = Known()
    for maker in ("test_one", "test_two"):
        known.note("Kettle-and-pot-7", maker)
        known.note("513270", maker)
    assert known.named() == {"test_one, secret 1": "Kettle-and-pot-7"}
    assert len(known.passed_over) == 1
    assert "Kettle" not in repr(known)


def test_of_a_long_text_the_beginning_of_its_longest_line_is_known():
    known = Known()
    known.note("-- begin --\n" + "Abc4567890" * 20 + "\n-- end --", "a test")
    assert [*known.by_text] == [("Abc4567890" * 20)[:LONGEST]]


def test_constants_of_the_tests_own_modules_are_known_by_where_they_stand(tmp_path: Path):
    ours, others = ModuleType("ours"), ModuleType("others")
    ours.__file__, others.__file__ = str(tmp_path / "rig" / "ours.py"), "/usr/lib/others.py"
    for module in (ours, others):
        module.ADMIN_PASSWORD, module.PASSWORD_POLICY, module.KEY = "Kettle-and-pot-7", "not-a-Secret-9", b"octets"
    known = Known()
    known.note_constants([ours, others, ModuleType("without a file")], tmp_path)
    assert known.by_text == {"Kettle-and-pot-7": "rig/ours.py, ADMIN_PASSWORD"}
