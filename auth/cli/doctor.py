"""`dirfactor doctor`: what keeps the service from its work, or soon will, and what to do about each."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from auth.cli.default_config import DEFAULT_CONFIG
from auth.cli.faults import Exit, UsageFault, faults
from auth.cli.output import CONFIG_OPTION, JSON_OPTION, err, out, print_json
from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.config import ConfigFault
from auth.doctor.bundle import write_bundle
from auth.doctor.catalogue import Check
from auth.doctor.examinations import all_examinations
from auth.doctor.report import Finding, Result, Status, summary
from auth.doctor.runner import Examination, run
from auth.preflight import examined_config, needed_to_serve
from auth.settings import Settings

_ONLY = Annotated[
    list[str] | None, typer.Option("--only", help="Run this check alone; may be given again.", metavar="NAME")
]
_BUNDLE = Annotated[
    Path | None,
    typer.Option("--bundle", help="Also write what somebody who helps needs to know, without secrets.", metavar="FILE"),
]
_MARKS = {
    Status.OK: "ok",
    Status.INFO: "info",
    Status.WARNING: "WARN",
    Status.FAILED: "FAIL",
    Status.SKIPPED: "skip",
}


def doctor_command(
    config: CONFIG_OPTION = DEFAULT_CONFIG, *, only: _ONLY = None, json: JSON_OPTION = False, bundle: _BUNDLE = None
) -> None:
    """Examine everything the service needs, and say what to do about what is not well; nothing is changed or sent.

    Exit status: 0 all is well; 1 something is not; 2 config.ini would keep the service from starting.
    """
    with faults():
        wanted = _wanted(only or [])
        settings, problems = _configuration(Path(config))
    results: list[Result] = []
    for result in _all_results(settings, problems, wanted):
        results.append(result)
        if not json:
            out.print(_as_text(result), markup=False)
    if bundle is not None:
        with faults():
            names = write_bundle(bundle, settings, [_as_data(result) for result in results], SYSTEM_CLOCK.now())
        err.print(
            f"{bundle} has {', '.join(names)}: without secrets and names of people; look into it before it goes out"
        )
    if json:
        print_json([_as_data(result) for result in results])
    else:
        out.print(summary(results))
    if problems:
        raise typer.Exit(Exit.USAGE)
    if not all(result.finding.status.is_well for result in results):
        raise typer.Exit(Exit.FOUND)


def _wanted(only: list[str]) -> frozenset[str]:
    known = [check.value for check in Check]
    for name in only:
        if name not in known:
            raise UsageFault(f"there is no check {name}", remedy=f"there are {', '.join(known)}")
    return frozenset(only or known)


def _configuration(file: Path) -> tuple[Settings, list[Finding]]:
    """What config.ini says as far as it can be understood, and what is wrong with it. Raises Fault when nothing can."""
    try:
        return asyncio.run(examined_config(file, needed_to_serve, SYSTEM_CLOCK, SYSTEM_ENTROPY)), []
    except ConfigFault as fault:
        if fault.settings is None:
            raise
        return fault.settings, [
            Finding(Status.FAILED, f"line {each.line}: {each.where}: {each.problem}", each.remedy)
            for each in fault.problems
        ]


def _all_results(settings: Settings, problems: list[Finding], wanted: frozenset[str]) -> Iterator[Result]:
    """Problems of config.ini come whatever is wanted: all that follows builds on it."""
    of_config = problems or ([Finding(Status.OK, "no problems")] if Check.CONFIG in wanted else [])
    yield from (Result(Check.CONFIG, str(settings.file), finding) for finding in of_config)
    examinations = (each for each in all_examinations(settings, SYSTEM_CLOCK, SYSTEM_ENTROPY) if each.check in wanted)
    line = err.status("examining")

    def announce(examination: Examination) -> None:
        if err.is_terminal:
            line.update(Text(f"examining {examination.check} {examination.subject}".rstrip()))
            line.start()

    try:
        for result in run(examinations, announce):
            # taken away before anything is printed: both may go to the same terminal
            line.stop()
            yield result
    finally:
        line.stop()


def _as_text(result: Result) -> str:
    """A line with a mark, and under what is not well the remedy."""
    finding = result.finding
    subject = f"{result.subject}: " if result.subject else ""
    line = f"{_MARKS[finding.status]:4}  {result.check.value:20}  {subject}{finding.detail}"
    return f"{line}\n{'':6}{finding.remedy}" if finding.remedy else line


def _as_data(result: Result) -> dict[str, str]:
    finding = result.finding
    return {
        "check": result.check,
        "subject": result.subject,
        "status": finding.status,
        "detail": finding.detail,
        "remedy": finding.remedy,
    }
