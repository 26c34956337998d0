"""What is wrong with the words of messages is found before anybody gets them, and what a text costs is said."""

import json

import pytest
from typer.testing import CliRunner

from auth.channels.sms.encoding import Encoding
from auth.cli.main import app
from auth.templates.finding import Weight
from auth.templates.lint import lint
from auth.templates.sms import measured
from scenarios.company import Company, policy, texted
from schema.entry import Policy
from schema.parse import parse_policy
from schema.words import SendMode

BOUND = "{code} is your logon code.\n@vpn.example.org #{code}"


def found(template=BOUND, **values):
    """Weight and problem of each finding about a policy that sends such a text."""
    return [
        (finding.weight, finding.problem)
        for finding in lint("staff", Policy("staff", sms_enabled=True, sms_template=template, **values)).findings
    ]


def test_a_good_text_has_no_finding():
    assert found() == []


@pytest.mark.parametrize(
    ("template", "values", "encoding", "extension", "forcing", "parts"),
    [
        ("{code}", {}, Encoding.GSM, (), (), 1),
        ("{code} [VPN]", {}, Encoding.GSM, ("[", "]"), (), 1),
        ("“{code}” ok", {}, Encoding.UCS2, (), ("“", "”"), 1),
        ("{code}" + "x" * 154, {}, Encoding.GSM, (), (), 1),
        ("{code}" + "x" * 155, {}, Encoding.GSM, (), (), 2),
        ("{code}" + "x" * 154, {"code_length": 7}, Encoding.GSM, (), (), 2),
        ("{code}" + "ж" * 64, {}, Encoding.UCS2, (), ("ж",), 1),
        ("{code}" + "ж" * 65, {}, Encoding.UCS2, (), ("ж",), 2),
        ("x" * 82 + "{code}", {"sms_mode": SendMode.AHEAD, "sms_codes_per_message": 10}, Encoding.GSM, (), (), 1),
        ("x" * 83 + "{code}", {"sms_mode": SendMode.AHEAD, "sms_codes_per_message": 10}, Encoding.GSM, (), (), 2),
        ("x" * 83 + "{code}", {"sms_codes_per_message": 10}, Encoding.GSM, (), (), 1),
    ],
)
def test_a_text_is_measured_with_as_many_codes_as_it_carries_of_the_length_that_they_have(
    template, values, encoding, extension, forcing, parts
):
    text = measured(Policy("staff", sms_template=template, **values))
    assert (text.encoding, text.extension, text.forcing, text.parts) == (encoding, extension, forcing, parts)


@pytest.mark.parametrize(
    ("template", "weight", "problem"),
    [
        ("“{code}”\n@vpn.example.org #{code}", Weight.HINT, "as UCS-2, 70 characters a part, because of '“' (U+201C)"),
        ("x" * 150 + BOUND, Weight.WARNING, "a text of 2 parts"),
        ("See https://example.org/x\n" + BOUND, Weight.WARNING, "something like a link"),
        ("See www.example\n" + BOUND, Weight.WARNING, "something like a link"),
        ("Example.org: " + BOUND, Weight.WARNING, "something like a link"),
        ("Call 01 588 0000. " + BOUND, Weight.WARNING, "something like a phone number"),
        ("{code} is your logon code.", Weight.HINT, "does not bind the code to a domain"),
        ("{code}\n@vpn.example.org {code}", Weight.WARNING, "begins with @ and does not bind"),
        ("{code}\n@vpn.example.org #{code}\nBye", Weight.WARNING, "begins with @ and does not bind"),
        ("{code}\n@localhost #{code}", Weight.WARNING, "begins with @ and does not bind"),
    ],
)
def test_what_a_text_costs_what_blocks_it_and_what_phones_make_of_it_is_said(template, weight, problem):
    assert any(item[0] is weight and problem in item[1] for item in found(template)), found(template)


@pytest.mark.parametrize("template", ["Code: {code}. Good for {minutes} minutes.", "Acme VPN 2.0: {code}", "{code}..."])
def test_ordinary_words_are_taken_for_no_link_and_no_number(template):
    assert [weight for weight, _ in found(template)] == [Weight.HINT]


