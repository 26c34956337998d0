"""The company that all clients log on to: one for the whole run, since each test has people of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clients.house import House, open_house


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The company at work."""
    with open_house(tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """For a client's own settings."""
    return tmp_path
