"""Which server is asked: the present one while it answers, none too often, and those that DNS names."""

import contextlib
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dirsync.ad.source import AdSource
from dirsync.errors import DirectoryUnavailable
from dirsync.password import PasswordVerdict
from dirsync.settings import DirectoryKind, DirectorySettings
from dirsync.wire.bind import LdapPasswordCheck
from dirsync.wire.connector import Connector
from dirsync.wire.discovery import Discovery, domain_of
from dirsync.wire.servers import Order, Servers
from dirsync.wire.srv import Record, ordered
from dirsync.wire.surroundings import Surroundings
from rig.ports import LOOPBACK
from rig.proxy import Trouble, between, cut
from schema.errors import Fault
from schema.secret import Secret
from surroundings import SURROUNDINGS

servers = pytest.mark.servers
ALL = ("a", "b", "c")
names = st.sampled_from(ALL)


def test_the_preferred_server_comes_first_and_the_present_one_before_it():
    assert Servers().order(ALL, 0.0) == Order(ALL, ())
    assert Servers().answered("b").order(ALL, 0.0) == Order(("b", "a", "c"), ())


def test_the_present_server_is_left_only_when_it_fails():
    known = Servers().failed("a", 0.0).answered("b")
    assert known.order(ALL, 1000.0) == Order(("b", "a", "c"), ())
    assert known.failed("b", 1000.0).order(ALL, 1000.0) == Order(("a", "c"), ("b",))


def test_each_failure_doubles_the_pause_up_to_a_minute():
    known, now, pauses = Servers(), 0.0, []
    for _ in range(9):
        known = known.failed("a", now)
        pauses.append(known.failing["a"].until - now)
        now = known.failing["a"].until
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_server_that_has_behaved_for_long_is_forgiven():
    known = Servers().failed("a", 0.0).failed("a", 1.0).failed("a", 1000.0)
    assert known.failing["a"].until == 1001.0


def test_paused_servers_are_the_last_resort_and_first_the_one_whose_pause_ends_first():
    known = Servers().failed("a", 0.0).failed("b", 0.5)
    assert known.order(ALL, 0.6) == Order(("c",), ("a", "b"))
    assert known.order(ALL, 1.2) == Order(("a", "c"), ("b",))


@given(st.lists(st.tuples(names, st.booleans(), st.floats(0, 100)), max_size=12), st.floats(0, 2000))
def test_whatever_has_happened_every_server_is_asked_and_none_twice(history, now):
    known = Servers()
    for server, well, instant in history:
        known = known.answered(server) if well else known.failed(server, instant)
    order = known.order(ALL, now)
    assert sorted(order.ready + order.paused) == list(ALL)


def test_srv_records_go_by_priority_and_within_one_by_weight():
    records = [
        Record(2, 0, 389, "late"),
        Record(1, 30, 389, "large"),
        Record(1, 10, 389, "small"),
        Record(1, 0, 1, "none"),
    ]
    random = Random(1)
    drawn = [ordered(records, random.randrange) for _ in range(2000)]
    assert all(len(set(one)) == 4 and one[-1].host == "late" for one in drawn)
    first = Counter(one[0].host for one in drawn)
    assert 1350 < first["large"] < 1600
    assert 350 < first["small"] < 600
    assert 0 < first["none"] < 120


@pytest.mark.parametrize(
    ("domain", "base", "expected"),
    [
        (None, "DC=lab,DC=example,DC=test", "lab.example.test"),
        (None, "OU=People, dc=Example,dc=ORG", "example.org"),
        ("corp.example.org.", "DC=x", "corp.example.org"),
        (None, "O=Example", ""),
        (None, "no DN", ""),
        (None, "", ""),
    ],
)
def test_the_domain_is_that_of_the_setting_or_of_the_base(domain, base, expected):
    assert domain_of(DirectorySettings(domain=domain, base=base)) == expected


def settings(**given):
    defaults = {
        "kind": DirectoryKind.AD,
        "base": "DC=lab,DC=example,DC=test",
        "bind_dn": "reader@lab.example.test",
        "bind_password": Secret("Copper-Ladder-63"),
        "timeout_seconds": 1.0,
    }
    return DirectorySettings(**(defaults | given))


@pytest.mark.parametrize("server", ["dns.example.test", "127.0.0.1:none", "127.0.0.1:99999", ""])
def test_a_dns_server_is_an_address(server):
    with pytest.raises(Fault, match="dns_servers") as fault:
        Discovery(settings(dns_servers=(server,)), SURROUNDINGS)
    assert "192.0.2.53" in fault.value.remedy