def test_several_codes_cannot_be_bound_to_a_domain():
    several = {"sms_mode": SendMode.AHEAD, "sms_codes_per_message": 3}
    assert found(**several) == [(Weight.WARNING, "binds several codes to a domain, and phones fill in one")]
    assert found("{code}", **several) == []


@pytest.mark.parametrize(
    ("attribute", "text", "problem", "remedy"),
    [
        ("dirfactorSmsTemplate", "Hello {user}: {code}", "cannot be used: {user}", "{code} and {minutes}"),
        ("dirfactorSmsTemplate", "Hello", "cannot be used: ...", "write {code} in the text"),
        ("dirfactorEmailTemplate", "{code} {name}", "cannot be used: {name}", "{code} and {minutes}"),
        ("dirfactorEmailHtmlTemplate", "<b>Code</b>", "cannot be used: ...", "write {code} in the text"),
        ("dirfactorEmailSubject", "{code} is your code", "has a brace in it", "locked screens"),
        ("dirfactorPrompt", "Code sent to {phone}", "the unknown {phone}", "{destination}"),
    ],
)
def test_words_in_braces_that_nothing_fills_and_a_missing_code_are_errors(attribute, text, problem, remedy):
    read = parse_policy(
        "staff",
        {attribute.lower(): (text.encode(),), "dirfactoremailenabled": (b"TRUE",), "objectclass": ()},
    )
    (finding,) = lint("staff", read).findings
    assert (finding.attribute, finding.weight) == (attribute, Weight.ERROR)
    assert problem in finding.problem
    assert remedy in finding.remedy


def test_braces_of_a_style_sheet_are_no_placeholder():
    html = b"<style>p {color: red} b{margin:0}</style><p>{code}</p>"
    assert parse_policy("staff", {"dirfactoremailhtmltemplate": (html,)}).malformed == ()


def test_the_built_in_words_have_nothing_wrong():
    assert lint("built-in", Policy("built-in", sms_enabled=True, email_enabled=True)).wrong == 0


CONFIG = """\
[service]
state_directory = state
[directory]
kind = ldif
file = directory.ldif
[policy:default]
dirfactorSmsEnabled = yes
dirfactorSmsTemplate = {code} is your code at example.org
"""


@pytest.fixture
def check(tmp_path):
    """`dirfactor check templates` over a directory with these entries."""

    def run(*entries, config=CONFIG):
        (tmp_path / "directory.ldif").write_text(Company(entries).text())
        (tmp_path / "config.ini").write_text(config)
        file = str(tmp_path / "config.ini")
        assert CliRunner().invoke(app, ["sync", "--config", file]).exit_code == 0
        return lambda *more: CliRunner().invoke(app, ["check", "templates", *more, "--config", file])

    return run


def test_the_command_looks_at_the_policies_of_config_ini_and_of_the_directory(check):
    command = check(texted("alice", 1), policy("long", dirfactorSmsTemplate="x" * 160 + "{code}"))
    ended = command("--json")
    data = {item["policy"].split(",")[0]: item for item in json.loads(ended.stdout)}
    assert ended.exit_code == 1
    assert data["[policy:default]"]["findings"][0]["weight"] == "warning"
    assert data["cn=long"]["sms"] == {
        "encoding": "GSM 03.38",
        "extension": [],
        "forcing": [],
        "parts": 2,
        "codes": 1,
    }
    text = command().stdout
    assert "    text: GSM 03.38, 2 parts with 1 code\n" in text
    assert "warning: dirfactorSmsTemplate makes a text of 2 parts" in text


def test_hints_alone_are_no_finding_for_the_exit_status(check):
    ended = check(texted("alice", 1), config=CONFIG.replace(" at example.org", ""))()
    assert ended.exit_code == 0
    assert "hint: " in ended.stdout
    assert ended.stdout.endswith(" policies, 0 errors and warnings\n")
