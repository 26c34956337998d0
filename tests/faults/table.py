"""What becomes of each kind of logon when something is wrong: a row for each thing and fault. docs/faults.md has it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from faults.kinds import DIRECT, KINDS, PIN, TOKENS
from faults.plant import BY_NAME, DNS_OF_LDAP, LDAP, SENTINELS, Plant, fill
from faults.way import Fault
from rig.slow_disk import failing_disk
from scenarios.office import until

Act = Callable[[Plant], Awaitable[None]]
_USED_TO_IT = 3.0
_QUICK = {
    LDAP: {Fault.DOWN, Fault.GARBAGE, Fault.WRONG_TLS},
    "state store": {Fault.DOWN, Fault.GARBAGE, Fault.REFUSED, Fault.EXPIRED},
    "SMS gateway": {Fault.DOWN, Fault.GARBAGE, Fault.WRONG_TLS, Fault.SLOW},
    "mail server": {Fault.DOWN, Fault.GARBAGE, Fault.WRONG_TLS, Fault.REFUSED, Fault.EXPIRED},
    "VIP": {Fault.DOWN, Fault.GARBAGE, Fault.WRONG_TLS, Fault.HALF_OPEN},
    "DNS": {Fault.DOWN},
    DNS_OF_LDAP: {Fault.DOWN},
    "certificate of a door": {Fault.GARBAGE},
}
"""What is in every run of the tests, where it is not all: each fault of some thing, and each thing with some faults."""
LONG_SECONDS = 40.0
"""An outage in which whatever doubles its pauses has come to long ones: with two seconds at first, to half a minute."""
FOR_LONG = ", for long"
_LONGEST_PAUSE = 65.0  # of who reads a directory, and a little
_LONG_ROUNDS = 3  # in which gateways fail: after so many failures in a row they are left alone
ALL_REFUSED = dict.fromkeys(KINDS, "state-unavailable")


async def _nothing(_: Plant) -> None:
    """Logons are all there is."""


@dataclass(frozen=True)
class Row:
    """A fault of a thing.

    Attributes:
        thing: what it is about.
        fault: what is wrong with it.
        ends: how logons end, by kind; all others are accepted.
        what_to_do: for an operator.
        break_it: makes it so.
        mend_it: makes it well again.
        quick: whether it is in every run of the tests.
        passes: whether it is over by itself, so that each kind of logon meets it anew; then `mend_it` makes it so once
            more, and it is measured how long it lasts.
        ends_with: what comes in the end, and may take longer than logons do.
    """

    thing: str
    fault: str
    ends: Mapping[str, str]
    what_to_do: str
    break_it: Act
    mend_it: Act
    quick: bool = field(default=True)
    passes: bool = field(default=False)
    ends_with: Act = field(default=_nothing)

    @property
    def name(self) -> str:
        """What is the matter, of no other row."""
        return f"{self.thing}, {self.fault}"


def _for_long(row: Row) -> Row:
    """The same, and people log on in vain for long before it is mended."""

    async def become(plant: Plant) -> None:
        await row.break_it(plant)
        for _ in range(_LONG_ROUNDS):
            await asyncio.sleep(LONG_SECONDS / _LONG_ROUNDS)
            for kind in row.ends:
                await plant.log_on(kind)

    return replace(row, fault=f"{row.fault}{FOR_LONG}", break_it=become, quick=False)


def _on_the_way(thing: str, fault: Fault, ends: Mapping[str, str], what_to_do: str) -> Row:
    async def become(plant: Plant) -> None:
        plant.ways[thing].become(fault)
        if fault is Fault.SLOW:
            await asyncio.sleep(_USED_TO_IT)  # what was open has been cut, and is looked at before it is used again

    async def well(plant: Plant) -> None:
        plant.ways[thing].become(Fault.NONE)

    return Row(thing, fault.value, ends, what_to_do, become, well, fault in _QUICK[thing])


def _server(thing: str, kind: str, reason: str, slow: str, what_to_do: str) -> list[Row]:
    """The rows of something that one kind of logon needs."""
    rows = [
        _on_the_way(thing, fault, {kind: slow if fault is Fault.SLOW else reason}, what_to_do)
        for fault in Fault
        if fault is not Fault.NONE and (thing, fault) != ("SMS gateway", Fault.EXPIRED)
    ]
    return [*rows, _for_long(rows[0])]


def _of_the_store() -> list[Row]:
    advice = "look at the servers of [state]; see docs/nodes.md"
    rows = [
        _on_the_way("state store", fault, ALL_REFUSED, advice)
        for fault in Fault
        if fault not in {Fault.NONE, Fault.SLOW}
    ]
    rows.append(_on_the_way("state store", Fault.SLOW, {}, "logons take longer; look at its load"))

    async def full(plant: Plant) -> None:
        plant.valkey.cli("CONFIG", "SET", "maxmemory", "1")

    async def roomy(plant: Plant) -> None:
        plant.valkey.cli("CONFIG", "SET", "maxmemory", "0")

    async def flushed(plant: Plant) -> None:
        """Until every node has brought back what it knows, which is what is measured."""
        plant.valkey.cli("FLUSHALL")

    ends = {kind: "state-unavailable" for kind in KINDS if kind != "password"}
    rows.append(Row("state store", "full", ends, "raise maxmemory", full, roomy))
    rows.append(
        Row("state store", "flushed", ALL_REFUSED, "have it persist what it holds", flushed, flushed, passes=True)
    )
    return [*rows, _for_long(rows[0])]


def _of_sentinels() -> list[Row]:
    """What was used up before is used up at the new primary; until there is one, whoever needs the state is refused."""
    most_seconds = 2.0

    async def taken_over(plant: Plant) -> None:
        typed = f"{PIN}{TOKENS['paula'].code(await plant.used('PIN and code')).text}"
        await plant.pair.replace()
        begun = time.monotonic()
        while (found := await plant.log_on("password")) != "accepted":
            assert found == "state-unavailable", found
            assert time.monotonic() - begun < most_seconds, "logons go on at the new primary"
        await plant.office.log_on("radius", "paula", password=typed)
        assert plant.office.reason() == "code-wrong-retry", "it was used up before"

    async def complete(plant: Plant) -> None:
        await plant.pair.complete()

    advice = "nothing: what the old primary had not handed on, the nodes bring back; let the old one be a replica"
    return [Row(SENTINELS, "primary down", {}, advice, taken_over, complete)]


def _of_the_disk() -> list[Row]:
    async def full(plant: Plant) -> None:
        """What the files have room for within their last pages is used up by logons."""
        fill(plant.disk)
        for _ in range(100):
            if await plant.log_on("password") != "accepted":
                return
            fill(plant.disk)

    async def clear(plant: Plant) -> None:
        (plant.disk / "ballast").unlink()

    ends = dict.fromkeys(KINDS, "audit-unavailable")
    mount = "find out why the kernel made it so, then make it writable"
    return [
        Row("disk", "full", ends, "make room", full, clear),
        _of_an_error("read-only", "EROFS", ends, mount),
        _of_an_error("I/O errors", "EIO", ends, "exchange it; audit and keys from the backup, see docs/backup.md"),
    ]


def _of_an_error(fault: str, error: str, ends: Mapping[str, str], advice: str) -> Row:
    """What writing ends with, whatever is written and by whom in the service."""
    held = ExitStack()

    async def fail(plant: Plant) -> None:
        program = plant.office.service.program
        assert program is not None
        log = plant.directory.parent / f"{error}.strace"
        await asyncio.to_thread(held.enter_context, failing_disk(program.process.pid, error, plant.disk, log))

    async def well(_: Plant) -> None:
        await asyncio.to_thread(held.close)

    return Row("disk", fault, ends, advice, fail, well)


def _of_the_directory() -> list[Row]:
    kept: list[str] = []

    async def gone(plant: Plant) -> None:
        kept.append(plant.directory.read_text())
        plant.directory.unlink()
        await asyncio.sleep(0.5)

    async def broken(plant: Plant) -> None:
        kept.append(plant.directory.read_text())
        plant.directory.write_text("dn: this is\nno: LDIF\n\n: at all\n")
        await asyncio.sleep(0.5)

    async def back(plant: Plant) -> None:
        plant.directory.write_text(kept.pop())

    advice = "mend it; what was read last is in force, and whoever shows no password goes on"
    ends = {kind: "directory-unavailable" for kind in KINDS if kind not in DIRECT}
    return [
        Row("directory (LDIF)", "down", ends, advice, gone, back),
        Row("directory (LDIF)", "garbage", ends, advice, broken, back),
    ]


def _of_the_directory_server() -> list[Row]:
    """Passwords are checked by a bind at the server; what is edited meanwhile is there when it is back.

    As soon as logons go on, if it was away. One that is there and too slow, or shows a wrong certificate, is asked less
    and less often by who reads it.
    """
    away = {Fault.DOWN, Fault.REFUSED, Fault.HALF_OPEN, Fault.GARBAGE}
    advice = "a second server in url takes its place; whoever shows no password goes on"

    def row(fault: Fault) -> Row:
        seen: list[int] = []

        async def become(plant: Plant) -> None:
            seen.append(await plant.office.version())
            plant.ways[LDAP].become(fault)
            who = f"uid=password,ou=people,{plant.slapd.base_dn}"
            plant.slapd.tools().modify(
                f"dn: {who}\nchangetype: modify\nreplace: mail\nmail: {fault.name}@demo.example\n"
            )

        async def well(plant: Plant) -> None:
            plant.ways[LDAP].become(Fault.NONE)
            if fault in away:
                await edited(plant)

        async def edited(plant: Plant) -> None:
            await until(lambda: plant.office.later_than(seen[-1]), _LONGEST_PAUSE)

        ends = {kind: "directory-unavailable" for kind in KINDS if kind not in DIRECT and fault is not Fault.SLOW}
        return Row(LDAP, fault.value, ends, advice, become, well, fault in _QUICK[LDAP], ends_with=edited)

    rows = [row(fault) for fault in Fault if fault is not Fault.NONE]
    return [*rows, *(_for_long(each) for each in rows if each.fault in {Fault.DOWN, Fault.HALF_OPEN})]


def _of_the_configuration() -> list[Row]:
    wrong, right = "[radius]\nhost = 127.0.0.1", "[radius]\nhost = 127.0.0.1\nnonsense = yes"
    unknown = "url = http://gateway.invalid"

    async def broken(plant: Plant) -> None:
        assert "stays as it was" in await plant.reload((wrong, right))

    async def mended(plant: Plant) -> None:
        assert "was read again" in await plant.reload((right, wrong))

    async def unresolved(plant: Plant) -> None:
        assert "was read again" in await plant.reload((BY_NAME, unknown))

    async def resolved(plant: Plant) -> None:
        assert "was read again" in await plant.reload((unknown, BY_NAME))

    return [
        Row("configuration", "garbage", {}, "mend the line that the log names", broken, mended),
        Row("DNS", "no such name", {"text": "delivery-failed"}, "correct url, or the resolvers", unresolved, resolved),
    ]


def _of_names() -> list[Row]:
    """Who is asked for is asked for by name, over a connection that is new, for the one before is cut."""

    def row(thing: str, fault: Fault, asked: tuple[str, ...], ends: Mapping[str, str]) -> Row:
        async def become(plant: Plant) -> None:
            plant.names.become(fault)
            for name in asked:
                plant.ways[name].become(Fault.NONE)
            if fault is Fault.SLOW:
                await asyncio.sleep(_USED_TO_IT)

        async def well(plant: Plant) -> None:
            plant.names.become(Fault.NONE)

        advice = "correct the resolvers; a name in /etc/hosts, or an address, needs none"
        ends = {} if fault is Fault.SLOW else ends
        return Row(thing, fault.value, ends, advice, become, well, fault in _QUICK[thing])

    outbound = {"text": "delivery-failed", "mail": "delivery-failed", "VIP": "vip-unavailable"}
    bound = {kind: "directory-unavailable" for kind in KINDS if kind not in DIRECT}
    faults = (Fault.DOWN, Fault.REFUSED, Fault.HALF_OPEN, Fault.SLOW, Fault.GARBAGE)
    things = (("DNS", ("SMS gateway", "mail server", "VIP"), outbound), (DNS_OF_LDAP, (LDAP,), bound))
    return [row(thing, fault, asked, ends) for thing, asked, ends in things for fault in faults]


def _of_the_clock() -> list[Row]:
    """Of a node, more than five seconds from that of the store's server."""

    def row(fault: str, seconds: int) -> Row:
        async def step(plant: Plant) -> None:
            plant.clock.put(seconds)
            await asyncio.sleep(_USED_TO_IT)  # it is looked at in the pace of the beats

        async def back(plant: Plant) -> None:
            plant.clock.put(0.0)

        return Row("clock", fault, ALL_REFUSED, "have the nodes and the store keep time (NTP)", step, back)

    return [row("a minute ahead", 60), row("a minute behind", -60)]