DOMAIN = "_ldap._tcp.dc._msdcs.lab.example.test"
VIENNA = "_ldap._tcp.Vienna._sites.dc._msdcs.lab.example.test"


@servers
def test_the_site_comes_before_the_domain_and_each_server_once(dns):
    dns.start(
        [(VIENNA, "dc3.lab.example.test", 389, 0, 100)]
        + [(DOMAIN, f"dc{number}.lab.example.test", 389, number, 100) for number in (1, 2, 3)]
    )

    def found(**given):
        return Discovery(settings(dns_servers=(dns.address,), **given), SURROUNDINGS).servers()

    assert found() == tuple(f"ldaps://dc{number}.lab.example.test" for number in (1, 2, 3))
    assert found(site="Vienna") == tuple(f"ldaps://dc{number}.lab.example.test" for number in (3, 1, 2))
    assert found(site="Graz") == found()
    assert found(start_tls=True)[0] == "ldap://dc1.lab.example.test:389"


@servers
def test_dns_is_asked_again_when_a_server_fails_and_after_minutes_and_what_it_said_holds_while_it_is_away(dns):
    time = [0.0]
    dns.start([(DOMAIN, "old", 389, 0, 0)])
    found = Discovery(settings(dns_servers=(dns.address,)), Surroundings(lambda: time[0], Random(1).randrange))
    assert found.servers() == ("ldaps://old",)
    dns.start([(DOMAIN, "new", 389, 0, 0)])
    time[0] = 10.0
    assert found.servers() == ("ldaps://old",)
    found.doubt()
    assert found.servers() == ("ldaps://new",)
    dns.start([(DOMAIN, "newer", 389, 0, 0)])
    time[0] = 309.0
    assert found.servers() == ("ldaps://new",)
    time[0] = 310.0
    assert found.servers() == ("ldaps://newer",)
    dns.stop()
    time[0] = 1000.0
    assert found.servers() == ("ldaps://newer",)


@servers
def test_without_records_the_name_that_was_asked_for_is_in_the_fault(dns):
    dns.start()
    with pytest.raises(DirectoryUnavailable) as fault:
        Connector(settings(dns_servers=(dns.address,)), SURROUNDINGS).sign_in()
    assert DOMAIN in fault.value.problem
    assert "dns_servers" in fault.value.remedy


@servers
def test_a_domain_controller_found_in_dns_is_read_and_asked_for_passwords(samba_dc, dns):
    # an address in place of a name: the tests' names are in no resolver of this machine
    dns.start([(DOMAIN, "127.0.0.1", 1, 0, 0), (DOMAIN, samba_dc.address, 389, 1, 0)])
    given = settings(
        dns_servers=(dns.address,),
        base=samba_dc.base_dn,
        ca_file=samba_dc.ca_file,
        bind_dn=samba_dc.admin,
        bind_password=Secret(samba_dc.admin_password),
        start_tls=True,
    )
    dn = samba_dc.add_user("found-in-dns", "Silver-Fern-17")
    with contextlib.closing(AdSource(given, SURROUNDINGS)) as source:
        assert source.netbios_name() == samba_dc.netbios
    with contextlib.closing(LdapPasswordCheck(given, SURROUNDINGS)) as check:
        assert check.check(dn, "Silver-Fern-17") is PasswordVerdict.RIGHT


@servers
def test_a_reader_changes_to_another_server_when_its_own_fails_and_stays_there(samba_dc):
    one, two = Trouble(), Trouble()
    with between(samba_dc.address, 636, one) as first, between(samba_dc.address, 636, two) as second:
        given = settings(
            url=(f"ldaps://{LOOPBACK}:{first}", f"ldaps://{LOOPBACK}:{second}"),
            base=samba_dc.base_dn,
            ca_file=samba_dc.ca_file,
            bind_dn=samba_dc.admin,
            bind_password=Secret(samba_dc.admin_password),
        )
        with contextlib.closing(AdSource(given, SURROUNDINGS)) as source:
            assert source.netbios_name()
            assert two.passed == 0
            one.after, one.act = one.passed, cut
            assert source.netbios_name()
            assert one.happened.is_set()
            assert two.passed > 0
            one.after, quiet = 1 << 62, one.passed
            one.happened.clear()
            assert source.netbios_name()
            assert one.passed == quiet
