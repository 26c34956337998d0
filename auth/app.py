"""The composition root: puts the parts together as config.ini says, and runs them. No `if` about policy stands here."""

import asyncio
import contextlib
import hashlib
import hmac
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from auth.audit import AuditTrail
from auth.audit.upkeep import opened_trail
from auth.clock import Clock, Entropy
from auth.coalesce import Coalescer
from auth.code_check import CodeCheck
from auth.delivery import Delivery
from auth.embedded_state import EmbeddedStore
from auth.facts import Reach
from auth.facts_reader import FactsReader, Rules
from auth.http.server import http_tls
from auth.judges.base import Comparer, Judge
from auth.judges.minted import MintedJudge
from auth.judges.pin import PinJudge
from auth.judges.response import ResponseJudge
from auth.judges.software import SoftwareJudge
from auth.judges.vip import NoVip, VipJudge
from auth.keys.ring_file import RingFile
from auth.metrics.measured import MeasuredService, MeasuredVip
from auth.metrics.tally import Tally
from auth.nodes import Nodes
from auth.outbound import delivery, vip
from auth.overview import Overview, Sync
from auth.password_gate import PasswordGate, PasswordGates
from auth.performing import Performer
from auth.prompts import refusal
from auth.radius.forwarder import RadiusForwarder
from auth.radius.radsec import radsec_tls
from auth.receipts.book import ReceiptBook
from auth.reloaded_tls import ReloadedTls
from auth.repeats import Repeats
from auth.request import Service
from auth.server_key import server_key
from auth.service import LoginService, Parts
from auth.settings import Settings
from auth.shared.own import OwnFiles
from auth.spend.answered import AnsweredTexts
from auth.spend.guard import SpendGuard
from auth.spend.limits import Limits
from auth.spend.settings import number_rules
from auth.state import Store
from auth.state_reader import state_reader
from auth.turn import Turns
from auth.vip.client import VipClient
from auth.weakening import loss_under
from auth.why.journal import opened_journal
from auth.why.record import Journal
from dirsync.directory import password_check, source
from dirsync.replica import Replica, ReplicaWriter
from dirsync.replica.directories import keep_configured
from dirsync.replica.tripwire import Tripwire
from dirsync.scheduler import SyncScheduler, Watched, unwatched
from dirsync.wire.bind import MOST_CONNECTIONS
from dirsync.wire.surroundings import Surroundings
from schema.errors import Fault
from schema.words import TokenKind

_log = logging.getLogger("dirfactor.app")
_PURGE_SECONDS = 600.0
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class App:
    """The running parts.

    Attributes:
        settings: config.ini.
        clock: where time comes from.
        entropy: where randomness comes from.
        replica: the directory, to read.
        nodes: the access nodes.
        store: open logins.
        journal: what outcomes were decided from.
        audit: what is recorded.
        known: reads what a logon is decided from.
        service: the three verbs.
        syncs: carry changes into the replica, by the name of the directory.
        delivery: the channels for codes that we mint.
        vip: asks VIP, or says why nobody can.
        tls: what the doors show, by the name of their section.
        tally: what has happened since the start.
        worker: which of the service's processes this is.
    """

    settings: Settings
    clock: Clock
    entropy: Entropy
    replica: Replica
    nodes: Nodes
    store: Store
    journal: Journal
    audit: AuditTrail
    known: FactsReader
    service: LoginService
    syncs: Mapping[str, Sync]
    delivery: Delivery
    vip: VipClient | NoVip
    tls: Mapping[str, ReloadedTls]
    tally: Tally
    worker: int

    @property
    def measured(self) -> Service:
        """The service as the doors ask it."""
        return MeasuredService(self.service, self.tally, self.clock.monotonic)

    @property
    def overview(self) -> Overview:
        """How it is doing."""
        return Overview(
            self.settings,
            self.clock,
            self.replica,
            self.syncs,
            self.delivery,
            self.vip,
            self.tls,
            self.audit,
            state_reader(self.settings),
            self.worker,
        )


