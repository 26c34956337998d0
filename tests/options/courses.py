"""What people do in a scenario."""

import msgspec

from auth.radius import Attribute, Code, Packet
from auth.radius.dialogue import objection, read, say
from auth.radius.packet import Proof, hide
from auth.request import Challenged, Door, LoginRequest, Origin
from options.keys import API_KEY
from options.sealed import RESPONSE
from options.world import VIP_CODE, World

CERTIFICATE_NAME = "portal.example.org"


async def first(world: World):
    """A first step with the right password."""
    return await world.log_on()


async def whole(world: World):
    """The right password and the code that was sent."""
    return await world.whole()


async def wrong_code(world: World):
    """The right password and a wrong code."""
    return await world.answer(await world.log_on(), world.wrong())


async def after_a_wrong_code(world: World):
    """A login after one that had a wrong code."""
    await wrong_code(world)
    return await world.log_on()


async def after_an_hour(world: World):
    """A wrong code, and a login an hour later."""
    await wrong_code(world)
    world.hand.move(hours=1)
    return await world.log_on()


async def wrong_right_wrong(world: World):
    """A login after a wrong code, a right one and a wrong one again."""
    again = await wrong_code(world)
    assert str(await world.answer(again, world.code())) == "accepted"
    return await after_a_wrong_code(world)


async def number_of_messages(world: World) -> str:
    """Two logins with whatever codes there are: how many messages that took."""
    codes: list[str] = []
    for _ in range(2):
        seen = len(world.out)
        asked = await world.log_on()
        codes = world.out[-1].codes if len(world.out) > seen else codes
        assert str(await world.answer(asked, codes.pop(0))) == "accepted"
    return f"{len(world.out)} messages"


async def sent_at_once(world: World) -> str:
    """How many messages a first step alone has sent."""
    await world.log_on()
    return f"{len(world.out)} messages"


async def codes_in_the_message(world: World) -> str:
    await world.log_on()
    return f"{len(world.out[-1].codes)} codes"


async def recipient(world: World) -> str:
    await world.log_on()
    return world.out[-1].to


async def gateway(world: World) -> str:
    await world.log_on()
    return world.out[-1].gateway


async def message(world: World) -> str:
    """What was sent, with the code taken out."""
    await world.log_on()
    sent = world.out[-1]
    parts = (sent.message.subject, sent.message.text, sent.message.html or "")
    return " | ".join(part for part in parts if part).replace(sent.codes[0], "CODE")


async def prompt(world: World) -> str:
    return (await world.log_on()).message


async def length_of_the_code(world: World) -> str:
    await world.log_on()
    return f"{len(world.code())} digits"


def typed(*texts: str):
    """The right password, and then these answers."""

    async def course(world: World):
        reply = await world.log_on()
        for text in texts:
            reply = await world.answer(reply, text) if isinstance(reply.outcome, Challenged) else reply
        return reply

    return course


def in_one_field(text: str):
    """All of it in the password field of the first step."""

    async def course(world: World):
        return await world.log_on(text)

    return course


def named(name: str):
    """A first step under this login name."""

    async def course(world: World):
        return await world.log_on(user=name)

    return course


def later(**time: float):
    """The right password, and the code after so long."""

    async def course(world: World):
        asked = await world.log_on()
        world.hand.move(**time)
        return await world.answer(asked, world.code())

    return course


def stock_later(**time: float):
    """A code that was sent ahead, used at a login after so long."""

    async def course(world: World):
        asked = await world.log_on()
        kept, code = world.out[-1].codes[-1], world.code()
        assert str(await world.answer(asked, code)) == "accepted"
        world.hand.move(**time)
        return await world.answer(await world.log_on(), kept)

    return course


def old_data(**time: float):
    """A first step so long after the last sync."""

    async def course(world: World):
        world.hand.move(**time)
        return await world.log_on()

    return course


def response_later(**time: float):
    """The temporary response after so long."""

    async def course(world: World):
        world.hand.move(**time)
        return await world.answer(await world.log_on(), RESPONSE)

    return course


