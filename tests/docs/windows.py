"""Windows' own tools in the documents: ldifde by plain LDAP, dsacls by comparison with what our command prints."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from auth.cli.main import app
from docs.powershell_text import UnknownForm
from rig.ldaptools import LdapRefused, LdapTools, add_record
from schema.roles import RoleName

# What ldifde -k passes over: there already, of the same value, gone (RFC 4511 appendix A).
_PASSED_OVER = {16, 20, 32, 68}


@dataclass
class CommandPrompt:
    """A prompt on a domain controller.

    Args:
        tools: the domain, as the administrator.
        folder: where the prompt stands.
    """

    tools: LdapTools
    folder: Path

    def run(self, command: str) -> str:
        """Runs a command and returns what it prints. Raises UnknownForm and LdapRefused."""
        program, *arguments = shlex.split(command)
        if program != "ldifde":
            raise UnknownForm(command)
        options: dict[str, list[str]] = {}
        while arguments:
            name = arguments.pop(0)
            count = {"-i": 0, "-k": 0, "-f": 1, "-d": 1, "-r": 1, "-l": 1, "-c": 2}.get(name)
            if count is None or len(arguments) < count:
                raise UnknownForm(command)
            options[name], arguments = arguments[:count], arguments[count:]
        file = self.folder / options["-f"][0]
        if "-i" in options:
            self._import(file, options.get("-c"), passing_over="-k" in options)
        else:
            self._export(file, options)
        return ""

    def _import(self, file: Path, renaming: list[str] | None, *, passing_over: bool) -> None:
        text = file.read_text()
        text = text.replace(*renaming) if renaming else text
        for record in filter(str.strip, text.split("\n\n")):
            if all(line.startswith("#") for line in record.splitlines() if line):
                continue
            try:
                self.tools.modify(record + "\n")
            except LdapRefused as refusal:
                if not (passing_over and refusal.code in _PASSED_OVER):
                    raise

    def _export(self, file: Path, options: dict[str, list[str]]) -> None:
        """As ldifde writes it: change records that add."""
        wanted = options["-l"][0].split(",") if "-l" in options else ["*"]
        where = options.get("-r", ["(objectClass=*)"])[0]
        found = self.tools.search(options["-d"][0], where, attributes=wanted)
        file.write_text("\n".join(add_record(entry.dn, entry.attributes) for entry in found))


def printed_by_delegate(line: str, account: str, base: str) -> bool:
    """Whether `dirfactor delegate show` prints this line for one of the roles."""
    given = ["--to", account, "--base", base, "--format", "dsacls"]
    return any(
        line in CliRunner().invoke(app, ["delegate", "show", role, *given]).stdout.splitlines() for role in RoleName
    )
