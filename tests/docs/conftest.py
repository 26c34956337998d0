"""The first hour, followed once: its end is where the other pages about Active Directory begin."""

import re
import shutil
from dataclasses import dataclass

import pytest

from docs.blocks import ROOT, blocks
from docs.company import PEOPLE, desk, hire
from docs.place import Place, Ran
from rig.kannel import Kannel
from rig.samba import DomainController

FIRST_HOUR = ROOT / "docs" / "first-hour-ad.md"
_SNAPSHOT = "after the first hour"
_WITH_SCHEMA = "the company with our schema"


@dataclass
class FirstHour:
    """The domain and the folder as the first hour leaves them, and what its commands printed."""

    dc: DomainController
    kannel: Kannel
    place: Place
    ran: list[Ran]

    def with_schema(self, folder) -> Place:
        """The domain as it was when it had our schema and nothing else, and an empty folder."""
        self.dc.restore(_WITH_SCHEMA)
        return desk(self.dc, folder, self.kannel)

    def again(self, folder) -> Place:
        """The domain as it was at the end, and a copy of the folder."""
        self.dc.restore(_SNAPSHOT)
        shutil.copytree(self.place.folder, folder, ignore=shutil.ignore_patterns("block-*"))
        return desk(self.dc, folder, self.kannel)


@pytest.fixture(scope="session")
def first_hour(samba_dc, kannel, tmp_path_factory):
    samba_dc.reset()
    hire(samba_dc)
    place = desk(samba_dc, tmp_path_factory.mktemp("first-hour"), kannel)
    place.fill = {
        "123456": lambda: re.search(r"\b\d{6}\b", kannel.wait_for_text(PEOPLE["alice"][1].replace(" ", "")))[0],
        "0x...": lambda: re.findall(r"State = (0x\w+)", place.last.output)[-1],
    }
    try:
        for block in blocks(FIRST_HOUR):
            if block.kind == "powershell" and not any(ran.command.startswith("New-") for ran in place.ran):
                samba_dc.snapshot(_WITH_SCHEMA)
            place.follow(block)
    finally:
        place.close()
    samba_dc.snapshot(_SNAPSHOT)
    return FirstHour(samba_dc, kannel, place, list(place.ran))
