"""What docs/clients says: the client's files on a page are those that its tests run."""

from collections.abc import Mapping
from pathlib import Path

from docs.blocks import ROOT, blocks
from docs.names import substituted


def install(page: str, home: Path, names: Mapping[str, str]) -> None:
    """Puts the files of a page in docs/clients into a folder, each under the last part of its name.

    Args:
        page: its name without `.md`.
        home: the folder.
        names: the page's names and the rig's; each of them stands on the page.
    """
    files = [block for block in blocks(ROOT / "docs" / "clients" / f"{page}.md") if block.kind == "text" and block.name]
    everything = "".join(block.text for block in files)
    assert [name for name in names if name not in everything] == [], f"{page} does not say so"
    for block in files:
        file = home / Path(block.name).name
        file.touch(mode=0o600)
        file.write_text(substituted(block.text, names))
