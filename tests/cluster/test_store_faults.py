"""What becomes of logons when the state that nodes share is away, slow, emptied, or set up in a way that cannot be."""

import asyncio
import contextlib
import time
from datetime import timedelta

import pytest

from auth.clock import SYSTEM_CLOCK, Clock
from auth.embedded_state import EmbeddedStore
from auth.guessing import guesses
from auth.otp.token import SoftwareToken
from auth.shared.connection import exchanger
from auth.shared.reader import SharedReader
from auth.shared.rights import RIGHTS
from auth.shared.settings import Arrangement
from auth.state import Limit, StateUnavailable
from auth.turn import Turns
from cluster.nodes import open_cluster
from cluster.servers import a_cluster, of_a_cluster
from core.store_model import ALICE, NOW, challenge
from plain_store import PlainStore
from rig.certificates import issue
from rig.fixtures import running
from rig.process import signal, wait_until
from rig.valkey import Sentinel, Valkey
from scenarios.company import policy, policy_dn, texted
from scenarios.sealed import SealedPeople
from schema.errors import Fault
from schema.secret import Secret
from schema.words import TokenKind
from shared.node import PlainNode, settings

pytestmark = pytest.mark.servers


async def accepted_at_last(node, user: str, seconds: float = 20.0) -> float:
    """Log on until a code is sent; after how many seconds that was."""
    begun = time.monotonic()
    while (await node.log_on("radius", user)).outcome != "challenged":
        assert time.monotonic() - begun < seconds, node.last()
        await asyncio.sleep(0.05)
    return time.monotonic() - begun


@pytest.mark.parametrize("fault", ["killed", "hung"])
async def test_while_it_is_away_logons_are_refused_with_their_reason_and_go_on_by_themselves(
    own_valkey, tmp_path, fault
):
    entries = [texted("alice", 1), texted("bob", 2)]
    async with open_cluster(tmp_path, own_valkey.place, 2, *entries) as cluster:
        asked, code = await cluster.texted(0, "alice")
        if fault == "killed":
            own_valkey.kill()
        else:
            own_valkey.process.signal(signal.SIGSTOP)
        for at, door in ((0, "radius"), (1, "http")):
            node = cluster.nodes[at]
            assert (await node.log_on(door, "bob")).outcome == "refused"
            assert node.reason() == "state-unavailable"
        refused = await cluster.answer(1, "http", "alice", asked.state, code)
        assert (refused.outcome, cluster.nodes[1].reason()) == ("refused", "state-unavailable")
        if fault == "killed":
            own_valkey.start()
        else:
            own_valkey.process.signal(signal.SIGCONT)
        for node in cluster.nodes:
            await accepted_at_last(node, "bob")
        for at in range(2):
            again = await cluster.answer(at, "radius", "alice", asked.state, code)
            assert again.outcome == ("accepted" if fault == "hung" and at == 0 else "refused")


def nodes_of(server, prefix, *folders):
    return [PlainNode(settings(server, prefix=prefix, node=folder.name), folder) for folder in folders]


@pytest.fixture
def folders(tmp_path):
    made = [tmp_path / name for name in ("node-a", "node-b")]
    for each in made:
        each.mkdir()
    return made


def one_of_two(server, prefix, folders):
    """A node that knows of another, `node-b`, which has used up a code and is down."""
    one, other = nodes_of(server, prefix, *folders)
    assert other.consume("otp other", 8)
    one.settle_in()
    other.settle_in()
    one.settle_in()
    other.close()
    return one


def until_it_works(ask, seconds=10.0):
    end = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except StateUnavailable:
            assert time.monotonic() < end
            time.sleep(0.02)


@pytest.mark.parametrize("how", ["flushed", "killed"])
def test_a_store_that_was_emptied_is_used_again_when_all_nodes_have_brought_back_what_they_know(
    own_valkey, folders, how
):
    one, other = nodes_of(own_valkey, "emptied", *folders)
    assert one.consume("otp one", 7)
    assert other.consume("otp other", 8)
    one.keep("pin alice", b"the first")
    other.keep("pin alice", b"the second")
    other.settle_in()
    one.settle_in()
    if how == "flushed":
        own_valkey.cli("FLUSHALL")
    else:
        own_valkey.kill()
        own_valkey.start()
    with pytest.raises(StateUnavailable):
        one.consume("otp other", 8)
    with pytest.raises(StateUnavailable):
        other.consume("otp one", 7)

    def asked_in_turn(ask):
        def attempt():
            one.settle_in()
            other.settle_in()
            return ask()

        return until_it_works(attempt)

    assert not asked_in_turn(lambda: one.consume("otp other", 8)), "what only the other knew"
    assert not asked_in_turn(lambda: other.consume("otp one", 7))
    assert one.kept("pin alice") == b"the second", "the newer one"
    assert one.consume("otp one", 8)
    one.close()
    other.close()


