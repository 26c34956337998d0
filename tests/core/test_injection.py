"""A login name means itself, whatever characters it is made of: to a filter, a DN, a statement of SQL or a pattern."""

from contextlib import closing

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from auth.login_name import names_meant
from dirsync.replica import Replica, ReplicaWriter
from schema.words import UserIdAttribute
from small_directory import SOURCE, directory, increment, thing, whole_put

PIECES = (
    *("a", "b", "@", "@b", "cn=", "dc=lab"),
    *("*", "(", ")", "(uid=", "&", "|", "!", "=", ">=", "~=", "\\", "\\2a"),  # of a filter
    *(",", "+", '"', "<", ">", ";", "#", "/", "?"),  # of a DN, or a URL
    *("'", "''", "--", " or 1=1", "%", "_", ":a"),  # of a statement of SQL
    *("{0}", "%s", "$", "[a]"),  # of a template or a pattern
)
TEXTS = st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join)
ATTACKS = (
    *("*", "a*", "a)(uid=*", "*)(|(uid=*", "a))(|(cn=a", "a\\2a"),
    *("cn=a,dc=lab,dc=example", 'cn="a",dc=lab,dc=example', "a' or '1'='1", "a'; DROP TABLE entry; --"),
    *("_", "%", "a@*", "%@%", "[a]"),
)
"""None of them is anybody's name."""
PEOPLE = ("a", "b", "ab", "a)(uid=b", "x*", "'", "a,b", "#a", "a=b", "%b")


def mail(name: str) -> str:
    return f"{name}@b"


@pytest.fixture(scope="module")
def replica(tmp_path_factory):
    """People some of whose names are made of the same characters."""
    path = tmp_path_factory.mktemp("names") / "replica.sqlite"
    things = directory(
        *(thing(f"p{number}", "user", samaccountname=name, mail=mail(name)) for number, name in enumerate(PEOPLE))
    )
    with closing(ReplicaWriter(path)) as writer:
        writer.apply(increment(whole_put(things, item) for item in things.values()), SOURCE)
    with closing(Replica(path)) as replica:
        yield replica


def found(replica, text):
    """The names of whom a client means that writes this."""
    meant = names_meant(text, UserIdAttribute.ANY, replica.domains())
    people = map(replica.person, replica.find(meant.names, meant.directory) if meant.names else ())
    return {person.user.sam for person in people}


@pytest.mark.parametrize("text", ATTACKS)
def test_what_would_match_others_in_a_filter_a_dn_a_statement_or_a_pattern_is_nobody(replica, text):
    assert found(replica, text) == set()


@given(text=TEXTS)
@example(text="a)(uid=b")
@example(text="a)(uid=b@b")
@example(text="x*")
def test_a_login_name_finds_who_has_that_very_name_and_nobody_else(replica, text):
    typed = text.strip()
    named = {name for name in PEOPLE if typed == (mail(name) if "@" in typed else name)}
    assert found(replica, text) == named