def _of_certificates() -> list[Row]:
    kept: list[bytes] = []

    async def exchange(plant: Plant) -> None:
        file = plant.directory.parent / "certificates" / "client.p12"
        kept.append(file.read_bytes())
        file.write_bytes(b"no certificate")
        await plant.reload()

    async def back(plant: Plant) -> None:
        (plant.directory.parent / "certificates" / "client.p12").write_bytes(kept.pop())
        await plant.reload()

    advice = "put the right file in its place; the service takes it by itself"
    return [
        Row("certificate for VIP", "garbage", {"VIP": "vip-misconfigured"}, advice, exchange, back),
        *_of_a_door(advice),
    ]


def _of_a_door(advice: str) -> list[Row]:
    """What it has shown until now it goes on showing, and the log says why."""

    def row(fault: str, new: Callable[[Plant], tuple[bytes, bytes]]) -> Row:
        kept: list[bytes] = []

        def put(plant: Plant, certificate: bytes, key: bytes) -> None:
            plant.door.files.certificate.write_bytes(certificate)
            plant.door.files.key.write_bytes(key)

        async def exchange(plant: Plant) -> None:
            program, shown = plant.office.service.program, await plant.door.shown()
            assert program is not None
            said = len(program.lines)
            kept.extend((plant.door.files.certificate.read_bytes(), plant.door.files.key.read_bytes()))
            put(plant, *new(plant))
            await program.line(lambda line: "[radsec]" in line and "the old stays in force" in line, since=said)
            assert await plant.door.shown() == shown

        async def back(plant: Plant) -> None:
            certificate, key = kept
            kept.clear()
            put(plant, certificate, key)

        return Row("certificate of a door", fault, {}, advice, exchange, back, fault in _QUICK["certificate of a door"])

    def expired(plant: Plant) -> tuple[bytes, bytes]:
        return plant.door.expired.certificate.read_bytes(), plant.door.expired.key.read_bytes()

    return [
        row("garbage", lambda plant: (b"no certificate", plant.door.files.key.read_bytes())),
        row("expired TLS", expired),
    ]


