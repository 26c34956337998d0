"""A reader of the documents: sits in a folder beside a real directory and does what a page says, block by block."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from auth.config import read_config
from docs.blocks import ROOT, Block, commands
from docs.names import substituted
from docs.powershell import PowerShell
from docs.windows import CommandPrompt, printed_by_delegate
from rig.ldaptools import LdapTools
from rig.process import SYSTEM_ENVIRONMENT, Process

# Commands whose exit status 1 is an answer: something was found, or a challenge came where radclient expects an accept.
_ANSWERS = re.compile(
    r"^dirfactor (explain|check|doctor|audit show|token show|user show|sync held|schema (plan|verify)|delegate plan|"
    r".* --dry-run)|"
    r"\| radclient "
)
_READY = "ready: RADIUS"


@dataclass(frozen=True)
class Ran:
    """A command of a page, how it ended and what it printed."""

    command: str
    status: int
    output: str


@dataclass
class Place:
    """Where a page is followed.

    Args:
        folder: holds config.ini and whatever the page makes.
        names: the example's names and the rig's.
        tools: the directory by the DN of an entry, as its administrator.
        password: of everybody, and what is typed where a command asks for one.
        secrets: file name -> what is typed into it, where that is something else.
        own: section -> lines of config.ini that only this machine knows: its ports and folders.
        shell: PowerShell, where the directory has it.
        prompt: Windows' command line, where the directory has it.
        fill: what the reader has to put in, found when it is wanted.
        translated: commands that this machine has no program for, and what they do.
    """

    folder: Path
    names: Mapping[str, str]
    tools: Callable[[str], LdapTools]
    password: str
    secrets: Mapping[str, str] = field(default_factory=dict)
    own: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    shell: PowerShell | None = None
    prompt: CommandPrompt | None = None
    fill: Mapping[str, Callable[[], str]] = field(default_factory=dict)
    translated: Mapping[str, Callable[[], None]] = field(default_factory=dict)
    ran: list[Ran] = field(default_factory=list)
    _service: Process | None = None

    def follow(self, block: Block) -> None:
        """Does what one block says; a refusal, a wrong status or an unknown form fails the test."""
        text = substituted(block.text, self.names)
        for name, found in self.fill.items() if block.kind == "sh" else ():
            if name in text:
                text = text.replace(name, found())
        getattr(self, f"_{block.kind}")(text, block)

    def close(self) -> None:
        """Ends the service, if the page has started it."""
        if self._service:
            self._service.stop()
            self._service = None

    @property
    def last(self) -> Ran:
        return self.ran[-1]

    def _sh(self, text: str, block: Block) -> None:
        own = self.folder / f"block-{Path(block.page).stem}-{block.line}"
        own.mkdir(exist_ok=True)
        script, run = [f"cd {shlex.quote(str(self.folder))}"], []
        every = commands(text)
        serving = every.pop() if re.match(r"dirfactor serve\b", every[-1]) else ""
        for command in every:
            if re.match(r"(make|tools/bootstrap)\b", command):
                self._check_make(command, block)
            elif command in self.translated:
                self.translated[command]()
            else:
                number = len(run)
                (own / f"{number}.in").write_text(self._typed(command) + "\n")
                script.append(
                    f"{{ {command}\n}} <{own}/{number}.in >{own}/{number}.out 2>&1; echo $? >{own}/{number}.rc"
                )
                run.append(command)
        # a session of its own, so that what asks for a password finds no terminal but what is typed here
        subprocess.run(["sh", "-c", "\n".join(script)], env=self._environment(), start_new_session=True, check=True)
        for number, command in enumerate(run):
            status, output = int((own / f"{number}.rc").read_text()), (own / f"{number}.out").read_text()
            self.ran.append(Ran(command, status, output))
            allowed = {0, 1} if _ANSWERS.search(command) else {0}
            assert status in allowed, f"{block}: {command}\nended with {status}:\n{output}"
        if serving:
            self._serve(serving)

    def _typed(self, command: str) -> str:
        into = re.match(r"cat > (\S+)", command)
        return self.secrets.get(into[1], self.password) if into else self.password

    def _environment(self) -> dict[str, str]:
        programs = f"{Path(sys.executable).parent}:{SYSTEM_ENVIRONMENT['PATH']}"
        trusted = str(self.folder / "domain-ca.pem")
        config = self.folder / "config.ini"
        return SYSTEM_ENVIRONMENT | {
            "PATH": programs,
            "HOME": str(self.folder),
            "COLUMNS": "200",
            # the machine trusts the directory's authority, and config.ini, if there is one, is where it is looked for
            "SSL_CERT_FILE": trusted,
            "LDAPTLS_CACERT": trusted,
            **({"DIRFACTOR_CONFIG": str(config)} if config.exists() else {}),
        }

    def _check_make(self, command: str, block: Block) -> None:
        program, *words = shlex.split(command, comments=True)
        known = (ROOT / ("Makefile" if program == "make" else "tools/bootstrap")).read_text()
        for word in words:
            assert re.search(rf"^ *([\w| ]+\| )?{word}( \|[\w| ]+)?[:)]", known, re.MULTILINE), f"{block}: {command}"

    def _serve(self, command: str) -> None:
        self.close()
        log = self.folder / "serve.log"
        log.unlink(missing_ok=True)
        self._service = Process(
            ["sh", "-c", f"cd {shlex.quote(str(self.folder))} && exec {command}"],
            log=log,
            environment=self._environment(),
        )
        self._service.start(lambda: _READY in log.read_text())

    def _bat(self, text: str, block: Block) -> None:
        assert self.prompt, block
        for command in filter(str.strip, text.splitlines()):
            if command.startswith("dsacls "):
                account, base = re.fullmatch(r'dsacls "([^"]+)".*"([^":]+):.*"', command).group(2, 1)
                assert printed_by_delegate(command, account, base), f"{block}: {command}"
            else:
                self.ran.append(Ran(command, 0, self.prompt.run(command)))

    def _powershell(self, text: str, block: Block) -> None:
        assert self.shell, block
        self.ran.append(Ran(text, 0, self.shell.run(text)))

    def _ldif(self, text: str, block: Block) -> None:
        if block.name:
            (self.folder / block.name).write_text(text)
            return
        for record in filter(str.strip, text.split("\n\n")):
            dn = record.partition("\n")[0].removeprefix("dn: ")
            self.tools(dn).modify(record + "\n")

    def _csv(self, text: str, block: Block) -> None:
        (self.folder / block.name).write_text(text)

    def _ini(self, text: str, block: Block) -> None:
        file = self.folder / (block.name or "fragment.ini")
        file.write_text(self._completed(text, whole=bool(block.name)))
        for name in re.findall(
            r"= (?:file:)?([\w.-]+\.(?:password|secret|keytab|pem|key|ldif|p12))$", text, re.MULTILINE
        ):
            if not (self.folder / name).exists() and not block.name:
                (self.folder / name).touch(mode=0o600)
                (self.folder / name).write_text(self.password)
        read_config(file, self._environment())

    def _completed(self, text: str, *, whole: bool) -> str:
        """With the settings that only this machine knows; a fragment also gets a directory, which it must have."""
        if not whole and not re.search(r"^\[directory", text, re.MULTILINE):
            text += "\n[directory]\nkind = ldif\nfile = fragment.ldif\n"
            (self.folder / "fragment.ldif").touch()
        for section, lines in self.own.items() if whole else ():
            given = set(re.findall(r"^(\w+) =", text, re.MULTILINE))
            added = "".join(f"{name} = {value}\n" for name, value in lines.items() if name not in given)
            if f"[{section}]\n" in text:
                text = text.replace(f"[{section}]\n", f"[{section}]\n{added}")
            else:
                text += f"\n[{section}]\n{added}"
        return text

    def _output(self, text: str, block: Block) -> None:
        """Each line that is shown was printed, in this order; `...` stands for whatever."""
        printed = iter(self.last.output.splitlines())
        for line in text.splitlines():
            pattern = re.compile(".*".join(map(re.escape, line.rstrip().split("..."))))
            assert any(pattern.fullmatch(other.rstrip()) for other in printed), f"{block}: {line}\n{self.last.output}"

    def _text(self, text: str, block: Block) -> None:
        """Nothing to do."""
