"""What of a run is looked at by the rule, and that a secret in it is seen."""

import base64
import io
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from canary.leavings import leavings
from canary.look import look

REPOSITORY = Path(__file__).parents[2]
PLANTED = "planted-Kettle-7"
OURS = [
    "service.log",
    "deep/down/serve.log",
    "metrics.txt",
    "rsyslog/seen.jsonl",
    "state/state.sqlite",
    "state/state.sqlite-wal",
    "state/replica.sqlite",
    "state/journal.sqlite",
    "state/audit-2026-11-27.jsonl",
    "state/audit.head",
    "state/what-nobody-thought-of",
]
GIVEN = ["config.ini", "radius.secret", "sms.password", "directory.ldif", "certificates/client.p12", "tokens.csv"]
KEYS = ["state/server.key", "state/audit.key", "state/keys.ring"]
FOREIGN = ["front/radiusd.conf", "slapd.log", "slapd/data.mdb", "radiusd.log", "freeradius/what-it-keeps", "server.log"]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not pytest's own, which is looked through when this run ends."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def plant(folder: Path, name: str, octets: bytes = b"before " + PLANTED.encode() + b" behind") -> None:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(octets)


def state(folder: Path) -> None:
    plant(folder, "state/audit.head", b"nothing")


def seen(folder: Path) -> list[str]:
    return list(look([*leavings(folder)], {"the secret": PLANTED}).seen)


@pytest.mark.parametrize("name", OURS)
def test_a_secret_in_what_our_processes_wrote_is_seen_and_not_told(folder, name):
    state(folder)
    assert seen(folder) == []
    plant(folder, name)
    assert seen(folder) == [f"{name}: the secret, plain"]


@pytest.mark.parametrize("name", [*GIVEN, *KEYS, *FOREIGN, "state/config.ini"])
def test_what_was_given_to_them_their_keys_and_what_others_wrote_is_not_looked_at(folder, name):
    state(folder)
    plant(folder, "front/server.key", b"of TLS, which is called like ours")
    plant(folder, name)
    assert seen(folder) == []


def test_an_archive_is_looked_at_inside(folder):
    with tarfile.open(folder / "bundle.tar.gz", "w:gz") as archive:
        octets = base64.b64encode(b"--" + PLANTED.encode())
        member = tarfile.TarInfo("dirfactor/config.ini")
        member.size = len(octets)
        archive.addfile(member, io.BytesIO(octets))
    assert seen(folder) == ["bundle.tar.gz:dirfactor/config.ini: the secret, Base64, 2 before"]


def test_a_core_is_seen_whatever_stands_in_it(folder):
    head = b"\x7fELF\x02\x01\x01" + bytes(9)
    plant(folder, "core.4711", head + b"\x04\x00>\x00")
    plant(folder, "core.so", head + b"\x03\x00>\x00")
    plant(folder, "core.txt", b"of the matter")
    assert seen(folder) == ["core.4711: a core"]


def test_more_files_than_are_looked_at_at_once(folder):
    state(folder)
    for number in range(11):
        plant(folder, f"state/{number:02}", PLANTED.encode() if number % 5 == 0 else b"")
    looked = look([*leavings(folder)], {"the secret": PLANTED}, at_once=4)
    assert looked.files == 12
    assert looked.seen == [f"state/{number:02}: the secret, plain" for number in (0, 5, 10)]


def test_a_file_that_went_away_meanwhile_is_an_error(folder):
    plant(folder, "service.log")
    found = [*leavings(folder)]
    (folder / "service.log").unlink()
    with pytest.raises(OSError, match=r"service\.log"):
        look(found, {"the secret": PLANTED})


INNER = """
import logging
from schema.secret import Secret

def test_passes(tmp_path):
    secret = Secret("inner-" + "Kettle-8")
    (tmp_path / "service.log").write_text("x" + {written} + "x")
    logging.getLogger("dirfactor").warning("about %s", {logged})
"""


@pytest.mark.parametrize(
    ("written", "logged", "told"),
    [
        ("secret.text", "secret", "test_passes0/service.log: test_inner.py::test_passes, secret 1, plain"),
        (
            "str(secret)",
            "secret.text.encode().hex()",
            "test_inner.py::test_passes: Captured log call: test_inner.py::test_passes, secret 1, hex",
        ),
        ("str(secret)", "secret", ""),
    ],
    ids=["in a log of a service", "in what was logged in the test's process", "nowhere"],
)
def test_a_run_whose_tests_pass_fails_if_it_left_a_secret(tmp_path, written, logged, told):
    (tmp_path / "test_inner.py").write_text(INNER.format(written=written, logged=logged))
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "canary.after_all", "-p", "no:cacheprovider"]
    ended = subprocess.run(
        [*command, "--basetemp", str(tmp_path / "inner"), "test_inner.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'tests'}", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    said = ended.stdout + ended.stderr
    assert "1 passed" in said, said
    assert (ended.returncode, told in said) == (1 if told else 0, True), said
    assert f"{1 if told else 0} seen" in said
    assert "Kettle" not in said
    assert b"inner-".hex() not in said
