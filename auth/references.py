"""Secrets by reference: config.ini names where a secret is, and never holds one."""

from collections.abc import Mapping
from pathlib import Path

from schema.secret import Secret

_REFERENCES = ("file:", "env:", "cred:")


def read_reference(reference: str, folder: Path, environment: Mapping[str, str]) -> Secret:
    """The secret that `file:PATH`, `env:NAME` or `cred:NAME` leads to.

    Args:
        reference: as it stands in config.ini.
        folder: paths are relative to it.
        environment: the variables, with systemd's $CREDENTIALS_DIRECTORY.

    Raises:
        ValueError: what is wrong with it, as a phrase that never quotes a secret.
    """
    kind, _, rest = reference.partition(":")
    if not reference.startswith(_REFERENCES) or not rest:
        msg = "is not a reference; secrets do not stand in config.ini"
        raise ValueError(msg)
    if kind == "env":
        if not environment.get(rest):
            msg = f"environment variable {rest} is not set"
            raise ValueError(msg)
        return Secret(environment[rest])
    if kind == "cred":
        credentials = environment.get("CREDENTIALS_DIRECTORY")
        if not credentials or "/" in rest:
            msg = "no $CREDENTIALS_DIRECTORY; systemd sets it for LoadCredential="
            raise ValueError(msg)
        return _secret_file(Path(credentials) / rest, guarded=False)
    return _secret_file(folder / rest, guarded=True)


def referred_file(reference: str, folder: Path) -> Path | None:
    """The file that `file:PATH` leads to; None for everything else.

    Args:
        reference: as it stands in config.ini.
        folder: paths are relative to it.
    """
    kind, _, rest = reference.partition(":")
    return folder / rest if kind == "file" and rest else None


def _secret_file(path: Path, *, guarded: bool) -> Secret:
    try:
        if guarded and path.stat().st_mode & 0o077:
            msg = f"{path} may be read by others; run chmod 600 on it"
            raise ValueError(msg)
        text = path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path} cannot be read as text: {getattr(error, 'strerror', None) or 'not UTF-8'}"
        raise ValueError(msg) from error
    if not text:
        msg = f"{path} is empty"
        raise ValueError(msg)
    return Secret(text)
