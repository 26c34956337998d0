"""What real servers allow us: the rights that docs/nodes.md names, each of which is needed, and whom we believe."""

import re
from pathlib import Path

import pytest

from auth.shared.reader import SharedReader
from auth.shared.rights import RIGHTS, RIGHTS_AT_SENTINELS, RIGHTS_IN_A_CLUSTER
from auth.shared.settings import Arrangement
from auth.state import Limit, StateUnavailable
from cluster.servers import a_cluster, of_a_cluster
from core.store_model import ALICE, NOW, challenge
from rig.certificates import issue
from rig.fixtures import running
from rig.process import wait_until
from rig.valkey import ADMINISTRATOR, Sentinel, Valkey
from schema.errors import Fault
from schema.secret import Secret
from shared.node import PlainNode, settings

pytestmark = pytest.mark.servers

PAGE = Path(__file__).parents[2].joinpath("docs", "nodes.md").read_text()
PASSWORD = "canary-Valkey-5"
# as an operator copies them from the page
(_RULES,) = re.findall(r"(?m)^ +user dirfactor (on >PASSWORD .*)$", PAGE)
(_MORE,) = re.findall(r"`arrangement = cluster`, and the user has\s+`([^`]+)`", PAGE)
RULES = _RULES.replace("PASSWORD", PASSWORD)
RULES_IN_A_CLUSTER = f"{RULES} {_MORE}"
ACCOUNT = {"username": "dirfactor", "password": Secret(PASSWORD)}


def withheld(word: str, rules: str) -> str:
    """The same without this."""
    words = rules.split()
    words.remove(word)
    return " ".join(words)


