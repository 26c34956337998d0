"""Reads the PowerShell that the documents use: pipelines of cmdlets with literal arguments. Pure; what is new fails."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""
      (?P<skip>[ \t]+|`\n|\#[^\n]*)
    | (?P<now>\(Get-Date\)\.ToUniversalTime\(\))
    | (?P<secret>\(Read-Host\ -AsSecureString\ "[^"]*"\))
    | (?P<end>\n|;)
    | (?P<text>'(?:[^']|'')*'|"[^"`$]*")
    | (?P<mark>@\{|[{}|,=])
    | (?P<field>\$_\.\w+)
    | (?P<constant>\$true|\$false)
    | (?P<option>-[A-Za-z]+)
    | (?P<word>[\w.\\][\w.\\@-]*)
    """,
    re.VERBOSE,
)
_SCALARS = {"now", "secret", "text", "field", "constant", "word"}


class UnknownForm(Exception):
    """The documents use something that nobody has taught to the test."""


@dataclass(frozen=True)
class Scalar:
    """One value: `kind` is a token's; of a field, `operator` is -split or -join with its separator."""

    kind: str
    text: str
    operator: str = ""
    separator: str = ""


Pairs = dict[str, list[Scalar]]
Value = list[Scalar] | Pairs


@dataclass(frozen=True)
class Command:
    """A cmdlet: values without a name, values with one, an empty list for a switch; and the commands in its braces."""

    name: str
    values: list[Scalar] = field(default_factory=list)
    options: dict[str, Value] = field(default_factory=dict)
    computed: dict[str, Scalar] = field(default_factory=dict)
    inner: list["Command"] = field(default_factory=list)


def read(text: str) -> list[list[Command]]:
    """The pipelines of a script. Raises UnknownForm."""
    return list(_Reader(list(_tokens(text))).pipelines())


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise UnknownForm(text[at:].partition("\n")[0])
        at = match.end()
        if match.lastgroup != "skip":
            yield str(match.lastgroup), match[0]
    yield "end", "\n"


class _Reader:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    def pipelines(self, until: str = "") -> Iterator[list[Command]]:
        while True:
            self._skip_ends()
            if self._at == len(self._tokens) or self._take(until):
                return
            pipeline = [self._command()]
            while self._take("|"):
                self._skip_ends()
                pipeline.append(self._command())
            yield pipeline

    def _command(self) -> Command:
        command = Command(self._must("word"))
        while True:
            kind, text = self._next()
            if kind == "option":
                self._at += 1
                command.options[text[1:]] = self._value()
            elif text == "{" and not command.inner:
                self._at += 1
                command.inner.extend(each for pipeline in self.pipelines("}") for each in pipeline)
            elif text == "@{":
                command.computed.update([self._computed()])
                self._take(",")
            elif kind in _SCALARS:
                command.values.append(self._scalar())
                self._take(",")
            else:
                return command

    def _value(self) -> Value:
        if self._take("@{"):
            return self._pairs()
        values: list[Scalar] = []
        while self._next()[0] in _SCALARS:
            values.append(self._scalar())
            if not self._take(","):
                break
        return values

    def _pairs(self) -> Pairs:
        found: Pairs = {}
        self._skip_ends()
        while not self._take("}"):
            name = self._must("word")
            self._must("mark", "=")
            value = self._value()
            if isinstance(value, dict) or not value:
                raise UnknownForm(name)
            found[name] = value
            self._skip_ends()
        return found

    def _computed(self) -> tuple[str, Scalar]:
        """@{Name='...'; Expression={...}}"""
        for kind, text in (("mark", "@{"), ("word", "Name"), ("mark", "=")):
            self._must(kind, text)
        name = self._must("text")
        for kind, text in (("end", ";"), ("word", "Expression"), ("mark", "="), ("mark", "{")):
            self._must(kind, text)
        value = self._scalar()
        self._must("mark", "}")
        self._must("mark", "}")
        return name[1:-1], value

    def _scalar(self) -> Scalar:
        kind, text = self._next()
        self._at += 1
        if kind == "text":
            return Scalar(kind, text[1:-1].replace("''", "'") if text[0] == "'" else text[1:-1])
        if kind == "field":
            name = text.removeprefix("$_.")
            for operator in ("-split", "-join"):
                if self._take(operator):
                    return Scalar(kind, name, operator, self._must("text")[1:-1])
            return Scalar(kind, name)
        if kind not in _SCALARS:
            raise UnknownForm(text)
        return Scalar(kind, text)

    def _next(self) -> tuple[str, str]:
        return self._tokens[self._at]

    def _take(self, text: str) -> bool:
        taken = self._at < len(self._tokens) and bool(text) and self._tokens[self._at][1] == text
        self._at += taken
        return taken

    def _must(self, kind: str, text: str = "") -> str:
        found, value = self._next()
        if found != kind or (text and value != text):
            raise UnknownForm(value)
        self._at += 1
        return value

    def _skip_ends(self) -> None:
        while self._at < len(self._tokens) and self._tokens[self._at][0] == "end":
            self._at += 1
