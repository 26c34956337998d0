"""PEAP and TTLS by FreeRADIUS in front, with wpa_supplicant behind a switch: the chain of docs/radius.md."""

import asyncio
import contextlib

import pytest

from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.radius import NodeDoor, RadiusDoor, listen
from auth.reason import Reason
from auth.request import Accepted, Refused, ReplyAttribute
from rig.eapol import eapol_test
from rig.freeradius import Behind, Inside, freeradius
from rig.ports import free_port
from schema.secret import Secret
from sockets import datagrams_at

pytestmark = pytest.mark.servers
CODE = Secret("481516")
FILTER_ID = "   Attribute 11 ("
SWITCH, FRONT = "secret-of-the-switch", "secret-of-the-front"


class Desk:
    """A service that knows one code, whether it is typed or shown as a response."""

    def __init__(self):
        self.shown = []

    async def begin(self, request):
        self.shown.append(type(request.password).__name__)
        replies = (ReplyAttribute("Filter-Id", "staff"),)
        if isinstance(request.password, Secret):
            return Accepted(replies) if request.password.matches(CODE) else Refused(Reason.CODE_EMPTY)
        if request.password.proves(CODE):
            return Accepted(replies, success=request.password.success(CODE))
        return Refused(Reason.CODE_EMPTY)

    async def decline(self, origin, user, reason):
        return Refused(reason)


@contextlib.asynccontextmanager
async def chain(folder, inside):
    """Yields the desk and a function by which somebody logs on through the front."""
    desk, node = Desk(), NodeDoor("front", FRONT.encode(), code_only=True)
    door = RadiusDoor(service=desk, clock=SYSTEM_CLOCK, entropy=SYSTEM_ENTROPY)
    server = await listen(datagrams_at("127.0.0.1"), lambda _: node, door)
    port = free_port()
    behind = Behind(server.address[1], FRONT)
    front = await asyncio.to_thread(freeradius, folder / "front", port, SWITCH, behind, inside)
    try:
        yield desk, lambda code, **how: eapol_test(folder, port, SWITCH, "alice", code, **how)
    finally:
        await asyncio.to_thread(front.stop)
        await server.drain(1.0)


async def test_peap_with_mschapv2_the_peer_checks_our_proof_of_the_code(tmp_path):
    async with chain(tmp_path, Inside.AS_MSCHAPV2) as (desk, log_on):
        right = await log_on(CODE.text, method="PEAP", inside="auth=MSCHAPV2")
        assert right.accepted, right.log
        assert "EAP-MSCHAPV2: Authentication succeeded" in right.log
        assert "MPPE keys OK: 1  mismatch: 0" in right.log
        assert FILTER_ID in right.log
        assert desk.shown == ["MsChap2Response"]
        wrong = await log_on("481517", method="PEAP", inside="auth=MSCHAPV2")
        assert not wrong.accepted


async def test_ttls_with_pap_and_peap_with_gtc_bring_what_was_typed(tmp_path):
    async with chain(tmp_path, Inside.AS_EAP) as (desk, log_on):
        for method, inside in (("TTLS", "auth=PAP"), ("PEAP", "auth=GTC")):
            right = await log_on(CODE.text, method=method, inside=inside)
            assert right.accepted, right.log
            assert "MPPE keys OK: 1  mismatch: 0" in right.log
            assert FILTER_ID in right.log, "the switch hears which group it is"
            assert not (await log_on("481517", method=method, inside=inside)).accepted
        assert desk.shown == ["Secret"] * 4


async def test_ttls_with_chap_and_mschapv2_bring_responses(tmp_path):
    async with chain(tmp_path, Inside.AS_EAP) as (desk, log_on):
        for inside in ("auth=CHAP", "auth=MSCHAP", "auth=MSCHAPV2"):
            right = await log_on(CODE.text, method="TTLS", inside=inside)
            assert right.accepted, right.log
        assert desk.shown == ["ChapResponse", "MsChapResponse", "MsChap2Response"]
