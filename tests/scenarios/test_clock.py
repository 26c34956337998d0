"""The system's clock is set while the service runs, as by an administrator or by NTP on a machine that slept."""

import pytest

from rig.faked_time import FakedTime
from scenarios.company import policy, texted
from scenarios.office import open_office

pytestmark = pytest.mark.servers


@pytest.mark.parametrize("seconds", [-3600.0, 3600.0], ids=["back", "ahead"])
async def test_edits_arrive_and_people_log_on_when_the_clock_is_set(tmp_path, seconds):
    clock = FakedTime(tmp_path / "clock")
    async with open_office(tmp_path, texted("tess", 1), policy("other"), environment=clock.environment) as office:
        clock.put(seconds)
        await office.change("uid=tess", mail="another@demo.example")
        asked, code = await office.texted("radius", "tess")
        assert (await office.answer("radius", "tess", asked.state, code)).outcome == "accepted"