def test_what_a_server_had_not_written_when_it_was_killed_is_brought_back_before_anybody_is_answered(
    own_valkey, folders
):
    one, other = nodes_of(own_valkey, "unsaved", *folders)
    one.settle_in()
    other.settle_in()
    assert one.consume("otp", 7)
    own_valkey.cli("SAVE")
    assert one.consume("otp", 8)
    own_valkey.kill()
    own_valkey.start()
    assert "7" in own_valkey.cli("GET", "unsaved:{0}:mark:otp"), "the server has forgotten the last one"
    with pytest.raises(StateUnavailable):
        other.consume("otp", 8)
    other.settle_in()
    with pytest.raises(StateUnavailable, match="node-a"):
        other.consume("otp", 8)

    def asked_again():
        one.settle_in()
        other.settle_in()
        return other.consume("otp", 8)

    assert not until_it_works(asked_again)
    one.close()
    other.close()


def test_a_server_that_is_started_again_waits_for_nobody_who_was_away_before(own_valkey, folders, monkeypatch):
    one, other = nodes_of(own_valkey, "restarted", *folders)
    other.close()
    monkeypatch.setattr("auth.shared.session._LATELY_SECONDS", 0.2)
    time.sleep(0.3)
    one.settle_in()
    own_valkey.cli("SAVE")
    own_valkey.kill()
    own_valkey.start()
    assert until_it_works(lambda: (one.settle_in(), one.consume("otp", 8))[1], 3.0)
    one.close()


def test_a_node_that_is_gone_is_waited_for_until_somebody_lets_it_go(own_valkey, folders):
    one = one_of_two(own_valkey, "gone", folders)
    own_valkey.cli("FLUSHALL")
    for _ in range(3):
        one.settle_in()
        with pytest.raises(StateUnavailable, match="forgotten") as caught:
            one.strike(ALICE, NOW)
    assert "node-b" in str(caught.value)
    reader = SharedReader(settings(own_valkey, prefix="gone"))
    assert reader.awaited() == ("node-b",)
    assert reader.forget("node-b")
    assert not reader.forget("node-b")
    assert until_it_works(lambda: (one.settle_in(), one.strike(ALICE, NOW))[1]) == ()
    one.close()


async def test_codes_that_were_used_are_accepted_nowhere_while_and_after_an_emptied_store_is_filled_again(
    own_valkey, tmp_path
):
    sealed = SealedPeople(tmp_path)
    tokens = {f"tom{n}": SoftwareToken(TokenKind.HOTP, f"T-{n}", f"seed of number {n:06}".encode()) for n in range(30)}
    policies = policy("codes", dirfactorFirstMethod="token", dirfactorSecondMethod="none")
    people = [sealed.with_token(user, token, dirfactorPolicy=policy_dn("codes")) for user, token in tokens.items()]
    async with open_cluster(tmp_path, own_valkey.place, 2, policies, *people) as cluster:

        async def shown(at: int, user: str, counter: int) -> str:
            typed = tokens[user].code(counter).text
            return (await cluster.nodes[at].log_on("radius", user, password=typed)).outcome

        async def at_both(counter: int) -> list[str]:
            return await asyncio.gather(*(shown(at, user, counter) for user in tokens for at in (0, 1)))

        used = [await shown(number % 2, user, 0) for number, user in enumerate(tokens)]
        assert set(used) == {"accepted"}
        own_valkey.cli("FLUSHALL")
        begun, last = time.monotonic(), {"state-unavailable"}
        while "state-unavailable" in last:
            assert time.monotonic() - begun < 20.0, last
            assert "accepted" not in await at_both(0)
            last = {node.reasons(user)[-1] for node in cluster.nodes for user in tokens}
        assert last == {"code-wrong-retry"}, "what is known again, not what is locked, refuses"
        fresh = await at_both(1)
        assert fresh.count("accepted") == len(tokens), "each of the next codes once"


