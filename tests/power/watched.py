"""What a program asks of its files, as strace(1) sees it."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from power.disk import Call, Step, What

_OURS = {"PYTHONPATH": os.pathsep.join(map(str, (Path(__file__).parents[2], Path(__file__).parents[1])))}
_CALLS = "openat,pwrite64,write,fsync,fdatasync,ftruncate,link,linkat,unlink"
_NAMING = {"openat", "link", "linkat", "unlink"}
_LINE = re.compile(r"(?P<thread>\d+) +(?:<\.\.\. \w+ resumed>(?P<rest>.*)|(?P<name>\w+)\((?P<begun>.*))")
_UNFINISHED = " <unfinished ...>"
_FILE = re.compile(r"\d+<((?:\\x[0-9a-f]{2})+)>")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_NUMBER = re.compile(r", (\d+)$")


def watched(program: Sequence[str | Path], folder: Path, log: Path) -> Iterator[Step]:
    """Run a program of ours; every step of its way with the files in a folder, in order.

    Args:
        program: what Python is told to run.
        folder: whose files count.
        log: where strace writes.
    """
    trace = ["strace", "-f", "-y", "-xx", "-s", "1000000", "-e", f"trace={_CALLS}", "-o", log]
    subprocess.run([*trace, sys.executable, *program], check=True, env=os.environ | _OURS)
    begun: dict[str, tuple[str, str, Call | None]] = {}
    for line in log.read_text().splitlines():
        said = _LINE.fullmatch(line)
        if said is None:
            continue  # the end of a thread
        if said["name"]:
            name, words = said["name"], said["begun"]
            unfinished = words.endswith(_UNFINISHED)
            call = _call(name, words.removesuffix(_UNFINISHED), folder)
            if call is not None:
                yield Step(call, ended=False)
            begun[said["thread"]] = name, words, call
            if unfinished:
                continue
            result = words
        else:
            name, _, call = begun[said["thread"]]
            result = said["rest"]
        if call is not None:
            if re.search(r"= -1 [A-Z]+", result) and not (call.what is What.CREATE and "= -1 EEXIST" in result):
                raise AssertionError(line)  # but to make what is there already makes nothing
            yield Step(call, ended=True)


def _call(name: str, words: str, folder: Path) -> Call | None:
    arguments = words.rpartition(") ")[0] or words
    path = _path(name, arguments)
    if path is None or folder not in (path, path.parent) or path.name.endswith("-shm"):
        return None  # of shared memory nothing is read after a cut
    match name:
        case "openat":
            return Call(What.CREATE, path) if "O_CREAT" in arguments else None
        case "link" | "linkat":
            return Call(What.LINK, Path(_octets(_TEXT.findall(arguments)[1]).decode()), source=path)
        case "unlink":
            return Call(What.REMOVE, path)
        case "fsync" | "fdatasync":
            return Call(What.SYNC, path)
        case "ftruncate":
            return Call(What.RESIZE, path, _last_number(arguments))
        case "pwrite64":
            return Call(What.WRITE, path, _last_number(arguments), _octets(_TEXT.findall(arguments)[0]))
        case _:
            return Call(What.WRITE, path, None, _octets(_TEXT.findall(arguments)[0]))  # all of ours append


def _path(name: str, arguments: str) -> Path | None:
    found = _TEXT.findall(arguments) if name in _NAMING else _FILE.findall(arguments)
    return Path(_octets(found[0]).decode()) if found else None


def _last_number(arguments: str) -> int:
    number = _NUMBER.search(arguments.rstrip())
    if number is None:
        raise AssertionError(arguments[-100:])
    return int(number[1])


def _octets(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))
