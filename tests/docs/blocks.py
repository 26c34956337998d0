"""The pages of the documentation and their fenced blocks. Pure but for reading the files."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = tuple(sorted((ROOT / "docs" / "clients").glob("*.md")))
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *CLIENTS)
# What may stand behind the opening fence, and what becomes of the block.
KINDS = {
    "sh": "run by a shell",
    "bat": "Windows' command line: ldifde and dsacls, translated",
    "powershell": "interpreted",
    "ldif": "applied by ldapmodify; with a name it is that file",
    "ini": "read as config.ini; with a name it is that file",
    "csv": "becomes the file of that name",
    "output": "compared with what the block before it printed",
    "text": "to look at: nothing to run; with a name it is that file of a RADIUS client, and tests/clients runs it",
}
_FENCE = re.compile(r"^```([^\n`]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True)
class Block:
    """A fenced block: where it stands, its kind, the name behind that, and its text."""

    page: str
    line: int
    kind: str
    name: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: Path) -> list[Block]:
    text = page.read_text()
    found = []
    for match in _FENCE.finditer(text):
        kind, _, name = match[1].strip().partition(" ")
        found.append(Block(str(page.relative_to(ROOT)), text.count("\n", 0, match.start()) + 1, kind, name, match[2]))
    return found


def prose(page: Path) -> str:
    """The page without its blocks."""
    return _FENCE.sub("", page.read_text())


def spans(page: Path) -> list[str]:
    """What stands in code type in the page's sentences, line breaks inside it undone."""
    return _SPAN.findall(re.sub(r"(?<=\S)\n(?=\S)", " ", prose(page)))


def commands(text: str) -> list[str]:
    """The commands of a shell block: lines, with those that follow a backslash and with their here-documents."""
    found: list[str] = []
    lines = iter(text.splitlines())
    for line in lines:
        command = line
        while command.endswith("\\"):
            command += "\n" + next(lines)
        here = re.search(r"<<-?'?([\w.]+)'?", command)
        if here:
            for more in lines:
                command += "\n" + more
                if more == here[1]:
                    break
        if command.strip() and not command.lstrip().startswith("#"):
            found.append(command)
    return found
