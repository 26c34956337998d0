"""Settings as they are typed are checked by the table's grammars before anybody writes them."""

import pytest

from schema.assignment import WrongSetting, check_policy, policy_settings, read_assignments
from schema.parse import parse_policy


def test_what_is_read_is_what_the_parser_reads():
    assigned = read_assignments(
        ["dirfactorCODElength = 8", "dirfactorSmsEnabled=yes", "dirfactorTokenOrder=VIP,sms", "dirfactorPrompt=a=b"]
    )
    assert assigned["dirfactorSmsEnabled"] == (b"TRUE",)
    read = parse_policy("staff", {name.lower(): values for name, values in assigned.items()})
    assert (read.code_length, read.sms_enabled, read.token_order, read.prompt) == (8, True, ("vip", "sms"), "a=b")
    assert read.malformed == ()


def test_several_values_come_together_where_they_may_and_an_empty_one_clears():
    texts = ["dirfactorReplyAttribute=Filter-Id=a", "dirfactorReplyAttribute=Filter-Id=b", "dirfactorPrompt="]
    assert read_assignments(texts) == {
        "dirfactorReplyAttribute": (b"Filter-Id=a", b"Filter-Id=b"),
        "dirfactorPrompt": (),
    }


@pytest.mark.parametrize("attribute", [item for item in policy_settings() if item.high], ids=lambda item: item.name)
def test_no_setting_can_be_what_the_parser_would_call_malformed(attribute):
    """A text longer, or a number higher, than the table allows."""
    wrong = str(attribute.high + 1) if attribute.low is not None and attribute.high < 10**7 else "?"
    text = wrong if attribute.syntax.om_syntax == 2 else "%" * (attribute.high + 1)
    with pytest.raises(WrongSetting):
        read_assignments([f"{attribute.name}={text}"])


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("dirfactorSmsEnabeld=yes", "did you mean dirfactorSmsEnabled?"),
        ("codeLength=6", "did you mean dirfactorCodeLength?"),
        ("xyzzy=1", "docs/attributes.md"),
        ("dirfactorPolicySubjects=cn=x", ""),
    ],
)
def test_an_unknown_name_is_refused_with_the_one_that_was_meant(text, remedy):
    with pytest.raises(WrongSetting) as wrong:
        read_assignments([text])
    assert remedy in wrong.value.remedy


def test_one_value_is_not_given_twice():
    with pytest.raises(WrongSetting, match="given twice"):
        read_assignments(["dirfactorCodeLength=6", "dirfactorCodeLength=7"])


def test_only_what_is_being_set_is_held_against_it():
    broken = {"dirfactorcodelength": (b"99",), "dirfactorsmstemplate": (b"no code",)}
    check_policy(broken, read_assignments(["dirfactorSmsEnabled=yes"]))
    with pytest.raises(WrongSetting):
        check_policy(broken, read_assignments(["dirfactorSmsTemplate=no code"]))
