"""The real service in the same world: its decision, judges and state store; only what lies outside is played."""

import tempfile
from collections.abc import Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import msgspec

from auth.channels.base import DeliveryFailed, Receipt
from auth.chap.response import Response, Shown
from auth.clock import Clock, Entropy
from auth.code_check import CodeCheck
from auth.embedded_state import EmbeddedStore
from auth.facts import CodeVerdict, NodeFacts, Reach
from auth.facts_reader import FactsReader, Rules
from auth.judges.base import Checked
from auth.judges.minted import MintedJudge
from auth.judges.pin import PinJudge
from auth.judges.response import ResponseJudge
from auth.judges.vip import VipJudge
from auth.keys.ring import KEY_OCTETS, Key, Ring
from auth.memorised.pin import pin_value
from auth.memorised.temporary_response import TemporaryResponse, response_value
from auth.nodes import KnownNode
from auth.otp.sealed import sealed_token
from auth.otp.token import SoftwareToken
from auth.performing import Performer
from auth.repeats import Repeats
from auth.request import AnswerRequest, Challenged, Door, LoginRequest, Origin
from auth.service import LoginService, Parts
from auth.turn import Turns
from auth.vip.faults import VipUnavailable
from auth.vip.reasons import look_up
from auth.vip.verdict import Verdict
from dirsync.password import PasswordVerdict
from dirsync.view import Ancestor, Freshness, Membership, Person, PolicyLink
from schema.entry import AccessNode, AttributeText, Container, Group, Policy, User
from schema.errors import Fault, Malformed
from schema.hours import LogonHours, Window
from schema.secret import Secret
from schema.words import KeywordKind, LoginMode, Method, SendMode, TokenKind

START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
RING = Ring((Key(bytes(range(KEY_OCTETS)), START - timedelta(days=400)),))
ALICE = b"alice".ljust(16, b".")
TABLES = ("challenge", "failure", "event", "mark", "stock", "kept", "spend", "note")
WORDS = {
    "first_method": Method,
    "second_method": Method,
    "sms_mode": SendMode,
    "email_mode": SendMode,
    "sms_keyword_kind": KeywordKind,
    "email_keyword_kind": KeywordKind,
}
HOURS = {
    None: None,
    "never": None,
    "always": LogonHours(tuple(Window(day, 0, 1440) for day in range(7)), "UTC"),
}
NEVER = LogonHours((Window(0, 0, 0),), "UTC")
GRIDS = {None: None, "never": bytes(21), "always": b"\xff" * 21}


