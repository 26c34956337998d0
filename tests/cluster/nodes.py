"""Several nodes of one company, whose state is on one Valkey."""

import itertools
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from auth.demo.service import Reply
from scenarios.company import Entry
from scenarios.office import Office, beside, open_office
from schema.secret import Secret

_NUMBERS = itertools.count()


def state_section(server: str, name: str, **settings: str) -> str:
    """The [state] section of a node; further settings go in as they are."""
    lines = {
        "servers": server,
        "tls": "no",
        "prefix": f"cluster-{next(_NUMBERS)}",
        "node": name,
        "timeout_seconds": "4.0",
    } | settings
    return "\n[state]\n" + "".join(f"{key} = {value}\n" for key, value in lines.items())


class Cluster:
    """The nodes, each of which is an `Office` of its own; the first has the gateways' logs."""

    def __init__(self, nodes: list[Office]) -> None:
        self.nodes = nodes

    @property
    def first(self) -> Office:
        return self.nodes[0]

    def reasons(self, user: str) -> list[str]:
        """Of all nodes."""
        return [reason for node in self.nodes for reason in node.reasons(user)]

    async def texted(self, at: int, user: str) -> tuple[Reply, str]:
        """A first step at a node, and the code that was texted."""
        mark = self.first.site.mark()
        reply = await self.nodes[at].log_on("radius", user)
        assert reply.outcome == "challenged", self.nodes[at].last()
        return reply, await self.first.site.text_code(mark)

    async def answer(self, at: int, door: str, user: str, state: Secret | None, typed: str) -> Reply:
        return await self.nodes[at].answer(door, user, state, typed)


@asynccontextmanager
async def open_cluster(
    folder: Path, server: str, count: int, *entries: Entry, state: dict[str, str] | None = None, **arguments
) -> AsyncIterator[Cluster]:
    """So many nodes; further arguments are those of `open_office`."""
    section = state_section(server, "node-0", **(state or {}))
    more = arguments.pop("more_config", "") + section
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(open_office(folder, *entries, more_config=more, **arguments))
        nodes = [first]
        for number in range(1, count):
            shared = folder / f"node-{number}" / "state"
            shared.mkdir(parents=True, mode=0o700)
            for key in ("server.key", "keys.ring"):
                if (folder / "state" / key).exists():
                    shutil.copy2(folder / "state" / key, shared / key)
            named = beside(first, "node = node-0", f"node = node-{number}", f"node-{number}")
            nodes.append(await stack.enter_async_context(named))
            nodes[-1].callers = number * 50  # so that no two nodes tell the same calling station
        yield Cluster(nodes)
