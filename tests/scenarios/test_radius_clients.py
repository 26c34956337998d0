"""`dirfactor radius clients`: what the running service has seen of its access nodes."""

import json
from pathlib import Path

from scenarios.command_line import dirfactor
from scenarios.company import texted
from scenarios.office import open_office


async def test_what_a_client_sent_is_told_after_the_service_has_ended(tmp_path: Path):
    async with open_office(tmp_path, texted("alice", 1)) as office:
        for _ in range(3):
            await office.log_on("radius", "alice", password="wrong")
        config = office.service.config
        text = config.read_text()
        config.write_text(text.replace("[node:vpn]", "[node:vpn]\ndirfactorRequireMessageAuthenticator = FALSE"))
    ended = await dirfactor("radius", "clients", "--config", str(config), "--json")
    (vpn,) = json.loads(ended.out)
    assert (vpn["node"], vpn["days"]) == ("vpn", 1)
    assert (vpn["counts"]["packets"], vpn["counts"]["proven"], vpn["counts"]["pap"]) == (3, 3, 3)
    assert (vpn["setting"], ended.status) == ("dirfactorRequireMessageAuthenticator: TRUE", 1)
    shown = await dirfactor("radius", "clients", "--config", str(config))
    assert "vpn: dirfactorRequireMessageAuthenticator: TRUE (it has always sent a Message-Authenticator" in shown.out