class Real:
    """The service, with a clock that the driver moves and an outbox that it reads."""

    def __init__(self, store: EmbeddedStore, world: dict) -> None:
        self.world = world
        self.now = 0
        self.messages: list[tuple[str, list[str]]] = []
        self.drawn = 0
        self.octets = 0
        self.state: Secret | None = None
        self.used: Secret | None = None
        self.store = store
        self.edited()
        entropy = Entropy(self._octets, self._below)
        clock = Clock(lambda: START + timedelta(seconds=self.now), lambda: float(self.now))
        self.known = FactsReader(self, self, self.rules, lambda: frozenset({RING.current.id}))
        minted = MintedJudge(store, b"k" * 32, self._below)
        judges = {
            TokenKind.SMS: minted,
            TokenKind.EMAIL: minted,
            TokenKind.VIP: VipJudge(store, self, b"k" * 32, self._octets),
            TokenKind.TOTP: PlayedTokens(world["codes"]["totp"]),
            TokenKind.HOTP: PlayedTokens(world["codes"]["hotp"]),
        }
        comparers = {kind: judge for kind, judge in judges.items() if kind is not TokenKind.VIP}
        codes = CodeCheck(store, judges, ResponseJudge(store, lambda: RING), comparers)
        performer = Performer(
            passwords=self,
            store=store,
            minted=minted,
            pins=PinJudge(store, lambda: RING),
            codes=codes,
            delivery=self,
            vip=self,
            repeats=Repeats(store, b"k" * 32, clock, entropy, 4.0),
            entropy=entropy,
        )
        self.service = LoginService(
            Parts(
                known=self.known,
                store=store,
                performer=performer,
                audit=self,
                journal=self,
                clock=clock,
                entropy=entropy,
                refusal_seconds=0.0,
            )
        )

    def shown(self, text: str) -> Shown:
        """What was typed, as the client shows it."""
        return Secret(text)

    def edited(self) -> None:
        """Read the world anew."""
        self._policies = {name: policy(name, values) for name, values in self.world["policies"].items()}
        self._person = person(self.world, self._link)
        self._node = node(self.world["node"], self._link)
        default = self.world["server_default"]
        configured = self.world["configured"]
        reach = Reach(
            frozenset({"gateway"} if "sms" in configured else ()),
            frozenset({"relay"} if "email" in configured else ()),
            vip="vip" in configured,
        )
        self.rules = Rules(default and policy("default", default), self.world["expired_after"], "AT", reach)
        if hasattr(self, "known"):
            # as of a reader made anew, which is what a reload of config.ini brings
            object.__setattr__(self.known, "rules", self.rules)
            self.known._reached.clear()

    # the two verbs

    async def begin(self, password: str | None, code: str | None, caller: str) -> tuple:
        typed = [None if password is None else self.shown(password), None if code is None else Secret(code)]
        return self._told(await self.service.begin(LoginRequest(_origin(caller), "alice", typed[0], typed[1])))

    async def answer(self, text: str) -> tuple:
        self.used, self.state = self.state or Secret("nothing"), None
        return self._told(await self.service.answer(AnswerRequest(_origin(""), self.used, self.shown(text))))

    async def again(self, text: str) -> tuple:
        """An answer to a challenge that was answered already."""
        used = self.used or Secret("nothing")
        return self._told(await self.service.answer(AnswerRequest(_origin(""), used, Secret(text))))

    def _told(self, outcome) -> tuple:
        if isinstance(outcome, Challenged):
            self.state = outcome.state
            return ("challenged", str(outcome.reason), str(outcome.method))
        return (type(outcome).__name__.lower(), str(outcome.reason), None)

    # a directory and its access nodes: `dirsync.view.Directory`, `auth.nodes.Nodes`

    def find(self, _names, _directory=None):
        return tuple(bytes([number]) for number in range(self.world["found"]))

    def person(self, _user):
        return self._person

    def freshness(self, _directory=None):
        age = self.world["age"]
        return Freshness(7, None if age is None else START - timedelta(seconds=age))

    def domains(self):
        return {}

    def named(self, _name):
        return self._node

    def _link(self, name: str | None) -> PolicyLink | None:
        if name is None:
            return None
        key = name.encode().ljust(16, b".")
        return PolicyLink(key, f"cn={name}" if name in self._policies else None, self._policies.get(name))

    # everything outside: passwords, VIP, delivery, audit, journal, entropy

    async def ask(self, _directory, _dn, password: Secret) -> PasswordVerdict:
        return PasswordVerdict(self.world["passwords"].get(password.text, "wrong"))

    async def validate(self, _credentials: Sequence[str], code: Secret) -> Verdict:
        word = self.world["codes"]["vip"]["verdicts"].get(code.text, "wrong")
        if word == "unavailable":
            raise VipUnavailable("VIP is down", remedy="wait")
        if word == "misconfigured":
            raise Fault("VIP does not know us", remedy="renew the certificate")
        return vip_says({"right": "0000", "drifted": "4923"}.get(word, "49B5"))

    async def resynchronise(self, _credentials, first: Secret, second: Secret) -> Verdict:
        right = self.world["codes"]["vip"]["second"].get(second.text) == first.text
        return vip_says("0000" if right else "49B5")

    async def send(self, _credentials) -> Verdict:
        self.messages.append(("vip", []))
        return vip_says("0000")

    async def deliver(self, token, _policy, codes: Sequence[Secret], _errand) -> Receipt:
        if token.kind in self.world["down"]:
            raise DeliveryFailed("the gateway is down", remedy="wait")
        self.messages.append((str(token.kind), [code.text for code in codes]))
        return Receipt("gateway")

    def write_all(self, _lines) -> None:
        """The audit is somebody else's subject."""

    def keep_all(self, events) -> list:
        """So is the journal."""
        return [None] * len(events)

    def _octets(self, number: int) -> bytes:
        self.octets += 1
        return self.octets.to_bytes(number, "big")

    def _below(self, limit: int) -> int:
        self.drawn += 1
        return self.world["draws"][self.drawn - 1] % limit


@dataclass
class PlayedTokens:
    """`auth.judges.base.Judge` for a software token of which the codes are known."""

    known: dict

    async def check(self, asked, typed: Secret, _now) -> Checked:
        text, held = typed.text, asked.challenge.held if asked.challenge else None
        if held is not None:
            right = self.known["second"].get(text) == held.decode()
            return Checked(CodeVerdict.RIGHT if right else CodeVerdict.WRONG)
        word = self.known["verdicts"].get(text, "wrong")
        if word == "drifted":
            return Checked(CodeVerdict.RESYNCHRONISE, violation=False, held=text.encode())
        return Checked(CodeVerdict(word))

    async def compare(self, asked, response: Response, now) -> Checked:
        known = (Secret(text) for codes in self.known.values() for text in codes)
        code = next((code for code in known if response.proves(code)), Secret("nothing"))
        checked = await self.check(asked, code, now)
        return msgspec.structs.replace(checked, proven=code if checked.verdict is CodeVerdict.RIGHT else None)


def vip_says(reason_code: str) -> Verdict:
    return Verdict(look_up(reason_code).kind, reason_code, "VSST12345678", "")


