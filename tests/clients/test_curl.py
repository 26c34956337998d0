"""Programs that log people on over HTTP: curl, and its own retries."""

import json
import subprocess

import pytest

from clients.house import API_KEY

pytestmark = pytest.mark.servers
RETRIES = ("--max-time", "2", "--retry", "4", "--retry-delay", "1", "--retry-all-errors")


def curl(house, body, *options):
    """What came back for one JSON object, and how often it was asked again."""
    done = subprocess.run(
        [
            *("curl", "--no-progress-meter", "--config", "-", "--header", "Content-Type: application/json", *options),
            *("--data", json.dumps(body), "--write-out", "\n%{http_code}"),
            f"http://127.0.0.1:{house.http_port}/v1/authenticate",
        ],
        input=f'header = "Authorization: Bearer {API_KEY.text}"\n',
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    said, _, status = done.stdout.rpartition("\n")
    assert status == "200", said
    return json.loads(said), done.stderr.count("Will retry")


def test_it_opens_in_two_steps_and_the_answer_opens_once(house):
    visitor = house.visitor()
    challenge, _ = curl(house, {"user": visitor.uid, "password": visitor.password})
    assert challenge["outcome"] == "challenged"
    answer = {"user": visitor.uid, "passcode": house.code(visitor), "state": challenge["state"]}
    accept, _ = curl(house, answer)
    assert accept["outcome"] == "accepted"
    assert {"name": "Filter-Id", "value": "staff"} in accept["reply_attributes"]
    assert curl(house, answer)[0]["outcome"] == "refused"


def test_its_retries_to_a_slow_gateway_send_one_text(house):
    visitor = house.visitor()
    with house.gateway.slowed(5.0):
        challenge, retries = curl(house, {"user": visitor.uid, "password": visitor.password}, *RETRIES)
    assert challenge["outcome"] == "challenged"
    assert retries >= 1
    assert house.texts(visitor) == 1
    answer = {"user": visitor.uid, "passcode": house.code(visitor), "state": challenge["state"]}
    assert curl(house, answer)[0]["outcome"] == "accepted"