ROWS: list[Row] = [
    *_of_the_directory_server(),
    *_of_the_directory(),
    *_of_the_store(),
    *_of_sentinels(),
    *_server("SMS gateway", "text", "delivery-failed", "accepted", "another gateway of the policy takes its place"),
    *_server(
        "mail server",
        "mail",
        "delivery-failed",
        "delivery-failed",
        "another server in dirfactorEmailGateways takes its place",
    ),
    *_server(
        "VIP",
        "VIP",
        "vip-unavailable",
        "vip-unavailable",
        "fail-over URLs in [vip]; nobody is blamed for a code meanwhile",
    ),
    *_of_the_disk(),
    *_of_the_configuration(),
    *_of_names(),
    *_of_the_clock(),
    *_of_certificates(),
]


WAYS = ("down", "refused", "slow", "half-open", "garbage", "wrong TLS", "full")
"""What may become of anything; that it is well again follows upon every row."""

NO_ROW: Mapping[str, Mapping[tuple[str, ...], str]] = {
    LDAP: {("full",): "nothing is written to it"},
    "directory (LDIF)": {
        (
            "refused",
            "slow",
            "half-open",
            "wrong TLS",
        ): "a file has no connection; one that may not be read is as one that is gone",
        ("full",): "nothing is written to it",
    },
    SENTINELS: {
        ("down", "refused", "slow", "half-open", "garbage", "wrong TLS", "full"): (
            "until another one takes its place as of one server: the rows of the state store"
        )
    },
    "SMS gateway": {
        ("full",): "a gateway that takes no more answers so, which is a refusal of it: garbage",
        ("expired TLS",): "it is asked without TLS here; over https it is asked as VIP is",
    },
    "mail server": {
        ("full",): "a mailbox or queue that is full answers 4xx: that server's refusal, as docs/email.md has it"
    },
    "VIP": {("full",): "it keeps nothing of ours"},
    "DNS": {
        ("wrong TLS",): "it is asked without TLS",
        ("full",): "nothing is written to it",
    },
    DNS_OF_LDAP: {
        ("wrong TLS",): "it is asked without TLS",
        ("full",): "nothing is written to it",
    },
    "disk": {
        ("down", "half-open"): (
            "the kernel answers for it, no proxy stands between; an audit that cannot be written ends as on a full one"
        ),
        ("garbage",): (
            "it may keep any part of what it was not told to keep when the power goes: what was told is not lost, "
            "`tests/power/test_power.py`; audit, keys, replica and journal are cut off in the same way beside it, in "
            "`tests/power`"
        ),
        ("slow",): (
            "whoever needs something to be on the disk itself waits for it, and nobody else: "
            "`tests/scenarios/test_slow_disk.py`; but once in some ten megabytes of a log, where it begins anew. "
            "So it is while another program has the state's file: `tests/scenarios/test_held_state.py`"
        ),
        ("refused", "wrong TLS"): "a disk has no connection",
    },
    "clock": {
        ("down", "refused", "slow", "half-open", "garbage", "wrong TLS", "full"): (
            "it is read from the kernel, over no connection; it can only be off"
        )
    },
    "configuration": {
        (
            "down",
            "refused",
            "slow",
            "half-open",
            "wrong TLS",
        ): "it is a file that is read once, at the start and upon SIGHUP",
        ("full",): "nothing is written to it",
    },
    "certificate for VIP": {
        (
            "down",
            "refused",
            "slow",
            "half-open",
        ): "it is a file that is read once; one that is gone is as one that is garbage",
        ("wrong TLS",): "a certificate that VIP does not know is VIP's to refuse: the rows of VIP",
        ("full",): "nothing is written to it",
    },
    "certificate of a door": {
        (
            "down",
            "refused",
            "slow",
            "half-open",
        ): "it is a file that is read again when it is another; one that is gone is as one that is garbage",
        ("wrong TLS",): "a certificate that clients do not know is theirs to refuse",
        ("full",): "nothing is written to it",
    },
}
"""Why what has no row in the table has none."""