def test_a_node_that_was_down_is_waited_for_however_often_the_store_is_emptied_meanwhile(own_valkey, folders):
    one = one_of_two(own_valkey, "twice", folders)
    for _ in range(3):
        own_valkey.cli("FLUSHALL")
        for _ in range(3):
            one.settle_in()
            with pytest.raises(StateUnavailable, match="node-b"):
                one.consume("otp other", 8)
    (other,) = nodes_of(own_valkey, "twice", folders[1])
    assert not until_it_works(lambda: (one.settle_in(), one.consume("otp other", 8))[1])
    one.close()
    other.close()


def test_a_node_that_was_down_meanwhile_still_brings_back_what_it_knows(own_valkey, folders):
    one = one_of_two(own_valkey, "down", folders)
    own_valkey.cli("FLUSHALL")
    one.settle_in()
    (other,) = nodes_of(own_valkey, "down", folders[1])
    assert not until_it_works(lambda: (one.settle_in(), one.consume("otp other", 8))[1])
    one.close()
    other.close()


def test_what_was_embedded_before_is_taken_along(own_valkey, folders):
    before = PlainStore(EmbeddedStore(folders[0] / "state.sqlite", "boot", Turns()))
    before.consume("otp", 7)
    before.keep("pin", b"chosen")
    before.close()
    (node,) = nodes_of(own_valkey, "before", folders[0])
    assert not node.consume("otp", 7)
    assert node.kept("pin") == b"chosen"
    node.close()


# what is refused at the start


@pytest.mark.parametrize(
    ("options", "rights", "password", "problem", "remedy"),
    [
        ({"maxmemory-policy": "allkeys-lru"}, None, None, "allkeys-lru", "noeviction"),
        ({}, "on >canary-Valkey-1 ~dirfactor:* +@all -eval", "canary-Valkey-1", "ACL", "ACL SETUSER"),
        ({}, "on >canary-Valkey-1 ~dirfactor:* +@all -hincrby", "canary-Valkey-1", "ACL", "ACL SETUSER"),
        ({}, "on >canary-Valkey-1 ~others:* +@all", "canary-Valkey-1", "ACL", "~dirfactor:*"),
        ({}, "on >canary-Valkey-1 ~dirfactor:* +@all -info", "canary-Valkey-1", "ACL", "ACL SETUSER"),
    ],
)
def test_a_server_that_is_set_up_wrongly_is_refused_at_the_start_with_the_remedy(
    tmp_path, options, rights, password, problem, remedy
):
    users = {"dirfactor": rights} if rights else None
    with running(Valkey(tmp_path / "valkey", users=users, options=options)) as server:
        account = {"username": "dirfactor", "password": Secret(password)} if password else {}
        with pytest.raises(Fault, match=problem) as caught:
            PlainNode(settings(server, **account))
        assert remedy in caught.value.remedy
        assert "canary" not in str(caught.value)


def test_the_rights_that_are_named_are_enough_and_others_keys_stay_out_of_reach(tmp_path):
    users = {"dirfactor": f"on >canary-Valkey-2 ~dirfactor:* {RIGHTS}"}
    with running(Valkey(tmp_path / "valkey", users=users)) as server:
        node = PlainNode(settings(server, username="dirfactor", password=Secret("canary-Valkey-2")))
        node.begin(Secret("s"), challenge())
        assert node.attempt(Secret("s"), "vpn") == challenge()
        assert node.consume("otp", 1)
        node.close()


def test_a_wrong_password_and_a_server_that_is_not_there_keep_nobody_from_starting_and_everybody_from_the_state(
    tmp_path,
):
    with running(Valkey(tmp_path / "valkey", users={"dirfactor": "on >canary-Valkey-3 ~* +@all"})) as server:
        node = PlainNode(settings(server, username="dirfactor", password=Secret("canary-Valkey-0")))
        with pytest.raises(StateUnavailable, match="refuses our name or password") as caught:
            node.strike(ALICE, NOW)
        assert "canary" not in str(caught.value)
        node.close()
    node = PlainNode(settings(server))
    with pytest.raises(StateUnavailable):
        node.strike(ALICE, NOW)
    node.close()


