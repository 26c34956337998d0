"""What we are made of is locked, let pass for a reason, and built the same everywhere; each threat has its test."""

import json
import os
import re
import subprocess
import sys

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from supply.advisories import told
from supply.allowed import allowed
from supply.bill import differs
from supply.installed import strangers
from supply.locks import BESIDE, LOCKS, ROOT, amiss, lock, parsed, problems
from supply.verdict import NOT_ASKED, NOT_WELL, WELL, Verdict, verdict
from supply.wheel import ELSEWHERE, HERE, built

ONE, TWO = "1" * 64, "2" * 64
SOUND = f"""\
httpx==0.28.1 \\
    --hash=sha256:{ONE} \\
    --hash=sha256:{TWO}
    # via dirfactor (pyproject.toml)
idna==3.20 ; python_full_version < '3.15' \\
    --hash=sha256:{ONE}
    # via
    #   -c packaging/lock/develop.txt
    #   httpx
"""
PINS = parsed(SOUND)[0]
WANTED = [Requirement("httpx>=0.28,<1")]


def asks(package):
    return {"httpx": frozenset({"idna"})}.get(package.name)


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_digests_for_everything_and_what_pyproject_wants_and_nothing_else(name):
    assert amiss(name) == []


def test_every_lock_is_looked_at_and_each_group_has_one():
    assert {file.stem for file in (ROOT / "packaging" / "lock").iterdir()} == LOCKS.keys()


def test_what_runs_is_tested_in_the_versions_in_which_it_runs():
    def files(name):
        return {
            (each.name, each.version, each.marker, each.digests) for pinned in lock(name).values() for each in pinned
        }

    assert files("run") <= files("develop")


@pytest.mark.parametrize("beside", BESIDE)
def test_what_is_installed_beside_leaves_the_versions_that_are_tested(beside):
    developed = {name: {each.version for each in pinned} for name, pinned in lock("develop").items()}
    found = {name: {each.version for each in pinned} for name, pinned in lock(beside).items()}
    assert {name: versions for name, versions in found.items() if developed.get(name, versions) != versions} == {}


def test_nothing_is_amiss_with_a_sound_lock():
    assert problems(SOUND, WANTED, asks) == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (f" \\\n    --hash=sha256:{ONE}\n    # via\n", "\n    # via\n", "idna has no digest"),
        (f"sha256:{TWO}", "md5:" + "2" * 32, "pins nothing"),
        ("httpx==0.28.1", "httpx>=0.28.1", "'httpx>=0.28.1 \\\\' pins nothing"),
        ("httpx==0.28.1", "httpx==0.*", "pins nothing"),
        ("httpx==0.28.1", "httpx @ https://example.org/httpx.whl", "pins nothing"),
        ("httpx==", "-e .\nhttpx==", "'-e .' pins nothing"),
        ("httpx==", "--extra-index-url https://example.org/simple\nhttpx==", "pins nothing"),
        (f"{TWO}\n", f"{TWO}\n    --config-settings=x\n", "pins nothing"),
        ("httpx==0.28.1", "httpx==0.27.0", "httpx<1,>=0.28 is in a version that pyproject.toml does not allow"),
        ("httpx", "httpy", "httpx<1,>=0.28 is not there"),
        ("via dirfactor (pyproject.toml)", "via nobody", "httpx is wanted by nobody"),
        ("    #   httpx\n", "", "idna is wanted by nobody"),
        ("idna", "left-pad", "left-pad is wanted by nobody"),  # it says who wants it, and who is said to does not
        ("    #   httpx\n", "    #   dirfactor (pyproject.toml)\n", "idna is wanted by nobody"),
        ("idna==3.20 ; python_full_version < '3.15'", "httpx==0.28.2", "httpx is there twice"),
    ],
)
def test_what_is_amiss_with_a_lock_is_found(old, new, problem):
    assert old in SOUND
    assert [found for found in problems(SOUND.replace(old, new), WANTED, asks) if problem in found]


def test_packages_that_want_each_other_and_nobody_else_does_are_found():
    ring = f"a==1 \\\n    --hash=sha256:{ONE}\n    # via b\nb==1 \\\n    --hash=sha256:{ONE}\n    # via a\n"
    assert problems(SOUND + ring, WANTED, asks) == [f"{each} is wanted by nobody: make lock" for each in "ab"]


def test_what_is_installed_and_in_no_lock_or_in_another_version_is_named():
    here = {"httpx": Version("0.28.1"), "idna": Version("3.20"), "dirfactor": Version("1"), "pip": Version("1")}
    assert strangers(here, PINS) == []
    assert strangers(here | {"idna": Version("3.19"), "left-pad": Version("1")}, PINS) == [
        "idna 3.19 is installed here, and locked is 3.20",
        "left-pad 1 is installed here, and no lock names it",
    ]


