"""Adds the option --servers: what becomes of the tests that need real servers."""

import hypothesis
import pytest

# how long an example takes is the machine's business
hypothesis.settings.register_profile("laws", deadline=None)
# to know that a law is broken is enough there, and the same mistakes are noticed every time
hypothesis.settings.register_profile(
    "mutation",
    deadline=None,
    derandomize=True,
    database=None,
    phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
)
hypothesis.settings.load_profile("laws")

pytest_plugins = ["rig.fixtures", "canary.after_all"]

SERVER_FIXTURES = frozenset(
    {"samba_dc", "realm_dc", "dns", "slapd", "kannel", "smsc", "postfix", "rsyslog", "valkey", "own_valkey"}
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--servers",
        choices=("skip", "required"),
        default="skip",
        help="tests marked 'servers': skip them (default), or require the servers, so that a missing one is a failure",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        # Unmarked, it would start a server in the tier that promises to need none.
        if SERVER_FIXTURES.intersection(getattr(item, "fixturenames", ())) and not item.get_closest_marker("servers"):
            raise pytest.UsageError(f"{item.nodeid} uses a real server, so it must be marked 'servers'")
    if config.getoption("--servers") == "required":
        return
    for item in items:
        if item.get_closest_marker("servers"):
            item.add_marker(pytest.mark.skip(reason="needs real servers: run make test"))