NO_COLUMN: Mapping[str, tuple[str, str]] = {
    "code on stock (`ahead`)": (
        "text, mail",
        (
            "it needs what they need, but the gateway only when the stock is about to end; the last code still "
            "counts when the next message cannot be sent"
        ),
    ),
    "authenticator behind a password": (
        "password at the rows of directories, authenticator at all others",
        "the bind comes first, and the code is looked up as if it stood alone",
    ),
    "PIN alone": ("PIN and code", "the PIN is in the replica, and tries at it are counted in the state"),
    "temporary response": (
        "authenticator",
        (
            "nothing is sent, what it is compared with is in the replica, and that it was used is in the state; "
            "behind a password that is needed as well"
        ),
    ),
    "at a node of type `proxy`": (
        "that of the person's policy",
        "whoever has a token is decided about here; all others by the server behind, whose faults are not in the table",
    ),
}
"""As which column a kind of logon behaves that has none, by what it needs; and why."""


def besides() -> str:
    """The table of the kinds of logon that are not in the other one, for docs/faults.md."""
    lines = ["| logon | ends as | why |", "|---|---|---|"]
    return "\n".join(lines + [f"| {kind} | {column} | {why} |" for kind, (column, why) in NO_COLUMN.items()])


def reasons() -> str:
    """The table of what is not in the other one, for docs/faults.md."""
    lines = ["| what | fault | | why it has no row |", "|---|---|---|---|"]
    for thing, found in NO_ROW.items():
        lines += [f"| {thing} | {', '.join(faults)} | — | {why} |" for faults, why in found.items()]
    return "\n".join(lines)


def page(back: Mapping[str, float]) -> str:
    """The table for docs/faults.md.

    Args:
        back: after how many seconds logons went on, by the names of rows; there is a dash where nobody was refused, or
            nothing was measured.
    """
    lines = [f"| what | fault | {' | '.join(KINDS)} | on again after | what helps |"]
    lines.append("|---|---|" + "---|" * (len(KINDS) + 2))
    for row in ROWS:
        cells = ["goes on" if row.ends.get(kind, "accepted") == "accepted" else f"`{row.ends[kind]}`" for kind in KINDS]
        after = f"{back[row.name]:.1f} s" if row.name in back else "–"  # noqa: RUF001 - a dash in a page
        lines.append(f"| {row.thing} | {row.fault} | {' | '.join(cells)} | {after} | {row.what_to_do} |")
    return "\n".join(lines)