def test_everything_that_is_let_pass_has_its_reason():
    assert [each for each in allowed(ROOT) if not each.reason] == []


SETTINGS = '[tool.ruff.lint]\nselect = ["ALL"]\n'


def let_pass(folder, code="", settings=""):
    (folder / "pyproject.toml").write_text(SETTINGS + settings)
    (folder / "some").mkdir()
    (folder / "some" / "code.py").write_text(code)
    return {(each.where, each.rule): each.reason for each in allowed(folder)}


def test_whatever_lets_a_line_pass_is_found_and_needs_a_reason_in_its_one_form(tmp_path):
    comments = [
        "# noqa: S307",
        "# noqa:S307",
        "#noqa: S307",
        "# NOQA: S307 - shouted",
        "# noqa: S307 text",
        "# noqa: S307 -",
        "# noqa: E501 S307 - why",
        "# noqa",
        "# noqa - why",
        "# ruff: ignore[S307]",
        "",
    ]
    found = let_pass(tmp_path, "".join(f'a = eval("1")  {comment}\n' for comment in comments))
    assert found == {(f"some/code.py:{number}", "S307"): "" for number in range(1, len(comments) + 1)}


def test_whatever_lets_a_file_pass_is_found(tmp_path):
    for number, comment in enumerate(["ruff: noqa: S307", "ruff: noqa", "flake8: noqa", "ruff: disable[S307]"]):
        (tmp_path / f"{number}.py").write_text(f'# {comment} - why\na = eval("1")\n')
    assert let_pass(tmp_path) == {(f"{number}.py:2", "S307"): "" for number in range(4)}


def test_a_reason_is_told_for_the_rules_before_it_and_text_that_only_looks_like_it_lets_nothing_pass(tmp_path):
    code = 'a = eval("1")  # noqa: E501, S307 - the reason\nb = "# noqa: S105"\n'
    assert let_pass(tmp_path, code) == {("some/code.py:1", "S307"): "the reason"}


@pytest.mark.parametrize(
    ("settings", "where", "rule"),
    [
        ('ignore = ["S"]', "everywhere", "S"),
        ('ignore = [\n    "E501",  # why\n    "S3",\n]', "everywhere", "S3"),
        ('extend-ignore = ["S307"]', "everywhere", "S307"),
        ('ignore = ["ALL"]', "everywhere", "ALL"),
        ('exclude = ["some"]', "some", "ALL"),
        ('[tool.ruff.lint.per-file-ignores]\n"some/**" = ["S"]', "some/**", "S"),
        ('[tool.ruff.lint.per-file-ignores]\n"a.py" = ["S"]  # why\n"some/**" = [\n    "S",\n]', "some/**", "S"),
        ('[tool.ruff.lint.extend-per-file-ignores]\n"some/**" = ["E501", "S307"]', "some/**", "S307"),
    ],
)
def test_whatever_lets_more_pass_in_the_settings_is_found(tmp_path, settings, where, rule):
    assert let_pass(tmp_path, 'a = eval("1")\n', settings + "\n")[where, rule] == ""


def test_a_reason_in_the_settings_stands_behind_the_rule(tmp_path):
    settings = '[tool.ruff.lint.per-file-ignores]\n"some/**" = [\n    "E501",  # long\n    "S",     # the reason\n]\n'
    assert let_pass(tmp_path, 'a = eval("1")\n', settings) == {("some/**", "S"): "the reason"}


def test_a_file_with_settings_of_its_own_is_found(tmp_path):
    (tmp_path / "some").mkdir()
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    (tmp_path / "some" / "ruff.toml").write_text('[lint]\nignore = ["S"]\n')
    (tmp_path / "some" / "code.py").write_text('a = eval("1")\n')
    assert [(each.where, each.reason) for each in allowed(tmp_path)] == [("some/code.py:1", "")]


def audit(**vulnerabilities):
    found = [{"name": name, "version": "1", "vulns": vulns} for name, vulns in vulnerabilities.items()]
    return json.dumps({"dependencies": found, "fixes": []})


def test_advisories_that_were_told_are_told_on():
    advice = told(audit(httpx=[{"id": "CVE-2026-1"}, {"id": "CVE-2026-2"}], idna=[]), "", PINS)
    assert (advice.asked, advice.unasked, advice.why) == (("httpx", "idna"), (), "")
    assert advice.found == ("httpx: CVE-2026-1, CVE-2026-2",)


