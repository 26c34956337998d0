"""At the end of any run of tests: no secret that it had is in anything that our processes left of it.

A plugin of pytest. Each run looks below its own temporary folder, so that two may run side by side; pytest keeps what
is there until the next runs (its `tmp_path_retention_policy` is `all`). What the product logged in the process of the
tests counts as well.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from canary.known import Known, noting
from canary.leavings import Leaving, leavings
from canary.look import Looked, look

TESTS = Path(__file__).parents[1]
CAPTURED = ("Captured log", "Captured stderr")


class AfterAll:
    """The look of one run.

    Args:
        config: the run's.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._known = Known()
        self._said: list[Leaving] = []
        self._maker = "before any test"
        self._made_up = False
        self._looked: Looked | None = None
        self._seconds = 0.0
        self._open = ExitStack()
        self._open.enter_context(noting(self._note))

    def _note(self, text: str) -> None:
        if not self._made_up:  # what hypothesis makes up cannot be recognised
            self._known.note(text, self._maker)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._maker = item.nodeid
        self._made_up = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
        try:
            return (yield)
        finally:
            self._made_up = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for title, text in report.sections:
            if title.startswith(CAPTURED) and title.endswith(report.when or ""):
                self._said.append(Leaving(f"{report.nodeid}: {title}", Path(), text.encode(errors="replace")))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        self._open.close()
        begun = time.monotonic()
        self._known.note_constants(list(sys.modules.values()), TESTS)
        folder = self._config._tmp_path_factory.getbasetemp()
        self._looked = look([*leavings(folder), *self._said], self._known.named())
        self._seconds = time.monotonic() - begun
        if self._looked.seen and exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        looked = self._looked
        if looked is None or not looked.files:
            return
        if looked.seen:
            terminalreporter.section("secrets in what the run left", red=True)
            terminalreporter.line("\n".join(looked.seen))
        passed_over = f"{len(self._known.passed_over):,} that could not be recognised passed over"
        terminalreporter.line(f"{looked} ({passed_over}; {self._seconds:.1f} s)", red=bool(looked.seen))


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(AfterAll(config), "canary")
