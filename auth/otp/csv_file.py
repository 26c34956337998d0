"""Software tokens from a CSV file: a line of column names, then one token a line. Pure."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from auth.otp.importing import BadFile, ImportedToken, demand_different
from auth.otp.token import Algorithm, SoftwareToken, UnfitToken, seed_from_text
from schema.words import TokenKind

_REQUIRED = ("serial", "seed", "kind")
_OPTIONAL = ("digits", "algorithm", "period", "counter", "user")
COLUMNS = (*_REQUIRED, *_OPTIONAL)
_LONGEST_SHOWN = 8


def tokens_of_csv(text: str) -> tuple[ImportedToken, ...]:
    """The tokens of the file.

    Columns: serial, seed (hex or base32), kind (totp or hotp); optional: digits (6), algorithm (sha1, sha256, sha512),
    period in seconds (30), counter (0), user (login name or DN). Separated by commas or, as some spreadsheets write
    it, by semicolons.

    Raises:
        BadFile: anything is wrong with it, each thing with its line.
    """
    first = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text), delimiter=";" if ";" in first else ",", strict=True)
    try:
        lines = [(rows.line_num, [cell.strip() for cell in row]) for row in rows]
    except csv.Error as error:
        raise BadFile([(f"line {rows.line_num}", f"it is no CSV: {error}")]) from error
    names = [name.lower() for name in lines[0][1]] if lines else []
    _check_names(names)
    return _tokens(names, lines[1:])


def _tokens(names: Sequence[str], lines: Iterable[tuple[int, list[str]]]) -> tuple[ImportedToken, ...]:
    found: list[ImportedToken] = []
    problems: list[tuple[str, str]] = []
    for number, cells in lines:
        where = f"line {number}"
        if not any(cells):
            continue
        try:
            found.append(_token(dict(zip(names, cells, strict=True)), where))
        except UnfitToken as unfit:
            problems.append((where, f"{unfit.problem}; {unfit.remedy}"))
        except ValueError:
            problems.append((where, f"{len(cells)} columns, and the first line has {len(names)}"))
    if not found and not problems:
        problems.append(("line 2", "there is no token"))
    if problems:
        raise BadFile(problems)
    demand_different(found)
    return tuple(found)


def _check_names(names: Sequence[str]) -> None:
    problems = [("line 1", f"no column {name}") for name in _REQUIRED if name not in names]
    problems += [
        ("line 1", f"column {_shown(name)} is not known; there are {', '.join(COLUMNS)}")
        for name in names
        if name not in COLUMNS
    ]
    problems += [("line 1", f"column {name} stands twice") for name in sorted({n for n in names if names.count(n) > 1})]
    if problems:
        raise BadFile(problems)


def _token(cells: Mapping[str, str], where: str) -> ImportedToken:
    token = SoftwareToken(
        kind=_kind(cells["kind"]),
        serial=cells["serial"],
        seed=seed_from_text(cells["seed"]),
        algorithm=_algorithm(cells.get("algorithm", "")),
        digits=_number(cells, "digits", 6),
        period=_number(cells, "period", 30),
        first=_number(cells, "counter", 0),
    )
    return ImportedToken(token, cells.get("user", ""), where)


def _kind(text: str) -> TokenKind:
    try:
        return TokenKind(text.lower())
    except ValueError as error:
        raise UnfitToken(f"{_shown(text)} is no kind", remedy="write totp or hotp") from error


def _algorithm(text: str) -> Algorithm:
    plain = text.lower().replace("-", "").removeprefix("hmac")
    try:
        return Algorithm(plain) if plain else Algorithm.SHA1
    except ValueError as error:
        raise UnfitToken(f"{_shown(text)} is no algorithm", remedy="write sha1, sha256 or sha512") from error


def _number(cells: Mapping[str, str], column: str, default: int) -> int:
    text = cells.get(column, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 20):  # noqa: PLR2004 - more than any counter has
        raise UnfitToken(f"{column} {_shown(text)} is no number", remedy="write digits only")
    return int(text)


def _shown(text: str) -> str:
    """What stands there, unless it is long enough to be a seed that has got into another column."""
    return repr(text) if len(text) <= _LONGEST_SHOWN else f"of {len(text)} characters"
