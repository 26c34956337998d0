"""The systemd unit, as systemd itself reads it."""

import errno
import json
import re
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from auth.cli.main import app
from auth.ports import REMEDIES

UNIT = Path(__file__).parents[2] / "packaging/systemd/dirfactor.service"
PAGE = Path(__file__).parents[2] / "docs/service.md"


def setting(name):
    return re.findall(rf"(?m)^{name}=(.*)$", UNIT.read_text())


def test_it_starts_a_command_that_there_is():
    [command] = setting("ExecStart")
    program, *words = command.split()
    assert program == "/usr/bin/dirfactor"
    assert words == ["serve", "--config", "/etc/dirfactor/config.ini"]
    assert CliRunner().invoke(app, ["serve", "--help"]).exit_code == 0


def test_whoever_takes_a_port_below_1024_is_told_of_all_that_the_unit_has_against_it():
    """A capability is worth nothing over the host's ports in a user namespace of one's own (user_namespaces(7))."""
    given = dict(re.findall(r"(?m)^  ([A-Z][a-z]\w+)=(.*)$", PAGE.read_text()))
    right = "CAP_NET_BIND_SERVICE"
    assert given == {"CapabilityBoundingSet": right, "AmbientCapabilities": right, "PrivateUsers": "no"}
    assert [setting(name) for name in given] == [[""], [], ["yes"]]
    comment = "".join(line for line in UNIT.read_text().splitlines() if line.startswith("# A port below 1024"))
    for told in (REMEDIES[errno.EACCES], comment):
        assert "AmbientCapabilities=" in told
        assert "PrivateUsers=no" in told


@pytest.mark.servers
def test_systemd_finds_nothing_wrong_with_it(tmp_path):
    """With a program that is there: on this machine nothing need be installed."""
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/usr/bin/dirfactor", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if "dirfactor" in line]
    assert (done.returncode, ours) == (0, [])


@pytest.mark.servers
def test_systemd_calls_it_well_confined(tmp_path):
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text())
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=20", "--json=short", unit],
        capture_output=True,
        text=True,
        check=False,
    )
    exposed = [row["name"] for row in json.loads(done.stdout) if not row["set"] and float(row["exposure"] or 0) >= 0.2]
    assert (done.returncode, done.stderr) == (0, ""), exposed
