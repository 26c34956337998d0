"""What is wrong with the files that config.ini names is said by `check config`, and keeps `serve` from starting."""

import errno
import os
import pty
import re
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from typer.testing import CliRunner

from auth.app import shown_tls
from auth.cli.main import app
from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.config import read_config
from auth.demo.certificates import Authority, CertificateFolder
from auth.ports import REMEDIES
from auth.preflight import needed_to_serve, needed_to_start
from rig.ports import LOOPBACK
from rig.process import NO_RIGHTS

BASIS = """\
[service]
state_directory = state

[directory]
kind = ldif
file = directory.ldif

[radius]
host = 127.0.0.1
port = 0

"""
HTTP_LINE = BASIS.count("\n") + 1
WRONG = {
    "no certificate": ("certificate = none.pem\nprivate_key = server.pem", r"certificate .*none\.pem cannot be read"),
    "no key": ("certificate = server.pem\nprivate_key = none.key", r"private_key .*none\.key cannot be read"),
    "a folder": ("certificate = server.pem\nprivate_key = .", r"private_key .* cannot be read: Is a directory"),
    "no PEM": ("certificate = directory.ldif\nprivate_key = server.pem", r"cannot be used: "),
    "another's key": ("certificate = server.pem\nprivate_key = other.pem", "do not belong together"),
    "no key inside": ("certificate = ca.pem", "cannot be used"),
    "an encrypted key": ("certificate = server.pem\nprivate_key = encrypted.key", r"encrypted\.key is encrypted"),
    "a key alone": ("private_key = server.pem", "private_key stands without certificate"),
    "one that has ended": ("certificate = ended.pem", r"certificate .*ended\.pem ended on \d{4}-\d\d-\d\d"),
    "one for later": ("certificate = later.pem", r"certificate .*later\.pem is good from \d{4}-\d\d-\d\d on only"),
    "clear text": ("host = 0.0.0.0", r"host 0\.0\.0\.0 would carry passwords in clear text"),
    "a name": ("host = localhost", "host localhost is no IP address"),
}
SMS = "[sms:a]\nurl = https://localhost/?to={phone}&text={text}\nsuccess_status = 200\nca_file = none.pem\n"
AUDIT = "[audit]\nsyslog = tls://siem\nsyslog_ca_file = none.pem\n"
VIP = "[vip]\ncertificate = none.p12\npassword = env:VIP_PASSWORD\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with a server's files, good and bad ones."""
    path = tmp_path_factory.mktemp("preflight")
    CertificateFolder(path).make(datetime.now(UTC), SYSTEM_ENTROPY)
    other = CertificateFolder(path / "other")
    other.make(datetime.now(UTC), SYSTEM_ENTROPY)
    (path / "other.pem").write_bytes(other.server.read_bytes())
    key = load_pem_private_key((path / "server.pem").read_bytes(), None)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"of the test"))
    (path / "encrypted.key").write_bytes(pem)
    for name, days in (("ended.pem", -100), ("later.pem", 9)):
        authority = Authority.make("Another time", datetime.now(UTC) + timedelta(days=days))  # lives 90 days
        (path / name).write_bytes(authority.server().pem())
    (path / "directory.ldif").write_text("version: 1\n")
    return path


def write(folder: Path, text: str) -> Path:
    file = folder / "config.ini"
    file.write_text(BASIS + text)
    return file


def checked(file: Path) -> tuple[int, str]:
    """Exit status of `check config`, and what it wrote."""
    result = CliRunner().invoke(app, ["check", "config", "--config", str(file)], env={"VIP_PASSWORD": "of the test"})
    return result.exit_code, result.stdout + result.stderr


def served(file: Path) -> tuple[int, str]:
    """Exit status of `serve`, as a user without rights, and what it wrote; at a terminal, so that it could ask."""
    ours, its = pty.openpty()
    command = [*NO_RIGHTS, sys.executable, "-m", "auth", "serve", "--config", str(file)]
    try:
        done = subprocess.run(
            command, stdin=its, capture_output=True, text=True, timeout=20, check=False, start_new_session=True
        )
    finally:
        os.close(ours)
        os.close(its)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("what", WRONG)