class Lasting:
    """What stays the same when config.ini is read again.

    Args:
        clock: where time comes from.
        entropy: where randomness comes from.
        tls: what the doors show, by the name of their section.
        worker: which of the service's processes this is.

    Attributes:
        tls: as given.
        worker: as given.
        turns: those of the event loop.
        tally: what has happened since the start.
    """

    def __init__(self, clock: Clock, entropy: Entropy, tls: Mapping[str, ReloadedTls], worker: int = 0) -> None:
        self.tls = tls
        self.worker = worker
        self.turns = Turns()
        self._clock = clock
        self._entropy = entropy
        self._store: Store | None = None
        self.tally = Tally()
        self._coalescer: Coalescer | None = None

    def coalescer(self, key: bytes) -> Coalescer:
        """First steps that are repeats of each other; `key` is the server's, which all nodes have."""
        if self._coalescer is None:
            self._coalescer = Coalescer(hmac.digest(key, b"equal first steps", hashlib.sha256), self._clock.monotonic)
        return self._coalescer

    async def store(self, settings: Settings, key: bytes) -> Store:
        """The one store of this process: two would wait for each other's transactions, in the loop that ends both.

        Args:
            settings: config.ini, of which [state] counts the first time.
            key: the server's key.

        Raises:
            Fault: it cannot be opened.
        """
        if self._store is None:
            self._store = await _opened_store(settings, key, self.turns, self._clock, self._entropy)
        return self._store

    async def aclose(self) -> None:
        """Close the store."""
        if self._store is not None:
            await self._store.aclose()


@asynccontextmanager
async def opened(
    settings: Settings,
    clock: Clock,
    entropy: Entropy,
    lasting: Lasting | None = None,
    syncs: Callable[[], AbstractContextManager[Mapping[str, Sync]]] | None = None,
) -> AsyncIterator[App]:
    """All parts, opened and at the end closed again; nothing listens yet.

    Args:
        settings: config.ini.
        clock: where time comes from.
        entropy: where randomness comes from.
        lasting: from the parts before these; None where these are the first.
        syncs: opens what carries changes into the replica; `syncing` when absent.

    Raises:
        Fault: something that the service cannot do without is missing.
    """
    service_settings = settings.service
    make_state_directory(service_settings.state_directory)
    async with AsyncExitStack() as stack:
        kept = lasting or Lasting(clock, entropy, shown_tls(settings, clock))
        if lasting is None:
            stack.push_async_callback(kept.aclose)
        turns, tally = kept.turns, kept.tally
        carried = stack.enter_context(syncs() if syncs else syncing(settings, clock, entropy))
        replica = stack.enter_context(
            contextlib.closing(
                Replica(service_settings.replica_file, named=settings.named_policies, moment=turns.current)
            )
        )
        key = server_key(service_settings.key_file, entropy)
        store = await kept.store(settings, key)
        audit = await stack.enter_async_context(
            contextlib.aclosing(opened_trail(service_settings.audit, settings.audit, clock.now, entropy))
        )
        journal = opened_journal(service_settings.journal_file, service_settings.journal_days)
        stack.enter_context(contextlib.closing(journal))
        ring = RingFile(service_settings.ring_file, turns.current)
        nodes = Nodes(
            settings.nodes, settings.policies, settings.secrets, replica, ring.ring, service_settings.language
        )
        minted = MintedJudge(store, key, entropy.below)
        guard = SpendGuard(Limits(settings.spend, key), store)
        book = ReceiptBook(store, audit.write)
        channels = delivery(settings, clock, entropy, stack, guard, book, tally)
        software = SoftwareJudge(store, ring.ring)
        asked_of_vip = vip(settings, clock, entropy, stack)
        texts = AnsweredTexts(minted, guard)
        measured_vip = MeasuredVip(asked_of_vip, tally, clock.monotonic)
        judges: dict[TokenKind, Judge] = {
            TokenKind.SMS: texts,
            TokenKind.EMAIL: minted,
            TokenKind.VIP: VipJudge(store, measured_vip, key, entropy.octets),
            TokenKind.TOTP: software,
            TokenKind.HOTP: software,
        }
        comparers: dict[TokenKind, Comparer] = {
            TokenKind.SMS: texts,
            TokenKind.EMAIL: minted,
            TokenKind.TOTP: software,
            TokenKind.HOTP: software,
        }
        parts = Parts(
            known=FactsReader(replica, nodes, rules(settings), ring.ids),
            store=store,
            performer=Performer(
                passwords=stack.enter_context(contextlib.closing(_password_gates(settings, clock, entropy))),
                store=store,
                minted=minted,
                pins=PinJudge(store, ring.ring),
                codes=CodeCheck(store, judges, ResponseJudge(store, ring.ring), comparers),
                delivery=channels,
                vip=measured_vip,
                repeats=Repeats(store, key, clock, entropy, _sending_seconds(settings)),
                entropy=entropy,
                language=service_settings.language,
                forwarder=RadiusForwarder(nodes.upstream, entropy),
            ),
            audit=audit,
            journal=journal,
            clock=clock,
            entropy=entropy,
            refusal_seconds=service_settings.refusal_seconds,
            refusal=refusal(service_settings.language),
            turns=turns,
            coalescer=kept.coalescer(key),
        )
        service = LoginService(parts)
        yield App(
            settings,
            clock,
            entropy,
            replica,
            nodes,
            store,
            journal,
            audit,
            parts.known,
            service,
            carried,
            channels,
            asked_of_vip,
            kept.tls,
            kept.tally,
            kept.worker,
        )


