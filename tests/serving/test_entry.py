"""Which command lines are the service's own, and what it does not load for the others."""

import subprocess
import sys
from pathlib import Path

import pytest

from auth.cli.default_config import CONFIG_VARIABLE, DEFAULT_CONFIG
from auth.cli.entry import config_to_serve

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("words", [["serve", "--config", "some.ini"], ["serve", "-c", "some.ini"]])
def test_a_plain_serve_is_read_without_typer(words):
    assert config_to_serve(words) == Path("some.ini")


def test_without_a_word_the_environment_says_which_config_and_without_that_it_is_the_default(monkeypatch):
    monkeypatch.setenv(CONFIG_VARIABLE, "elsewhere.ini")
    assert config_to_serve(["serve"]) == Path("elsewhere.ini")
    monkeypatch.setenv(CONFIG_VARIABLE, "")
    assert config_to_serve(["serve"]) == Path(DEFAULT_CONFIG)
    monkeypatch.delenv(CONFIG_VARIABLE)
    assert config_to_serve(["serve"]) == Path(DEFAULT_CONFIG)


@pytest.mark.parametrize(
    "words",
    [[], ["--help"], ["serve", "--help"], ["serve", "--config"], ["serve", "--config=some.ini"], ["check", "-c", "x"]],
)
def test_all_else_is_read_by_typer(words):
    assert config_to_serve(words) is None


@pytest.mark.parametrize(
    ("module", "strangers"),
    [
        ("auth.cli.serve", ("typer", "pydantic", "auth.why.report_text")),
        ("auth.cli.main", ("auth.serving", "auth.app", "httpx")),
    ],
)
def test_neither_the_service_nor_the_commands_load_what_the_other_needs(module, strangers):
    code = f"import sys, {module}; print([name for name in {strangers} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_a_config_that_cannot_be_used_is_told_in_the_same_way_however_it_is_named(tmp_path):
    (tmp_path / "bad.ini").write_text("[service]\nno_such_setting = 1\n")

    def told(*words):
        command = [sys.executable, "-m", "auth", "serve", *words]
        return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)

    plain, typed = told("--config", tmp_path / "bad.ini"), told(f"--config={tmp_path / 'bad.ini'}")
    assert (plain.returncode, plain.stderr) == (2, typed.stderr)
    assert typed.returncode == 2
    assert "bad.ini:2: [service] no_such_setting" in plain.stderr
