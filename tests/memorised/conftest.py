"""What the tests of memorised things share."""

import time

import pytest


@pytest.fixture
def far_east(monkeypatch):
    """A machine whose own time zone is fourteen hours ahead of UTC."""
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
