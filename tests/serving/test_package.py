"""The Debian package's scripts and what it says of itself; `make deb-test` installs it in an empty system."""

import subprocess
from pathlib import Path

import pytest

DEBIAN = Path(__file__).parents[2] / "packaging/debian"
SCRIPTS = ("build", "try", "postinst", "prerm", "postrm")


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_one_that_a_shell_can_read_and_that_stops_at_the_first_failure(name):
    script = DEBIAN / name
    subprocess.run(["sh", "-n", script], check=True)
    assert script.stat().st_mode & 0o111
    assert "\nset -e" in script.read_text()


def test_who_installs_it_is_told_the_steps_of_the_page_in_their_order():
    """`doctor` fails before there was a sync, and what root runs is not what the service may do."""
    as_service = "sudo -u dirfactor dirfactor"
    steps = (f"{as_service} sync", f"{as_service} doctor", "systemctl enable --now dirfactor")
    page = (DEBIAN.parents[1] / "docs" / "service.md").read_text().partition("## Under systemd")[0]
    for text in (page, (DEBIAN / "postinst").read_text()):
        places = [text.index(step) for step in steps]
        assert places == sorted(places)


def test_what_a_running_service_is_upgraded_to_is_started_without_asking_doctor():
    upgrade = (DEBIAN / "postinst").read_text().partition("is-active")[2].partition("elif")[0]
    assert "systemctl restart dirfactor" in upgrade
    assert "doctor" not in upgrade


def test_only_a_purge_takes_what_was_kept():
    """The key ring and which codes were used cannot be had again."""
    for name in ("postinst", "prerm"):
        assert "/var/lib/dirfactor" not in "".join(
            line for line in (DEBIAN / name).read_text().splitlines() if "rm " in line
        )
    before, _, purge = (DEBIAN / "postrm").read_text().partition('if [ "$1" = purge ]')
    assert "rm -rf" not in before
    assert "rm -rf /var/lib/dirfactor" in purge