def test_what_keeps_the_http_door_closed_is_found_with_section_and_line(folder, what):
    text, problem = WRONG[what]
    file = write(folder, f"[http]\n{text}\n")
    status, said = checked(file)
    assert status == 2
    assert re.match(rf"{re.escape(str(file))}:{HTTP_LINE}: \[http\]: .*{problem}.*\n    \S", said), said
    assert said.count("\n    ") == 1, "one mistake is one problem"


@pytest.mark.parametrize("what", ["no certificate", "an encrypted key", "one that has ended", "clear text"])
def test_serve_says_the_same_asks_nobody_and_ends_before_anything_listens(folder, what):
    file = write(folder, f"[http]\n{WRONG[what][0]}\n")
    assert served(file) == checked(file)
    assert not (folder / "state").exists()


@pytest.mark.parametrize(
    "text", ["certificate = server.pem", "certificate = server.pem\nprivate_key = server.pem\nhost = 0.0.0.0", ""]
)
def test_good_files_are_no_problem(folder, text):
    assert checked(write(folder, f"[http]\n{text}\n"))[0] == 0


def test_a_closed_door_needs_no_files(folder):
    assert checked(write(folder, "[http]\nenabled = no\ncertificate = none.pem\n"))[0] == 0


def test_wrong_keys_and_wrong_files_are_said_together_in_the_order_of_their_lines(folder):
    text = f"[http]\ncertificate = none.pem\nprot = 1\n{SMS}{VIP}{AUDIT}"
    file = write(folder, text)
    status, said = checked(file)
    assert status == 2
    assert re.findall(r"(?m)^.*?config\.ini:(\d+): (.*?): ", said) == [
        (str(HTTP_LINE), "[http]"),
        (str(HTTP_LINE + 2), "[http] prot"),
        (str(HTTP_LINE + 3), "[sms:a]"),
        (str(HTTP_LINE + 7), "[vip]"),
        (str(HTTP_LINE + 10), "[audit]"),
    ]


def test_the_certificates_of_both_doors_are_to_be_good_now(folder):
    http = "[http]\ncertificate = later.pem\nprivate_key = other.pem\n"
    text = f"{http}[radsec]\ncertificate = ended.pem\nclient_ca_file = ca.pem\n"
    status, said = checked(write(folder, text))
    assert status == 2
    assert re.findall(r"(?m)^.*?config\.ini:(\d+): \[(\w+)\]: certificate \S+ (\w+)", said) == [
        (str(HTTP_LINE), "http", "and"),  # its key do not belong together
        (str(HTTP_LINE), "http", "is"),
        (str(HTTP_LINE + 3), "radsec", "ended"),
    ]


async def test_one_that_has_ended_keeps_a_running_service_from_nothing(folder):
    """Not from reading config.ini again, and no worker from beginning anew: it is told by the watch over it."""
    settings = read_config(write(folder, "[http]\ncertificate = ended.pem\n"))
    assert await needed_to_serve(settings, SYSTEM_CLOCK, SYSTEM_ENTROPY) == ()
    assert await needed_to_start(settings, SYSTEM_CLOCK, SYSTEM_ENTROPY) != ()
    assert shown_tls(settings, SYSTEM_CLOCK)["http"].days < 0


@pytest.mark.skipif(
    int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 1, reason="any user may take port 1 here"
)
def test_a_port_that_needs_a_right_one_that_is_taken_and_a_key_of_another_s_are_said_at_once(folder):
    """Each with what helps, and nothing was begun."""
    key = folder / "unreadable.key"
    key.write_bytes((folder / "server.pem").read_bytes())
    key.chmod(0)
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        text = f"[http]\ncertificate = server.pem\nprivate_key = unreadable.key\nport = {port}\n"
        file = write(folder, text)
        file.write_text(file.read_text().replace("port = 0", "port = 1"))
        status, said = served(file)
    assert status == 2
    problems = re.findall(r"(?m)^.*?config\.ini:\d+: (\[.*?\]): (.*)\n    (\S.*)$", said)
    assert sorted(problems) == [
        ("[http]", f"cannot listen on TCP {LOOPBACK} port {port}: Address already in use", REMEDIES[errno.EADDRINUSE]),
        (
            "[http]",
            f"private_key {key} cannot be read: Permission denied",
            "give a PEM file that the service's user may read",
        ),
        ("[radius]", f"cannot listen on UDP {LOOPBACK} port 1: Permission denied", REMEDIES[errno.EACCES]),
    ]
    assert not (folder / "state").exists()
