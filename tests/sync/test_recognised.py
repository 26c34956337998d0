"""A directory whose kind is not configured is followed as what its server says that it is."""

import pytest

from dirsync.directory import source
from dirsync.errors import DirectoryRefused, DirectoryUnavailable
from dirsync.recognised import recognise
from dirsync.settings import DirectoryKind, DirectorySettings
from dirsync.wire.connector import Connector
from dirsync.wire.search import Page, converse
from real_domain import now, settings
from schema.secret import Secret
from surroundings import SURROUNDINGS

CAPABILITIES = [b"1.2.840.113556.1.4.1670", b"1.2.840.113556.1.4.800"]


def recognised(said):
    return converse(recognise(), lambda search: Page(iter([("", said)])))


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"supportedCapabilities": CAPABILITIES}, DirectoryKind.AD),
        ({"objectClass": [b"top", b"OpenLDAProotDSE"]}, DirectoryKind.OPENLDAP),
        ({"objectClass": [b"top"], "vendorversion": [b"389-Directory/2.3.1 B2023.000"]}, DirectoryKind.DS389),
    ],
)
def test_a_server_is_known_by_its_root_entry(said, kind):
    assert recognised(said) is kind


@pytest.mark.parametrize("said", [{}, {"objectClass": [b"top"], "supportedCapabilities": [b"1.2.3"]}])
def test_a_server_of_another_kind_is_refused_and_the_way_out_is_named(said):
    with pytest.raises(DirectoryRefused) as fault:
        recognised(said)
    assert "kind" in fault.value.remedy


def unreachable():
    return DirectorySettings(
        kind=DirectoryKind.AUTO,
        url=("ldaps://127.0.0.1:1",),
        base="dc=example,dc=org",
        bind_dn="cn=sync",
        bind_password=Secret("x"),
    )


def test_while_no_server_answers_it_is_known_what_a_cookie_is_for_and_nothing_is_heard():
    directory = source(unreachable(), SURROUNDINGS)
    assert directory.identity == source(unreachable(), SURROUNDINGS).identity
    assert not directory.wait(0.01)
    with pytest.raises(DirectoryUnavailable):
        directory.changes(None, now())
    assert directory.method == "not asked yet"
    directory.close()


@pytest.mark.servers
def test_a_domain_is_followed_as_active_directory(dc, lab):
    directory = source(settings(dc, kind=DirectoryKind.AUTO), SURROUNDINGS)
    batch = directory.changes(None, now())
    assert batch.refresh
    assert directory.method.startswith("DirSync")
    assert not directory.changes(batch.cookie, now()).refresh
    directory.close()


def tree(server):
    return DirectorySettings(
        kind=DirectoryKind.AUTO,
        url=(server.ldaps,),
        base=server.base_dn,
        bind_dn=server.sync,
        bind_password=Secret(server.sync_password),
        ca_file=server.ca_file,
    )


@pytest.mark.servers
@pytest.mark.parametrize(("fixture", "kind"), [("fresh_slapd", DirectoryKind.OPENLDAP), ("ds389", DirectoryKind.DS389)])
def test_a_real_server_says_what_it_is(request, fixture, kind):
    server = request.getfixturevalue(fixture)
    connection = Connector(tree(server), SURROUNDINGS).sign_in()
    assert converse(recognise(), connection.search) is kind
    connection.close()


@pytest.mark.servers
def test_a_tree_is_followed_as_openldap(fresh_slapd):
    directory = source(tree(fresh_slapd), SURROUNDINGS)
    assert directory.changes(None, now()).refresh
    assert directory.method.startswith("OpenLDAP")
    directory.close()