def test_another_servers_key_is_refused_for_it_could_compare_no_code_of_the_others(own_valkey, monkeypatch):
    node = PlainNode(settings(own_valkey))
    monkeypatch.setattr("shared.node.KEY", b"K" * 32)
    with pytest.raises(Fault, match=r"another server\.key"):
        PlainNode(settings(own_valkey))
    node.close()


@pytest.mark.parametrize("trusted", [True, False])
def test_over_tls_the_servers_certificate_is_verified(tmp_path, trusted):
    files = issue(tmp_path / "tls", "127.0.0.1")
    other = issue(tmp_path / "other", "127.0.0.1")
    with running(Valkey(tmp_path / "valkey", tls=files)) as server:
        node = PlainNode(settings(server, tls=True, ca_file=files.ca if trusted else other.ca))
        if trusted:
            assert node.strike(ALICE, NOW) == ()
        else:
            with pytest.raises(StateUnavailable, match="certificate was not accepted"):
                node.strike(ALICE, NOW)
        node.close()


def test_a_certificate_for_another_name_is_not_accepted(tmp_path):
    files = issue(tmp_path / "tls", "valkey.example.test")
    with running(Valkey(tmp_path / "valkey", tls=files)) as server:
        node = PlainNode(settings(server, tls=True, ca_file=files.ca))
        with pytest.raises(StateUnavailable, match="certificate was not accepted"):
            node.strike(ALICE, NOW)
        node.close()


# replicas, sentinels, a cluster


def test_a_write_counts_only_when_the_replicas_have_it(tmp_path):
    with running(Valkey(tmp_path / "one")) as primary, running(Valkey(tmp_path / "two")) as replica:
        replica.follow(primary)
        node = PlainNode(settings(primary, replicas=1, timeout_seconds=2.0))
        assert node.consume("otp", 7)
        replica.kill()
        with pytest.raises(StateUnavailable, match="replica"):
            node.consume("otp", 8)
        node.close()


@pytest.mark.parametrize("fault", ["killed", "hung"])
def test_after_a_failover_logons_go_on_at_the_new_primary_and_nothing_is_good_twice(tmp_path, fault):
    with running(Valkey(tmp_path / "one")) as primary, running(Valkey(tmp_path / "two")) as replica:
        replica.follow(primary)
        with running(Sentinel(tmp_path / "sentinel", primary)) as sentinel:
            section = replace_section(sentinel)
            node = until_it_works(lambda: PlainNode(section))
            assert until_it_works(lambda: node.consume("otp", 7))
            node.begin(Secret("s"), challenge())
            wait_until(lambda: primary.cli("DBSIZE") == replica.cli("DBSIZE"), 10.0, replica.process.log_tail)
            if fault == "killed":
                primary.kill()
            else:
                primary.process.signal(signal.SIGSTOP)  # as of a host without power, no connection to it ends
            wait_until(lambda: replica.cli("ROLE").startswith("master"), 20.0, sentinel.process.log_tail)
            (mark,) = replica.cli("KEYS", "*:mark:otp").split()
            replica.cli("DEL", mark)  # as if it had not come over in time
            assert not until_it_works(lambda: (node.settle_in(), node.consume("otp", 7))[1], 30.0)
            assert node.attempt(Secret("s"), "vpn") == challenge()
            node.close()
        if fault == "hung":
            primary.process.signal(signal.SIGCONT)


def replace_section(sentinel):
    return settings(sentinel, arrangement=Arrangement.SENTINEL, primary="logins", replicas=0, timeout_seconds=2.0)


@pytest.fixture(scope="module")
def three_primaries(tmp_path_factory):
    """A cluster."""
    with a_cluster(tmp_path_factory.mktemp("cluster")) as servers:
        yield servers