def _origin(caller: str) -> Origin:
    return Origin(Door.RADIUS, "vpn", "0123456789abcdef", "192.0.2.7", caller=caller, station=caller)


def policy(name: str, values: dict) -> Policy:
    """The policy as the directory's parser would have made it."""
    settings = {key: WORDS[key](value) if key in WORDS else value for key, value in values.items()}
    settings["token_order"] = tuple(TokenKind(kind) for kind in values["token_order"])
    hours = values["logon_hours"]
    settings["logon_hours"] = NEVER if hours == "never" else HOURS[hours]
    settings["malformed"] = (bad(values["malformed"]),) if values["malformed"] else ()
    return Policy(name=name, **settings)


def bad(attribute: str) -> Malformed:
    return Malformed(attribute, "smoke", "something else")


def person(world: dict, link) -> Person:
    """Alice, her groups and what she stands in."""
    known = world["user"]
    texts = [AttributeText(name, known[name]) for name in ("mobile", "mail") if known[name] is not None]
    user = User(
        sam="alice",
        disabled=known["disabled"],
        starts_at=instant(known["starts_at"]),
        expires_at=instant(known["expires_at"]),
        locked_at=instant(known["locked_at"]),
        logon_grid=GRIDS[known["hours"]],
        texts=tuple(texts),
        tokens=tuple(TokenKind(kind) for kind in known["tokens"]),
        vip_credentials=tuple(known["credentials"]),
        phone=known["phone"],
        mail_override=known["mail_override"],
        pin=pin(known["pin"]),
        pin_set_at=instant(known["pin_at"]),
        secrets=tuple(seed(kind) for kind in known["seeds"]),
        temporary_response=response(**known["response"]) if known["response"] else None,
        unlocked_at=instant(known["unlocked_at"]),
        malformed=(bad("dirfactorPhone"),) if known["malformed"] else (),
    )
    groups = tuple(
        Membership(
            entry_id(group["name"]),
            f"cn={group['name']}",
            Group(name=group["name"], malformed=(bad("x"),) if group["malformed"] else ()),
            link(group["policy"]),
            (f"cn={group['name']}",),
        )
        for group in world["groups"]
    )
    units = tuple(
        Ancestor(
            entry_id(f"u{number}"),
            f"ou=u{number}",
            Container(
                name=f"u{number}",
                lockout_seconds=unit["lockout"],
                malformed=(bad("x"),) if unit["malformed"] else (),
            ),
            link(unit["policy"]),
        )
        for number, unit in enumerate(world["units"])
    )
    return Person(ALICE, "cn=alice", user, link(known["policy"]), groups, units)


def node(known: dict | None, link) -> KnownNode | None:
    if known is None:
        return None
    entry = AccessNode(
        name="vpn",
        login_mode=LoginMode(known["mode"]),
        coalesce_seconds=0,
        node_enabled=known["enabled"],
        malformed=(bad("x"),) if known["malformed"] else (),
    )
    members = None if known["members"] is None else frozenset(map(entry_id, known["members"]))
    return KnownNode(NodeFacts(entry, link(known["policy"]), members), None)


def entry_id(name: str) -> bytes:
    return name.encode().ljust(16, b".")


def instant(seconds: int | None) -> datetime | None:
    return None if seconds is None else START + timedelta(seconds=seconds)


@cache
def pin(text: str | None) -> str | None:
    return None if text is None else pin_value(RING, ALICE, Secret(text))


@cache
def response(text: str, issued_at: int, minutes: int, *, multiple: bool) -> str:
    issued = START + timedelta(seconds=issued_at)
    about = TemporaryResponse(issued, issued + timedelta(minutes=minutes), multiple)
    return response_value(RING, ALICE, Secret(text), about)


@cache
def seed(kind: str) -> str:
    token = SoftwareToken(TokenKind(kind), "1", b"12345678901234567890", digits=8 if kind == "totp" else 6)
    return sealed_token(RING, ALICE, token, bytes(12))


@contextmanager
def a_store():
    """The real store, in memory: these laws are not about the disk."""
    with (
        tempfile.TemporaryDirectory(dir="/dev/shm") as folder,
        closing(EmbeddedStore(Path(folder) / "state.sqlite", "this boot", Turns())) as store,
    ):
        yield store


async def emptied(store: EmbeddedStore, failures: Sequence[int]) -> EmbeddedStore:
    """The same store with nothing in it but these failures."""
    await store.settled()
    run = store._connection.execute
    run("BEGIN IMMEDIATE")
    for table in TABLES:
        run(f"DELETE FROM {table}")  # noqa: S608 - names of our own
    for at in failures:
        run("INSERT INTO failure VALUES (?, ?)", (ALICE, START.timestamp() + at))
    run("COMMIT")
    store._memory.forget()
    return store