def shown_tls(settings: Settings, clock: Clock) -> Mapping[str, ReloadedTls]:
    """What the doors show, by the name of their section.

    Raises:
        Fault: the files cannot be used.
    """
    try:
        http = http_tls(settings.http, clock) if settings.http.enabled else None
    except Fault as fault:
        raise fault.about("[http]") from None
    try:
        radsec = radsec_tls(settings.radsec, clock) if settings.radsec else None
    except Fault as fault:
        raise fault.about("[radsec]") from None
    return {name: tls for name, tls in (("http", http), ("radsec", radsec)) if tls is not None}


def rules(settings: Settings) -> Rules:
    """What config.ini says about deciding."""
    return Rules(
        server_default=settings.policies.get("default"),
        expired_after=settings.sync.expired_after_seconds,
        region=settings.service.region,
        reach=Reach(
            frozenset(settings.sms),
            frozenset(settings.email),
            vip=settings.vip is not None,
            numbers=number_rules(settings.spend, settings.service.region),
        ),
    )


@contextmanager
def syncing(
    settings: Settings, clock: Clock, entropy: Entropy, watched: Watched = unwatched
) -> Iterator[Mapping[str, SyncScheduler]]:
    """The sync from each configured directory into the replica file; all is closed at the end.

    Args:
        settings: config.ini.
        clock: where time comes from.
        entropy: where randomness comes from.
        watched: for `SyncScheduler`.

    Raises:
        Fault: a directory's settings or the replica file cannot be used.
    """
    file, turn = settings.service.replica_file, Lock()
    around = surroundings(clock, entropy)
    with ExitStack() as stack:
        sources = {
            name: stack.enter_context(contextlib.closing(source(directory, around)))
            for name, directory in settings.directories.items()
        }
        keep_configured(file, {name: each.identity for name, each in sources.items()})
        tripwire = _tripwire(settings)
        syncs: dict[str, SyncScheduler] = {}
        for name, directory in settings.directories.items():
            writer = stack.enter_context(
                contextlib.closing(ReplicaWriter(file, directory.extra_attributes, name, turn, tripwire))
            )
            shown = name or "directory"
            syncs[name] = SyncScheduler(sources[name], writer, settings.sync, clock.now, shown, watched)
        yield syncs


def surroundings(clock: Clock, entropy: Entropy) -> Surroundings:
    """What connections to directories take from outside."""
    return Surroundings(clock.monotonic, entropy.below)


def _tripwire(settings: Settings) -> Tripwire | None:
    users = settings.sync.tripwire_users
    judge = loss_under(settings.policies.get("default"))
    return Tripwire(judge, users, settings.named_policies, settings.node_policies) if users else None


def make_state_directory(folder: Path) -> None:
    """Make the state directory when it is not there.

    Raises:
        Fault: it cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Fault(
            f"state directory {folder} cannot be made: {error.strerror}",
            remedy="make it and give it to the service's user, or set [service] state_directory",
        ) from error


async def purge(app: App) -> None:
    """Remove what is long over, now and then, until cancelled."""
    while True:
        await asyncio.sleep(_PURGE_SECONDS)
        try:
            await app.store.purge(app.clock.now())
            await app.store.settled()
            app.journal.purge(app.clock.now())
        except Fault as fault:
            _log.error("purge: %s", fault)


def _password_gates(settings: Settings, clock: Clock, entropy: Entropy) -> PasswordGates:
    """As many questions at once as `dirsync.wire.bind` has connections; each login waits twice an operation's time."""
    around = surroundings(clock, entropy)
    return PasswordGates(
        {
            name: PasswordGate(password_check(directory, around), MOST_CONNECTIONS, 2 * directory.timeout_seconds)
            for name, directory in settings.directories.items()
        }
    )


def _sending_seconds(settings: Settings) -> float:
    """How long a code may be on its way to whoever carries it: a gateway, or VIP."""
    vip = settings.vip.deadline_seconds if settings.vip is not None else 0.0
    return max(settings.service.delivery_seconds, vip)


async def _opened_store(settings: Settings, key: bytes, turns: Turns, clock: Clock, entropy: Entropy) -> Store:
    """Raises Fault."""
    service = settings.service
    if settings.state is None:
        return EmbeddedStore(service.state_file, _boot_id(entropy), turns)
    from auth.shared.opening import open_shared_store  # noqa: PLC0415 - whoever shares nothing need not have its client

    files = OwnFiles(service.own_copy_file, service.state_file)
    return await open_shared_store(settings.state, files, key, turns, clock, entropy)


def _boot_id(entropy: Entropy) -> str:
    """What changes with each start of the machine; where it is not told, every start of ours counts as one."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return entropy.octets(16).hex()
