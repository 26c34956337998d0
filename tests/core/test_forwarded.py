"""At a proxy node another server decides about people without a token, and about nobody else."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from auth.decision import decide
from auth.facts import CodeVerdict, Evidence, Field, ForwardVerdict, PinShown, Question, Typed, Waiting
from auth.reason import Reason
from auth.steps import Accept, AcceptForwarded, AskForwarded, CheckPassword, Forward, Part, Refuse
from auth.why.explain import explain
from core.logins import BAD, NOW, entry_id, facts, link, node, person, policy
from dirsync.password import PasswordVerdict
from schema.words import LoginMode, Method, NodeType, TokenKind

TARGET = "192.0.2.9:1812"
PROXY = node(node_type=NodeType.PROXY, proxy_target=TARGET)
FIRST = Evidence(typed_password=Typed.GIVEN)
THEIRS = Waiting(Question.FORWARDED, 0)
ANSWER = Evidence((), 0, answer=Field.CODE, waiting=THEIRS, typed_code=Typed.GIVEN)


def known(*, tokens=(), at=PROXY, settings=None, **values):
    return facts(person(link(settings or policy()), tokens=tokens, **values), at)


def step(something, evidence=FIRST):
    return decide(something, evidence, NOW).step


def test_the_password_of_somebody_without_a_token_goes_to_the_other_server():
    assert step(known()) == Forward(TARGET, Part(Field.PASSWORD))
    assert step(known(), ANSWER) == Forward(TARGET, Part(Field.CODE))


def test_who_has_a_token_is_decided_about_here():
    assert step(known(tokens=(TokenKind.SMS,))) == CheckPassword(Part(Field.PASSWORD))


@pytest.mark.parametrize("kind", [NodeType.RADIUS, NodeType.HTTP])
def test_another_type_of_node_forwards_nobody_whatever_target_it_has(kind):
    assert not isinstance(step(known(at=node(node_type=kind, proxy_target=TARGET))), Forward)


REFUSED = {
    "disabled": (known(disabled=True), Reason.ACCOUNT_DISABLED),
    "expired": (known(expires_at=NOW - timedelta(days=1)), Reason.ACCOUNT_EXPIRED),
    "malformed": (known(malformed=(BAD,)), Reason.ENTRY_MALFORMED),
    "no member": (known(at=replace(PROXY, members=frozenset({entry_id("others")}))), Reason.NOT_MEMBER),
    "nobody": (replace(known(), found=()), Reason.USER_UNKNOWN),
    "two": (replace(known(), found=known().found * 2), Reason.USER_AMBIGUOUS),
    "policy missing": (facts(person(link(None), tokens=()), PROXY), Reason.POLICY_MISSING),
    "data too old": (replace(known(), expired_after=1), Reason.REPLICA_STALE),
    "no target": (known(at=node(node_type=NodeType.PROXY)), Reason.FORWARD_UNAVAILABLE),
}


@pytest.mark.parametrize("case", REFUSED)
def test_whom_we_refuse_the_other_server_is_not_asked_about(case):
    something, reason = REFUSED[case]
    for verdict in (None, *ForwardVerdict):
        assert step(something, replace(FIRST, forwarded=verdict)) == Refuse(reason)


TYPED = {
    "nothing": (Typed.EMPTY, Reason.PASSWORD_EMPTY),
    "no field": (Typed.ABSENT, Reason.PASSWORD_EMPTY),
    "a response": (Typed(None, readable=False), Reason.PASSWORD_PROTOCOL),
}


@pytest.mark.parametrize("case", TYPED)
def test_only_text_that_there_is_goes_there(case):
    typed, reason = TYPED[case]
    assert step(known(), Evidence(typed_password=typed)) == Refuse(reason)
    code = Reason.CODE_EMPTY if reason is Reason.PASSWORD_EMPTY else reason
    assert step(known(), replace(ANSWER, typed_code=typed)) == Refuse(code)


def test_a_code_in_a_field_of_its_own_is_not_for_a_server_that_has_one_field():
    assert step(known(), replace(FIRST, typed_code=Typed.GIVEN)) == Refuse(Reason.CHALLENGE_UNKNOWN)


VERDICTS = {
    ForwardVerdict.ACCEPTED: AcceptForwarded(),
    ForwardVerdict.ASKED: AskForwarded(),
    ForwardVerdict.REFUSED: Refuse(Reason.FORWARD_REFUSED),
    ForwardVerdict.UNAVAILABLE: Refuse(Reason.FORWARD_UNAVAILABLE),
}


@pytest.mark.parametrize("verdict", ForwardVerdict)
@pytest.mark.parametrize("evidence", [FIRST, ANSWER], ids=["first step", "answer"])
def test_what_the_other_server_says_is_what_comes_of_it(verdict, evidence):
    assert step(known(), replace(evidence, forwarded=verdict)) == VERDICTS[verdict]


@pytest.mark.parametrize("mode", [LoginMode.APPEND, LoginMode.REJECT_THEN_CODE])
def test_a_node_that_can_ask_nothing_is_asked_nothing(mode):
    at = node(node_type=NodeType.PROXY, proxy_target=TARGET, mode=mode)
    assert step(known(at=at), replace(FIRST, forwarded=ForwardVerdict.ASKED)) == Refuse(Reason.FORWARD_REFUSED)


@pytest.mark.parametrize("question", [item for item in Question if item is not Question.FORWARDED])
def test_an_answer_to_our_question_is_never_told_the_other_server(question):
    """Not even when the token was taken from the person while they were looking for it."""
    field = Field.PASSWORD if question is Question.PASSWORD else Field.CODE
    evidence = Evidence((Method.PASSWORD, Method.TOKEN), 1, answer=field, waiting=Waiting(question, 1, sent=True))
    assert step(known(), evidence.with_typed(field, Typed.GIVEN)) == Refuse(Reason.CHALLENGE_UNKNOWN)


@pytest.mark.parametrize("verdict", [None, *ForwardVerdict])
def test_an_answer_to_the_other_server_opens_nothing_once_there_is_a_token(verdict):
    for settings in (policy(), policy(first_method=Method.TOKEN, second_method=Method.NONE)):
        something = known(tokens=(TokenKind.TOTP,), settings=settings)
        assert step(something, replace(ANSWER, forwarded=verdict)) == Refuse(Reason.CHALLENGE_UNKNOWN)


@given(
    evidence=st.builds(
        Evidence,
        methods=st.sampled_from([None, (), (Method.PASSWORD,), (Method.PASSWORD, Method.TOKEN)]),
        stage=st.integers(-1, 3),
        password=st.none() | st.sampled_from(PasswordVerdict),
        pin=st.none() | st.sampled_from(PinShown),
        code=st.none() | st.sampled_from(CodeVerdict),
        typed_password=st.sampled_from([Typed.ABSENT, Typed.EMPTY, Typed.GIVEN]),
        typed_code=st.sampled_from([Typed.ABSENT, Typed.EMPTY, Typed.GIVEN]),
        answer=st.none() | st.sampled_from(Field),
        waiting=st.none() | st.builds(Waiting, st.sampled_from(Question), st.integers(0, 2)),
        forwarded=st.none() | st.sampled_from(ForwardVerdict),
    ),
    tokens=st.sampled_from([(), (TokenKind.SMS,), (TokenKind.TOTP,)]),
    kind=st.sampled_from(NodeType),
)
def test_only_the_other_servers_accept_lets_in_whom_it_decides_about(evidence, tokens, kind):
    found = step(known(tokens=tokens, at=node(node_type=kind, proxy_target=TARGET)), evidence)
    theirs = kind is NodeType.PROXY and not tokens
    if isinstance(found, AcceptForwarded):
        assert theirs
        assert evidence.forwarded is ForwardVerdict.ACCEPTED
    if theirs or evidence.forwarded is not None:
        assert not isinstance(found, Accept)


def test_explain_says_who_decides():
    found = explain(known(), NOW)
    assert found.outcome == f"forwarded: {TARGET} decides"
    assert ("token", "none assigned: the other server decides") in [(item.check, item.found) for item in found.trace]
    assert explain(known(tokens=(TokenKind.SMS,)), NOW).outcome == "accepted"


ELSEWHERE = ("token", "none assigned: the other server decides")
STRANGE = ("forwarding", "this login began here, and the other server is told nothing of it")
TOLD = {
    "a login": (known(), FIRST, (ELSEWHERE,)),
    "no target": (
        known(at=node(node_type=NodeType.PROXY)),
        FIRST,
        (ELSEWHERE, ("forwarding", "dirfactorProxyTarget is not set")),
    ),
    "a response": (
        known(),
        Evidence(typed_password=Typed(None, readable=False)),
        (ELSEWHERE, ("forwarding", "the client shows no text, and the other server is asked by PAP")),
    ),
    "nothing": (known(), Evidence(typed_password=Typed.EMPTY), (ELSEWHERE, ("forwarding", "nothing was typed"))),
    **{
        f"it has {verdict}": (known(), replace(FIRST, forwarded=verdict), (ELSEWHERE, ("the other server", verdict)))
        for verdict in ForwardVerdict
    },
    "a question nobody can be asked": (
        known(at=node(node_type=NodeType.PROXY, proxy_target=TARGET, mode=LoginMode.APPEND)),
        replace(FIRST, forwarded=ForwardVerdict.ASKED),
        (ELSEWHERE, ("the other server", "asked"), ("forwarding", "the access node can ask the person nothing")),
    ),
    "a stage of ours": (known(), replace(FIRST, stage=1), (STRANGE,)),
    "an answer to nothing": (known(), replace(FIRST, answer=Field.PASSWORD), (STRANGE,)),
    "a password that was shown here": (known(), replace(FIRST, password=PasswordVerdict.RIGHT), (STRANGE,)),
    "a PIN that was shown here": (known(), replace(FIRST, pin=PinShown.RIGHT), (STRANGE,)),
    "a code that was shown here": (known(), replace(FIRST, code=CodeVerdict.RIGHT), (STRANGE,)),
    "a token that was chosen here": (known(), replace(FIRST, token=TokenKind.SMS), (STRANGE,)),
    "a keyword that was typed here": (known(), replace(FIRST, keyword=TokenKind.SMS), (STRANGE,)),
}


@pytest.mark.parametrize("case", TOLD)
def test_the_trace_tells_word_for_word(case):
    something, evidence, wanted = TOLD[case]
    trace = decide(something, evidence, NOW).trace
    account = next(place for place, finding in enumerate(trace) if finding.check == "account")
    assert tuple((finding.check, finding.found) for finding in trace[account + 1 :]) == wanted