@pytest.mark.parametrize(
    ("out", "err", "why"),
    [
        ("", "INFO: begun\nERROR: connection refused\n", "connection refused"),
        ("", "", "not told why"),
        ("null", "", "not told why"),
        (
            json.dumps({"dependencies": [{"name": name, "skip_reason": "not found"} for name in ("httpx", "idna")]}),
            "No known vulnerabilities found",
            "not found",
        ),
    ],
)
def test_whoever_could_not_be_asked_has_said_nothing(out, err, why):
    advice = told(out, err, PINS)
    assert (advice.asked, advice.unasked, advice.found) == ((), ("httpx", "idna"), ())
    assert why in advice.why


def test_a_package_that_the_answer_leaves_out_was_not_asked_about():
    assert told(audit(httpx=[]), "", PINS).unasked == ("idna",)


def test_the_last_line_is_all_well_only_if_everything_was_looked_at():
    assert verdict([Verdict(), Verdict()]) == ("all well", WELL)
    line, status = verdict([Verdict(), Verdict(unasked=("idna",))])
    assert (status, "ADVISORIES WERE NOT ASKED FOR about 1 packages" in line) == (NOT_ASKED, True)
    assert "all well" not in line
    line, status = verdict([Verdict(("a",)), Verdict(("b",), ("idna",))])
    assert (status, line.startswith("not well: 2 problems"), "NOT ASKED FOR" in line) == (NOT_WELL, True, True)


def component(name, version, *digests, within="externalReferences"):
    hashes = [{"alg": "SHA-256", "content": each} for each in digests]
    place = {"hashes": hashes} if within == "hashes" else {"externalReferences": [{"hashes": hashes}]}
    return {"name": name, "version": version, **place}


def test_a_bill_is_that_of_the_lock_with_the_digest_of_every_file():
    httpx, idna = component("HTTPX", "0.28.1", ONE, TWO), component("idna", "3.20", ONE, within="hashes")
    assert differs({"components": [httpx, idna]}, PINS) == []
    for other, problem in [
        (component("idna", "3.20"), "idna 3.20 has 0 digests"),
        ({"name": "idna", "version": "3.20"}, "idna 3.20 has 0 digests"),
        (component("idna", "3.20", TWO), "idna 3.20 has 1 digests"),
        (component("idna", "3.21", ONE), "idna 3.20 is not in the bill"),
        (component("left-pad", "1", ONE), "left-pad 1 is not in the lock"),
    ]:
        assert [found for found in differs({"components": [httpx, other]}, PINS) if problem in found], other


def test_the_wheel_is_the_same_wherever_and_whenever_it_is_built(tmp_path):
    one, other = (built(tmp_path, surroundings) for surroundings in (HERE, ELSEWHERE))
    assert one.read_bytes() == other.read_bytes()


def test_a_wheel_that_its_surroundings_show_in_is_known(tmp_path):
    def as_it_comes(source):
        settings = source / "pyproject.toml"
        settings.write_text(f"{settings.read_text()}\n[tool.hatch.build]\nreproducible = false\n")

    one, other = (built(tmp_path, surroundings, changed=as_it_comes) for surroundings in (HERE, ELSEWHERE))
    assert one.read_bytes() != other.read_bytes()


def threats():
    """The rows of the threat model, by their cells."""
    rows = [line for line in (ROOT / "SECURITY.md").read_text().splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in rows[1:]]


@pytest.mark.parametrize("row", threats(), ids=lambda row: row[0])
def test_every_threat_has_what_stands_against_it_and_names_a_test_that_is_there(row):
    threat, mechanism, shown = row
    assert threat
    assert mechanism
    named = re.findall(r"`([^`]+)`", shown)
    tests = [name for name in named if "::" in name]
    assert tests, "a folder shows nothing by itself"
    for name in tests:
        path, _, test = name.partition("::")
        assert re.search(rf"^(?:async )?def {test}\(", (ROOT / path).read_text(), re.MULTILINE), name
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for name in set(named).difference(tests):
        assert name.removeprefix("make ") in targets, name


@pytest.mark.servers  # what looks is installed with them
def test_all_is_well_whoever_can_be_asked_for_advisories():
    """Where no index of packages tells advisories, all else is well and nobody says more than that."""
    assert (ROOT / ".cache" / "supply" / "bin" / "pip-audit").exists(), "run tools/bootstrap supply"
    path = {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    looked = subprocess.run(
        [sys.executable, "-m", "supply"], cwd=ROOT, env=os.environ | path, capture_output=True, text=True, check=False
    )
    assert looked.returncode in (WELL, NOT_ASKED), looked.stdout + looked.stderr