def allow(servers: list[Valkey], rules: str) -> None:
    for each in servers:
        assert each.cli("ACL", "SETUSER", "dirfactor", "reset", *rules.split()) == "OK"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A server with the documented user."""
    with running(Valkey(tmp_path_factory.mktemp("guarded"), users={"dirfactor": RULES})) as server:
        yield server


@pytest.fixture(scope="module")
def guarded_cluster(tmp_path_factory):
    """A cluster with the documented user."""
    with a_cluster(tmp_path_factory.mktemp("guarded"), users={"dirfactor": RULES_IN_A_CLUSTER}) as servers:
        yield servers


def everything(node: PlainNode) -> None:
    """What logons ask of the state, for several people."""
    for each in range(10):
        state, key, text = Secret(f"s{each}"), f"key {each}", b"%d" % each
        node.begin(state, challenge(each))
        assert node.waiting(state, "vpn") == challenge(each)
        assert node.attempt(state, "vpn") == challenge(each)
        node.renew(state, challenge(each))
        assert node.claim(state, challenge(each))
        assert node.consume(key, 7)
        assert not node.consume(key, 7)
        assert node.mark(key) == 7
        assert node.count(key, NOW, 60, 1)
        assert not node.count(key, NOW, 60, 1)
        node.lay_in(key, [b"a", b"b"], NOW)
        assert node.take(key, b"a", NOW.replace(year=NOW.year - 1)) == 1
        node.keep(key, text)
        assert node.kept(key) == text
        assert node.first(key, text, NOW, NOW) is None
        assert node.replace(key, text, b"another", NOW)
        node.supersede(key, text, NOW)
        limit = Limit(key, key, 60, 1)
        assert node.reserve((limit,), NOW) is None
        assert node.reserve((limit,), NOW) == limit
        node.give_back((limit,), NOW)
        assert node.tally(key, NOW, 60) == 0
    node.forgive(ALICE)
    assert node.strike(ALICE, NOW) == ()
    assert node.strike(ALICE, NOW) == (NOW,)
    node.withdraw(ALICE, NOW)
    assert node.failures(ALICE) == (NOW,)


def read_everything(reader: SharedReader) -> None:
    """What commands ask."""
    reader.examine(NOW.now(NOW.tzinfo))
    assert len(reader.kept_under("key ")) >= 10
    assert reader.members()
    assert reader.awaited() == ()
    assert not reader.forget("nobody")


def test_the_page_names_the_rights_that_are_needed():
    assert RULES.split()[3:] == RIGHTS.split()
    assert RULES_IN_A_CLUSTER.split()[3:] == RIGHTS_IN_A_CLUSTER.split()
    assert f"`{RIGHTS_AT_SENTINELS}`" in PAGE


def test_a_servers_user_needs_no_more_than_the_page_names(guarded):
    allow([guarded], RULES)
    section = settings(guarded, **ACCOUNT)
    node = PlainNode(section)
    everything(node)
    read_everything(SharedReader(section))
    node.close()


@pytest.mark.parametrize("word", RIGHTS.split()[1:])
def test_without_any_one_of_its_rights_the_start_is_refused_and_the_remedy_names_them_all(guarded, word):
    allow([guarded], withheld(word, RULES))
    with pytest.raises(Fault, match="ACL does not allow") as caught:
        PlainNode(settings(guarded, **ACCOUNT))
    assert not isinstance(caught.value, StateUnavailable), "it does not pass by itself"
    assert f"~dirfactor:* {RIGHTS}" in caught.value.remedy
    assert PASSWORD not in str(caught.value)


# a cluster


def test_a_clusters_user_needs_no_more_than_the_page_names(guarded_cluster):
    allow(guarded_cluster, RULES_IN_A_CLUSTER)
    section = of_a_cluster(guarded_cluster, "dirfactor", **ACCOUNT)
    node = PlainNode(section)
    everything(node)
    read_everything(SharedReader(section))
    node.close()


@pytest.mark.parametrize("word", RIGHTS_IN_A_CLUSTER.split()[1:])
def test_without_any_one_of_a_clusters_rights_the_start_is_refused_and_the_remedy_names_them_all(guarded_cluster, word):
    allow(guarded_cluster, withheld(word, RULES_IN_A_CLUSTER))
    with pytest.raises(Fault, match="ACL does not allow") as caught:
        PlainNode(of_a_cluster(guarded_cluster, "dirfactor", **ACCOUNT))
    assert not isinstance(caught.value, StateUnavailable), "it does not pass by itself"
    assert f"~dirfactor:* {RIGHTS_IN_A_CLUSTER}" in caught.value.remedy


@pytest.mark.parametrize("word", ["+info", "+time"])
def test_one_server_of_a_cluster_that_allows_too_little_is_enough_for_a_refusal(guarded_cluster, word):
    allow(guarded_cluster, RULES_IN_A_CLUSTER)
    allow(guarded_cluster[1:2], withheld(word, RULES_IN_A_CLUSTER))
    with pytest.raises(Fault, match="ACL does not allow"):
        SharedReader(of_a_cluster(guarded_cluster, "dirfactor", **ACCOUNT)).examine(NOW)


def test_a_right_that_is_taken_away_is_told_with_its_remedy_and_logons_go_on_when_it_is_back(guarded_cluster):
    allow(guarded_cluster, RULES_IN_A_CLUSTER)
    node = PlainNode(of_a_cluster(guarded_cluster, "dirfactor", **ACCOUNT))
    assert node.consume("taken", 7)
    allow(guarded_cluster, withheld("+time", RULES_IN_A_CLUSTER))
    for _ in range(2):
        node.settle_in()
    with pytest.raises(StateUnavailable, match="ACL does not allow") as caught:
        node.consume("taken", 8)
    assert RIGHTS_IN_A_CLUSTER in caught.value.remedy
    allow(guarded_cluster, RULES_IN_A_CLUSTER)
    node.settle_in()
    assert node.consume("taken", 8)
    node.close()


def test_the_documented_user_goes_after_a_slot_while_it_is_moved_and_when_it_has_been(guarded_cluster):
    allow(guarded_cluster, RULES_IN_A_CLUSTER)
    node = PlainNode(of_a_cluster(guarded_cluster, "dirfactor", **ACCOUNT))
    assert node.consume("moved", 7)
    (name,) = (name for each in guarded_cluster for name in each.cli("KEYS", "dirfactor:*:mark:moved").split())
    slot = guarded_cluster[0].cli("CLUSTER", "KEYSLOT", name)
    source, target, _ = sorted(guarded_cluster, key=lambda each: each.cli("CLUSTER", "COUNTKEYSINSLOT", slot) == "0")
    to = target.cli("CLUSTER", "MYID")
    assert target.cli("CLUSTER", "SETSLOT", slot, "IMPORTING", source.cli("CLUSTER", "MYID")) == "OK"
    assert source.cli("CLUSTER", "SETSLOT", slot, "MIGRATING", to) == "OK"
    keys = source.cli("CLUSTER", "GETKEYSINSLOT", slot, "1000").split("\n")
    around = ("0", "5000", "AUTH2", "administrator", ADMINISTRATOR, "KEYS", *keys)
    assert source.cli("MIGRATE", target.host, str(target.port), "", *around) == "OK"
    assert not node.consume("moved", 7), "the server said ASK"
    assert node.consume("moved", 8)
    for each in (target, source, *guarded_cluster):
        assert each.cli("CLUSTER", "SETSLOT", slot, "NODE", to) == "OK"
    assert not node.consume("moved", 8), "the server said MOVED"
    assert node.consume("moved", 9)
    assert "9" in target.cli("GET", name)
    node.close()


@pytest.mark.parametrize(
    ("name", "trusted", "problem"),
    [
        ("127.0.0.1", True, None),
        ("127.0.0.1", False, "certificate was not accepted: .*self-signed certificate"),
        ("valkey.example.test", True, "certificate was not accepted: .*not valid for '127.0.0.1'"),
    ],
)
def test_over_tls_the_certificates_of_a_clusters_servers_are_verified(tmp_path, name, trusted, problem):
    files = issue(tmp_path / "tls", name)
    other = issue(tmp_path / "other", name)
    with a_cluster(tmp_path, tls=files) as servers:
        section = of_a_cluster(servers, "tls", tls=True, ca_file=files.ca if trusted else other.ca)
        node = PlainNode(section)
        if problem is None:
            everything(node)
            read_everything(SharedReader(section))
        else:
            with pytest.raises(StateUnavailable, match=problem):
                node.consume("otp", 7)
        node.close()


def test_a_clusters_refusal_of_the_password_is_told_as_such(guarded_cluster):
    allow(guarded_cluster, RULES_IN_A_CLUSTER)
    wrong = {"username": "dirfactor", "password": Secret("canary-Valkey-0")}
    node = PlainNode(of_a_cluster(guarded_cluster, "dirfactor", **wrong))
    with pytest.raises(StateUnavailable, match="refuses our name or password"):
        node.consume("otp", 7)
    node.close()


# sentinels


SENTINEL_PASSWORD = "canary-Sentinel-5"


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """A server, and a sentinel that knows it, both over TLS and each with a user of its own; and the authority."""
    folder = tmp_path_factory.mktemp("watched")
    files = issue(folder / "tls", "127.0.0.1")
    users = {
        "watcher": f"on >{SENTINEL_PASSWORD} {RIGHTS_AT_SENTINELS}",
        "outsider": f"on >{SENTINEL_PASSWORD} -@all +ping",
    }
    with (
        running(Valkey(folder / "server", users={"dirfactor": RULES}, tls=files)) as server,
        running(Sentinel(folder / "sentinel", server, users=users, tls=files)) as sentinel,
    ):
        section = behind(sentinel, files.ca)
        wait_until(lambda: usable(section), 20.0, sentinel.process.log_tail)
        yield sentinel, files.ca


def behind(sentinel: Sentinel, ca: Path, name: str = "watcher", password: str = SENTINEL_PASSWORD, **values):
    account = {"sentinel_username": name, "sentinel_password": Secret(password), **ACCOUNT}
    values = {"primary": "logins", **values}
    return settings(sentinel, arrangement=Arrangement.SENTINEL, tls=True, ca_file=ca, **account, **values)


def usable(section) -> bool:
    try:
        SharedReader(section).members()
    except StateUnavailable:
        return False
    return True


def test_sentinels_are_asked_under_their_own_name_and_password(watched):
    section = behind(*watched)
    node = PlainNode(section)
    everything(node)
    read_everything(SharedReader(section))
    node.close()


@pytest.mark.parametrize(
    ("account", "problem", "remedy"),
    [
        ({"password": "canary-Sentinel-0"}, "the sentinels refuse our name or password", "sentinel_password"),
        ({"name": "nobody"}, "the sentinels refuse our name or password", "sentinel_username"),
        ({"primary": "others"}, "where the primary others is: none knows one of this name", "what they call"),
    ],
)
def test_what_sentinels_refuse_is_told_and_keeps_nobody_from_starting(watched, account, problem, remedy):
    node = PlainNode(behind(*watched, **account))
    with pytest.raises(StateUnavailable, match=problem) as caught:
        node.consume("otp", 7)
    assert remedy in caught.value.remedy
    assert "canary" not in str(caught.value)
    node.close()


def test_a_sentinels_acl_that_allows_too_little_is_told_at_the_start_with_what_it_must(watched):
    with pytest.raises(Fault, match="sentinels' ACL does not allow") as caught:
        PlainNode(behind(*watched, name="outsider"))
    assert not isinstance(caught.value, StateUnavailable), "it does not pass by itself"
    assert RIGHTS_AT_SENTINELS in caught.value.remedy


def test_over_tls_a_sentinels_certificate_is_verified(watched, tmp_path):
    sentinel, _ = watched
    node = PlainNode(behind(sentinel, issue(tmp_path / "other", "127.0.0.1").ca))
    with pytest.raises(StateUnavailable, match="certificate was not accepted"):
        node.consume("otp", 7)
    node.close()