@pytest.mark.parametrize("fault", ["killed", "hung"])
def test_when_a_replica_takes_over_in_a_cluster_logons_go_on_and_nothing_is_good_twice(tmp_path, fault):
    with a_cluster(tmp_path, replicas=1) as servers:
        primary, replica = servers[0], servers[3]
        node = PlainNode(of_a_cluster(servers, "over", timeout_seconds=1.0))
        keys = [f"otp {number}" for number in range(20)]
        assert all(until_it_works(lambda key=key: node.consume(key, 7)) for key in keys)
        if fault == "killed":
            primary.kill()
        else:
            primary.process.signal(signal.SIGSTOP)
        wait_until(lambda: replica.cli("ROLE").startswith("master"), 30.0, replica.process.log_tail)
        for mark in replica.cli("KEYS", "over:*:mark:*").split("\n"):
            replica.cli("DEL", mark)  # as if it had not come over in time
        for key in keys:
            assert not until_it_works(lambda key=key: (node.settle_in(), node.consume(key, 7))[1], 30.0)
        node.close()
        if fault == "hung":
            primary.process.signal(signal.SIGCONT)


def test_a_cluster_keeps_what_a_server_keeps(three_primaries):
    section = of_a_cluster(three_primaries, "keeps")
    one, other = PlainNode(section), PlainNode(section)
    for number in range(20):
        one.begin(Secret(f"s{number}"), challenge(number))
        assert other.attempt(Secret(f"s{number}"), "vpn") == challenge(number)
        assert one.consume(f"otp {number}", 7)
        assert not other.consume(f"otp {number}", 7)
    assert one.strike(ALICE, NOW) == ()
    assert other.strike(ALICE, NOW) == (NOW,)
    limits = (Limit("user", "user a", 60, 1), Limit("all", "all", 60, 5))
    assert one.reserve(limits, NOW) is None
    assert other.reserve(limits, NOW) == limits[0]
    for number in range(20):
        one.keep(f"pin {number}", b"%d" % number)
    assert sorted(map(int, SharedReader(section).kept_under("pin "))) == list(range(20))
    counted = one.struck(ALICE, NOW, guesses(ALICE, None)).guess
    assert other.counted(counted, NOW) == 1
    one.close()
    other.close()


async def test_questions_to_a_cluster_that_nobody_waits_for_any_more_leave_no_connections(three_primaries):
    servers = exchanger(of_a_cluster(three_primaries, "leaves"))
    command = ("GET", "leaves:{0}:epoch")
    assert await servers.exchange([command]) == [None]
    for each in three_primaries:
        each.cli("CLIENT", "PAUSE", "400")
    for _ in range(5):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.05):
                await servers.exchange([command])
    assert await servers.exchange([command]) == [None]
    assert sum(len(node._connections) for node in servers._cluster.get_nodes()) <= len(three_primaries)
    await servers.aclose()


@pytest.mark.parametrize("emptied", range(3))
def test_whichever_server_of_a_cluster_is_emptied_nothing_that_it_held_is_good_again(three_primaries, folders, emptied):
    prefix = f"emptied-{emptied}"
    one, other = (
        PlainNode(of_a_cluster(three_primaries, prefix, node=f"node-{number}"), folder)
        for number, folder in enumerate(folders)
    )
    keys = [f"otp {number}" for number in range(40)]
    for number, key in enumerate(keys):
        assert (one, other)[number % 2].consume(key, 7)
    one.settle_in()
    other.settle_in()
    three_primaries[emptied].cli("FLUSHALL")
    refused = 0
    for number, key in enumerate(keys):
        # at the node that has no copy of it
        try:
            assert not (other, one)[number % 2].consume(key, 7), "it was used before"
        except StateUnavailable:
            refused += 1
    assert refused, "it is noticed"
    one.settle_in()
    with pytest.raises(StateUnavailable, match="node-1"):
        one.consume(keys[0], 7)

    def asked(key):
        one.settle_in()
        other.settle_in()
        return (other, one)[keys.index(key) % 2].consume(key, 7)

    assert not any(until_it_works(lambda key=key: asked(key)) for key in keys)
    one.close()
    other.close()


@pytest.mark.parametrize("seconds", [-60, 60])
def test_a_node_whose_clock_is_off_takes_no_part(own_valkey, seconds):
    ahead = timedelta(seconds=seconds)
    clock = Clock(lambda: SYSTEM_CLOCK.now() + ahead, SYSTEM_CLOCK.monotonic)
    node = PlainNode(settings(own_valkey), clock=clock)
    with pytest.raises(StateUnavailable, match="clock is 60 s"):
        node.strike(ALICE, NOW)
    node.close()
