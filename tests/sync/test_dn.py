"""Laws of DN handling, RFC 4514, and agreement with libldap."""

import ldap
import ldap.dn
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schema.dn import fold, is_below, join, parent, rdn, rebase, split

# everything that needs an escape, that has a case, or that normalises
CHARACTERS = st.one_of(st.sampled_from(' \\"+,;<=>#\x00ABab09ßİﬁÅ\uff0c\n'), st.characters(exclude_categories=["Cs"]))
VALUES = st.text(CHARACTERS, max_size=8)
TYPES = st.sampled_from(["cn", "CN", "ou", "dc", "uid", "2.5.4.3", "x-a1"])
RDNS = st.lists(st.tuples(TYPES, VALUES, st.just(1)), min_size=1, max_size=3)
DECOMPOSED = st.lists(RDNS, max_size=5)
DNS = DECOMPOSED.map(ldap.dn.dn2str)
NONEMPTY = st.lists(RDNS, min_size=1, max_size=5).map(ldap.dn.dn2str)
TEXTS = st.one_of(
    st.text(max_size=12),
    st.text('cn=ab,+\\ #"0Af;<>', max_size=16),
    st.lists(st.sampled_from(["cn", "=", ",", "+", " ", "a", "\\", "\\2c", "\\,", "#", "04", "="]), max_size=12).map(
        "".join
    ),
)


def read_by_libldap(dn):
    """The DN as libldap takes it apart: types in lower case and values, as a list of sets."""
    return [{(kind.lower(), value) for kind, value, _ in rdn} for rdn in ldap.dn.str2dn(dn)]


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("", ""),
        ("UID=jsmith,DC=example,DC=net", "uid=jsmith,dc=example,dc=net"),  # RFC 4514 section 4
        ("OU=Sales+CN=J.  Smith,DC=example,DC=net", "cn=j. smith+ou=sales,dc=example,dc=net"),
        ('CN=James \\"Jim\\" Smith\\, III,DC=net', 'cn=james \\"jim\\" smith\\, iii,dc=net'),
        ("CN=Before\\0dAfter,DC=net", "cn=before after,dc=net"),
        ("1.3.6.1.4.1.1466.0=#04024869", "1.3.6.1.4.1.1466.0=#04024869"),
        ("CN=Lu\\C4\\8Di\\C4\\87", "cn=lučić"),
        ("cn=a\\0ADEL:0b,CN=Deleted Objects", "cn=a del:0b,cn=deleted objects"),  # an AD tombstone
        ("cn = a\\  , dc = b", "cn=a,dc=b"),
        ("cn=\\#a", "cn=\\#a"),
        ("cn=a=b", "cn=a\\=b"),
        ("cn=STRASSE", "cn=strasse"),
        ("cn=Straße", "cn=strasse"),
        ("cn=\u3386", "cn=mb"),  # a sign without case that normalises to letters with one
        ("cn=\uff0cdc\uff1da", "cn=\\,dc\\=a"),  # and two that normalise to what separates
    ],
)
def test_fold_gives_the_compared_form(written, folded):
    assert fold(written) == folded


@pytest.mark.parametrize(
    "text",
    [
        *("alice", "cn", "=a", "1.=a", "c n=a", "-c=a", "\u212an=a"),
        *("cn=a,", ",cn=a", "cn=a,,dc=b", "cn=a+", "cn=a;dc=b"),
        *("cn=a<b", 'cn="a"', "cn=a\x00", "cn=a\\", "cn=a\\z", "cn=\\ff", "cn=#zz", "cn= #zz", "cn=#1"),
    ],
)
def test_text_that_is_no_dn_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011 - RFC 4514 has no finer word for it
        fold(text)


@given(DNS)
def test_fold_of_a_fold_is_itself(dn):
    assert fold(fold(dn)) == fold(dn)


@given(DECOMPOSED)
def test_fold_forgets_only_case_space_and_order(rdns):
    changed = [[(kind.upper(), f"  {value} ".replace(" ", "  "), 1) for kind, value, _ in rdn[::-1]] for rdn in rdns]
    assert fold(ldap.dn.dn2str(changed)) == fold(ldap.dn.dn2str(rdns))


@given(DECOMPOSED, DECOMPOSED)
@example([[("cn", "a,dc=b", 1)]], [[("cn", "a", 1)], [("dc", "b", 1)]])
@example([[("cn", "#04", 1)]], [[("cn", "\\#04", 1)]])
def test_equal_folds_have_equal_rdns(one, other):
    """What fold makes equal is equal RDN for RDN: no value can imitate the structure of a DN."""
    dns = [ldap.dn.dn2str(rdns) for rdns in (one, other)]
    if fold(dns[0]) == fold(dns[1]):
        assert len(one) == len(other)
        for left, right in zip(one, other, strict=True):
            assert fold(ldap.dn.dn2str([left])) == fold(ldap.dn.dn2str([right]))
    else:
        assert one != other


@given(DNS)
def test_libldap_reads_a_fold_as_the_same_dn(dn):
    """libldap is the foreign implementation: it takes our canonical form apart into the values we put in."""
    prepared = [
        {tuple(fold(ldap.dn.dn2str([[(kind, value, 1)]])).split("=", 1)) for kind, value in rdn}
        for rdn in read_by_libldap(dn)
    ]
    read = [
        {(kind, fold(f"{kind}={ldap.dn.escape_dn_chars(value)}").split("=", 1)[1]) for kind, value in rdn}
        for rdn in read_by_libldap(fold(dn))
    ]
    assert read == prepared


@given(TEXTS)
def test_what_we_take_for_a_dn_libldap_takes_for_the_same(text):
    try:
        rdn, above = split(text) if text else ("", "")
        fold(text)
    except ValueError:
        return
    whole = read_by_libldap(text)
    assert whole[:1] == read_by_libldap(rdn)
    assert whole[1:] == read_by_libldap(above)


@given(NONEMPTY)
def test_split_and_join_are_inverse(dn):
    rdn, above = split(dn)
    assert join(rdn, above) == dn
    assert above == parent(dn)
    assert fold(dn) == join(fold(rdn), fold(above))


def test_the_empty_dn_has_no_parent():
    with pytest.raises(ValueError, match="no parent"):
        parent("")


@given(DNS, DNS)
def test_below_is_having_the_base_among_the_parents(dn, base):
    above = []
    rest = dn
    while rest:
        rest = parent(rest)
        above.append(fold(rest))
    assert is_below(dn, base) == (fold(base) in above)


@given(NONEMPTY, DNS)
def test_everything_under_a_base_is_below_it_and_the_base_is_not(dn, base):
    assert is_below(join(dn, base), base)
    assert not is_below(base, base)


@given(NONEMPTY, DNS, DNS)
def test_rebase_changes_only_the_base(dn, base, onto):
    assert rebase(join(dn, base), base, onto) == join(dn, onto)


def test_rebase_of_something_elsewhere_is_refused():
    with pytest.raises(ValueError, match="not below"):
        rebase("cn=a,dc=b", "dc=c", "dc=d")


@given(TYPES, VALUES.filter(bool))
def test_a_name_made_of_a_value_says_that_value_and_has_no_bare_equals_sign(kind, value):
    made = rdn(kind, value)
    assert read_by_libldap(made) == [{(kind.lower(), value)}]
    assert made.replace("\\\\", "").replace("\\=", "").count("=") == 1  # Samba refuses any other
