"""Applications that log people on with our Python client, and ask again when they have waited long enough."""

import pytest

from auth.client import Accepted, Challenged, Client, Refused, ServiceUnavailable
from clients.house import API_KEY

pytestmark = pytest.mark.servers


def client_of(house, **settings):
    return Client(f"http://127.0.0.1:{house.http_port}", api_key=API_KEY.text, **settings)


def test_it_opens_in_two_steps_and_the_answer_opens_once(house):
    visitor = house.visitor()
    with client_of(house) as client:
        challenge = client.authenticate(visitor.uid, visitor.password)
        assert isinstance(challenge, Challenged)
        code = house.code(visitor)
        accepted = client.answer(challenge, code)
        assert isinstance(accepted, Accepted)
        assert accepted.attributes["Filter-Id"] == ("staff",)
        assert isinstance(client.answer(challenge, code), Refused)


def test_asked_again_while_the_gateway_is_slow_there_is_one_text(house):
    visitor = house.visitor()
    with house.gateway.slowed(5.0):
        with client_of(house, seconds=2.0) as hasty, pytest.raises(ServiceUnavailable):
            hasty.authenticate(visitor.uid, visitor.password)
        with client_of(house) as client:
            challenge = client.authenticate(visitor.uid, visitor.password)
            assert isinstance(challenge, Challenged)
            assert isinstance(client.answer(challenge, house.code(visitor)), Accepted)
    assert house.texts(visitor) == 1
