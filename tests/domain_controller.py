"""Canned answers of a domain controller, and a dialogue that is held on them."""

from dirsync.ad.controls import DIRSYNC, EXTENDED_DN, PAGED, dirsync, entry_id
from dirsync.ad.dialogue import read_changes
from dirsync.ad.question import WHERE, domain
from dirsync.change import LinkKind
from dirsync.errors import DirectoryRefused
from dirsync.settings import ChangeFeed
from dirsync.wire import ber
from dirsync.wire.search import Page, Scope, Search, converse

BASE = "DC=lab,DC=example,DC=test"
WANTED = domain(BASE, ("departmentNumber",))
DC1 = "CN=NTDS Settings,CN=DC1,CN=Servers,CN=Site,CN=Sites,CN=Configuration,DC=lab,DC=example,DC=test"
LAB = bytes(16)
DC2 = DC1.replace("DC1", "DC2")
FULL_FLAGS = 0x1
SINCE_FLAGS = 0x80000001
MEMBER, POLICY, NODE_MEMBER = LinkKind.MEMBER, LinkKind.POLICY, LinkKind.NODE_MEMBER


def guid(number):
    return bytes(range(15)) + bytes([number])


def ident(number):
    return entry_id(guid(number))


def named(number, dn=None):
    return f"<GUID={guid(number).hex()}>;<SID=0105>;{dn or f'CN=e{number},{BASE}'}"


def value(number):
    return named(number).encode()


def ghost(number):
    return named(number, rf"CN=e{number}\0ADEL:x,CN=Deleted Objects,{BASE}")


def entry(number, dn=None, **attributes):
    return named(number, dn), {"objectGUID": [guid(number)], "instanceType": [b"4"], **attributes}


def page(*entries, more=0, cookie=b"raw"):
    response = ber.sequence(ber.integer(more), ber.integer(0), ber.octet_string(cookie))
    return Page(iter(entries), {DIRSYNC: response})


def plain(attributes):
    return Page(iter([("", attributes)]))


def refused(*entries, fault=None):
    def answer():
        yield from entries
        raise fault or DirectoryRefused("Critical extension is unavailable", remedy="-")

    return Page(answer())


def hello(usn=100, name=DC1, invocation=b"I1", base=BASE, domain_guid=LAB, witnesses=(), **more):
    root = {"dsServiceName": [name.encode()], "highestCommittedUSN": [str(usn).encode()]}
    root |= {"defaultNamingContext": [base.encode()], "isSynchronized": [b"TRUE"]} | more
    who = plain(root), plain({"invocationId": [invocation]}), plain({"objectGUID": [domain_guid]})
    return *who, Page(iter([("", one) for one in witnesses]))


class Conversation:
    """Holds a dialogue to its end on canned answers, and keeps what was asked and heard."""

    def __init__(self, cookie, *answers, feed=ChangeFeed.AUTO, wanted=WANTED):
        self.asked = []
        self.changes = []
        waiting = list(answers)

        def ask(search):
            self.asked.append(search)
            return waiting.pop(0)

        self.answer = converse(read_changes(wanted, feed, cookie, self.changes), ask)
        assert not waiting, "the dialogue ended before all answers were heard"

    @property
    def walks(self):
        """The searches that bring changes, not those for witnesses."""
        return [search for search in self.asked if search.scope is Scope.SUBTREE and len(search.attributes) > 3]


def cookie_after(*answers):
    """The cookie of a full read."""
    return Conversation(None, *(answers or (*hello(), page(cookie=b"first")))).answer.cookie


def since(*entries, **control):
    """What is heard after a full read, in one page."""
    talk = Conversation(cookie_after(), *hello(usn=101), page(*entries, **control))
    assert not talk.answer.refresh
    return talk


def read(*entries):
    """What is heard in a full read, in one page."""
    talk = Conversation(None, *hello(), page(*entries))
    assert talk.answer.refresh
    return talk


def asked_with(flags, cookie):
    return Search(BASE, WANTED.attributes, Scope.SUBTREE, WHERE, (dirsync(flags, cookie), EXTENDED_DN))


def cut(*entries, cookie=b""):
    """One page of a paged search."""
    return Page(iter(entries), {PAGED: ber.sequence(ber.integer(0), ber.octet_string(cookie))})
