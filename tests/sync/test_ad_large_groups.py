"""A group of thousands is read whole, in one piece and in ranges, whichever way its domain is read."""

import pytest

from dirsync.ad.controls import EXTENDED_DN
from dirsync.ad.reading import take
from dirsync.change import LinkKind
from dirsync.settings import ChangeFeed
from dirsync.wire.connector import Connector
from dirsync.wire.search import Search, converse
from real_domain import Follower, settings
from surroundings import SURROUNDINGS

pytestmark = pytest.mark.servers

COUNT = 5000


@pytest.fixture(scope="module")
def large_dc(schema_dc, tmp_path_factory):
    """The domain controller with an OU of many users, and the group `crowd` of all of them."""
    everybody = f"OU=Crowd,{schema_dc.base_dn}"
    users = [f"CN=m{number},{everybody}" for number in range(COUNT)]
    records = [
        f"dn: {everybody}\nobjectClass: organizationalUnit\n",
        *(f"dn: {dn}\nobjectClass: user\nsAMAccountName: {dn[3 : dn.index(chr(44))]}\n" for dn in users),
        f"dn: CN=crowd,{everybody}\nobjectClass: group\nsAMAccountName: crowd\n"
        + "".join(f"member: {dn}\n" for dn in users),
    ]
    ldif = tmp_path_factory.mktemp("crowd") / "crowd.ldif"
    ldif.write_text("\n".join(records))
    schema_dc.bulk_load(ldif)
    return schema_dc


@pytest.mark.parametrize("feed", [ChangeFeed.DIRSYNC, ChangeFeed.USN])
def test_of_thousands_of_members_each_is_found_and_each_that_goes_is_missed(large_dc, tmp_path, feed):
    follower = Follower(tmp_path, settings(large_dc, changes=feed))
    last = COUNT - (1 if feed is ChangeFeed.DIRSYNC else 2)
    try:
        for sam in ("m0", "m1500", f"m{last}"):
            assert "crowd" in {membership.group.name for membership in follower.person(sam).groups}
        crowd = f"CN=crowd,OU=Crowd,{large_dc.base_dn}"
        gone = f"CN=m{last},OU=Crowd,{large_dc.base_dn}"
        large_dc.ldapmodify(f"dn: {crowd}\nchangetype: modify\ndelete: member\nmember: {gone}\n")
        assert follower.follow() is False
        assert "crowd" not in {membership.group.name for membership in follower.person(f"m{last}").groups}
        assert "crowd" in {membership.group.name for membership in follower.person("m1500").groups}
    finally:
        follower.close()


def test_members_that_a_server_gives_in_ranges_are_the_same_as_in_one_piece(large_dc):
    connection = Connector(settings(large_dc), SURROUNDINGS).sign_in()

    def members(attribute):
        found = []
        page = yield Search(dn, ("objectGUID", attribute), controls=(EXTENDED_DN,))
        yield from take(page, lambda entry: entry.put(whole=True), found)
        return found[0].links[LinkKind.MEMBER].added

    dn = f"CN=crowd,OU=Crowd,{large_dc.base_dn}"
    whole = converse(members("member"), connection.search)
    # what Windows does by itself, beyond MaxValRange
    in_ranges = converse(members("member;range=0-1499"), connection.search)
    connection.close()
    assert len(set(whole)) == len(whole) > 1500
    assert set(in_ranges) == set(whole)
    assert len(in_ranges) == len(whole)