def wrong_codes(number: int, *, right: int = 0, more: int = 0, then: bool = False):
    """So many wrong codes in the only field, right ones, wrong ones again, and a right one: the last reply."""

    async def course(world: World):
        reply = None
        for text in ["000000"] * number + [VIP_CODE] * right + ["000000"] * more + [VIP_CODE] * then:
            waiting = reply is not None and isinstance(reply.outcome, Challenged)
            reply = await (world.answer(reply, text) if waiting else world.log_on(text))
        return reply

    return course


async def response_twice(world: World) -> str:
    """The temporary response at two logins."""
    told = [str(await world.answer(await world.log_on(), RESPONSE)) for _ in range(2)]
    return ", ".join(told)


async def six_texts(world: World):
    """A sixth first step within fifteen minutes."""
    for _ in range(5):
        await world.log_on()
    return await world.log_on()


async def first_gateway_kind_down(world: World):
    """A first step while nobody takes texts."""
    for name, played in world.gateways.items():
        played.broken = name.startswith("sms")
    reply = await world.log_on()
    sent = world.out[-1].to if world.out else "nothing sent"
    return f"{reply}, {sent}"


async def attributes(world: World) -> str:
    """What an accept brings."""
    return " ".join(f"{name}={value}" for name, value in (await world.whole()).attributes.items())


async def asked_twice(world: World) -> str:
    """The same first step again within ten seconds, as clients do that repeat themselves."""
    await world.log_on(caller="10.0.0.1")
    world.hand.move(seconds=10)
    await world.log_on(caller="10.0.0.1")
    return f"{len(world.out)} messages"


async def rejected_then_code(world: World) -> str:
    """A client without challenges: password, then the code alone."""
    one = await world.log_on(caller="10.0.0.1")
    two = await world.log_on(world.code(), caller="10.0.0.1") if world.out else "no code"
    return f"{type(one.outcome).__name__}, {two}"


# the RADIUS door


def at(address: str):
    """Which access node a client with this address is."""

    async def course(world: World) -> str:
        door = world.app.nodes.radius_door(address)
        return "nobody" if door is None else f"{door.name}, secret of {len(door.secret)}"

    return course


async def key_holder(world: World) -> str:
    """Which access node the holder of an API key is."""
    known = world.app.nodes.by_api_key(API_KEY)
    return "nobody" if known is None else known.node.name


async def certificate_holder(world: World) -> str:
    """Which access node shows a client certificate with a name."""
    known = world.app.nodes.by_certificate([CERTIFICATE_NAME])
    return "nobody" if known is None else known.node.name


def _packet(*attributes: tuple[int, bytes]) -> Packet:
    return Packet(Code.ACCESS_REQUEST, 7, bytes(16), ((Attribute.USER_NAME, "Jürgen".encode()), *attributes))


def unproven(*attributes: tuple[int, bytes]):
    """A request without Message-Authenticator: what is objected."""

    async def course(world: World) -> str:
        found = objection(_packet(*attributes), Proof.ABSENT, world.app.nodes.radius_door("127.0.0.1"))
        return "answered" if found is None else found.name

    return course


async def name_in_latin_1(world: World) -> str:
    """A name with an umlaut in ISO 8859-1: how it is read."""
    door = world.app.nodes.radius_door("127.0.0.1")
    packet = Packet(
        Code.ACCESS_REQUEST,
        7,
        bytes(16),
        (
            (Attribute.USER_NAME, "Jürgen".encode("latin-1")),
            (Attribute.USER_PASSWORD, hide(b"x", door.secret, bytes(16))),
        ),
    )
    request = read(packet, Proof.VALID, door, Origin(Door.RADIUS, "vpn", "0", "127.0.0.1"))
    return request.user if isinstance(request, LoginRequest) else "not read"


async def prompt_on_the_wire(world: World) -> str:
    """A prompt with an umlaut: the octets of Reply-Message."""
    asked = await world.log_on()
    outcome = msgspec.structs.replace(asked.outcome, message="Für Sie")
    request = Packet(Code.ACCESS_REQUEST, 1, bytes(16))
    _, sent = say(outcome, request, world.app.nodes.radius_door("127.0.0.1"))
    return dict(sent)[Attribute.REPLY_MESSAGE].decode()
