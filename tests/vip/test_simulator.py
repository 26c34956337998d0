"""The simulator speaks as the service's schema says, and refuses what the service refuses."""

import contextlib
import socket
import ssl
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pyotp
import pytest
from defusedxml.ElementTree import fromstring

from auth.demo.vip.credentials import Credential
from auth.demo.vip.misbehaviour import Misbehaviour, Wrong
from auth.demo.vip.registry import Registry
from schema.secret import Secret

REPOSITORY = Path(__file__).resolve().parents[2]
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
VIP = "https://schemas.vip.symantec.com/2006/08/vipservice"


def envelope(operation: str, children: str, attributes: str = 'Version="3.1" Id="r1"', namespace: str = VIP) -> str:
    inside = f'<v:{operation} xmlns:v="{namespace}" {attributes}>{children}</v:{operation}>'
    return f'<s:Envelope xmlns:s="{SOAP}"><s:Body>{inside}</s:Body></s:Envelope>'


def ids(*names: str, element: str = "TokenIds") -> str:
    return "".join(f"<v:{element}>{name}</v:{element}>" for name in names)


def single(name: str, code: str) -> str:
    return f"{ids(name, element='TokenId')}<v:OTP>{code}</v:OTP>"


def pair(name: str) -> str:
    return f"{ids(name, element='TokenId')}<v:OTP1>000000</v:OTP1><v:OTP2>000000</v:OTP2>"


def reason(answer: httpx.Response) -> str:
    assert answer.status_code == 200
    (code,) = fromstring(answer.content).iter(f"{{{VIP}}}ReasonCode")
    return code.text


def message(answer: httpx.Response) -> str:
    (body,) = fromstring(answer.content)
    return body[0].tag.rpartition("}")[2]


# --- it says what the schema allows


def test_every_answer_is_valid_against_the_services_schema(simulator, violations):
    right = simulator.code("DESCRIBED").text
    code = f"<v:OTP>{simulator.code('NAMED').text}</v:OTP>"
    several = ids("NAMED", "DESCRIBED") + code + "<v:SendSuccessfulTokenId>1</v:SendSuccessfulTokenId>"
    asked = [
        ("/val/soap", envelope("Validate", single("DESCRIBED", right)), "0000"),
        ("/val/soap", envelope("Validate", single("DESCRIBED", right)), "49B5"),
        ("/val/soap", envelope("Validate", single("UNKNOWN", right)), "4E03"),
        ("/val/soap", envelope("Validate", single("DISABLED", right), 'Version="3.1"'), "4993"),
        ("/val/soap", envelope("Validate", single("A", right), 'Version="5.0" Id="&lt;&quot;"'), "4e04"),
        ("/val/soap", envelope("Validate", ""), "4E02"),
        ("/mgmt/soap", envelope("GetTokenInformation", ids("DESCRIBED", element="TokenId")), "0000"),
        ("/mgmt/soap", envelope("GetTokenInformation", ids("UNKNOWN", element="TokenId")), "4E03"),
        ("/mgmt/soap", envelope("ActivateToken", ids("FRESH-1", element="TokenId")), "0000"),
        ("/mgmt/soap", envelope("ActivateToken", ids("FRESH-1", element="TokenId")), "0000"),
        ("/mgmt/soap", envelope("ActivateToken", ids("DISABLED", element="TokenId")), "4993"),
        ("/val/soap", envelope("Validate", single("OTHER-ID", right)), "0000"),
        ("/val/soap", envelope("ValidateMultiple", several), "0000"),
        ("/mgmt/soap", envelope("GetServerTime", ""), "0000"),
        ("/val/soap", envelope("CheckOTP", pair("DESCRIBED")), "49B5"),
        ("/val/soap", envelope("Synchronize", pair("DISABLED")), "4993"),
        ("/mgmt/soap", envelope("SendOTP", '<v:TokenId type="SMS">436640000007</v:TokenId>'), "0000"),
        ("/mgmt/soap", envelope("SendOTP", ids("DESCRIBED", element="TokenId")), "4990"),
    ]
    for path, body, code in asked:
        answer = simulator.post(path, body)
        assert violations(answer.content) == []
        assert (reason(answer), body) == (code, body)


def test_the_request_id_comes_back(simulator):
    answer = simulator.post(
        "/val/soap", envelope("Validate", single("UNKNOWN", "123456"), 'Version="3.0" Id="x&amp;y"')
    )
    (body,) = fromstring(answer.content)
    assert (body[0].get("RequestId"), body[0].get("Version")) == ("x&y", "3.0")


def test_the_matching_credential_is_named_when_asked_and_only_then(simulator):
    code = simulator.code("MULTI-D").text
    both = ids("MULTI-E", "MULTI-D") + f"<v:OTP>{code}</v:OTP>"
    named = simulator.post(
        "/val/soap", envelope("ValidateMultiple", both + "<v:SendSuccessfulTokenId>true</v:SendSuccessfulTokenId>")
    )
    assert [each.text for each in fromstring(named.content).iter(f"{{{VIP}}}SuccessfulTokenId")] == ["MULTI-D"]
    both = ids("MULTI-E", "MULTI-D") + f"<v:OTP>{simulator.code('MULTI-E').text}</v:OTP>"
    silent = simulator.post("/val/soap", envelope("ValidateMultiple", both))
    assert reason(silent) == "0000"
    assert not list(fromstring(silent.content).iter(f"{{{VIP}}}SuccessfulTokenId"))


# --- it refuses what the service refuses

GOOD = single("UNKNOWN", "123456")
NOT_UNDERSTOOD = {
    "malformed": envelope("Validate", GOOD)[:-5],
    "no XML": "",
    "document type": "<!DOCTYPE x>" + envelope("Validate", GOOD),
    "old namespace": envelope("Validate", GOOD, namespace="http://www.verisign.com/2006/08/vipservice"),
    "no namespace": envelope("Validate", GOOD).replace(f'xmlns:v="{VIP}"', 'xmlns:v="urn:x"'),
    "unknown operation": envelope("Invalidate", GOOD),
    "another path": envelope("GetTokenInformation", ids("UNKNOWN", element="TokenId")),
    "two requests": envelope("Validate", GOOD).replace("</s:Body>", "<x/></s:Body>"),
    "SOAP 1.2": envelope("Validate", GOOD).replace(SOAP, "http://www.w3.org/2003/05/soap-envelope"),
}


@pytest.mark.parametrize("body", NOT_UNDERSTOOD.values(), ids=NOT_UNDERSTOOD.keys())
def test_what_is_no_request_is_a_soap_fault_with_status_500(simulator, body):
    answer = simulator.post("/val/soap", body)
    assert (answer.status_code, message(answer)) == (500, "Fault")


@pytest.mark.parametrize(
    "attributes", ["", 'Id="r1"', 'Version="5.0"', 'Version="3"', 'Version="2.0"', 'Version="x3.1"']
)
def test_a_missing_or_other_version_is_4e04(simulator, attributes):
    answer = simulator.post("/val/soap", envelope("Validate", GOOD, attributes))
    assert (message(answer), reason(answer)) == ("ErrorResponse", "4e04")


MISSHAPEN = {
    "order": ("Validate", "<v:OTP>123456</v:OTP><v:TokenId>UNKNOWN</v:TokenId>"),
    "unknown child": ("Validate", GOOD + "<v:More>1</v:More>"),
    "child in no namespace": ("Validate", GOOD.replace("v:OTP", "OTP")),
    "two codes": ("Validate", GOOD + "<v:OTP>123456</v:OTP>"),
    "no code": ("Validate", ids("UNKNOWN", element="TokenId")),
    "short code": ("Validate", single("UNKNOWN", "12345")),
    "odd code": ("Validate", single("UNKNOWN", "12345!")),
    "long id": ("Validate", single("x" * 41, "123456")),
    "text between": ("Validate", GOOD + "more"),
    "one of several": ("ValidateMultiple", ids("UNKNOWN") + "<v:OTP>123456</v:OTP>"),
    "six of several": ("ValidateMultiple", ids(*"abcdef") + "<v:OTP>123456</v:OTP>"),
    "no truth": (
        "ValidateMultiple",
        ids("a", "b") + "<v:OTP>123456</v:OTP><v:SendSuccessfulTokenId>yes</v:SendSuccessfulTokenId>",
    ),
}


misshapen = pytest.mark.parametrize(("operation", "children"), MISSHAPEN.values(), ids=MISSHAPEN.keys())


@misshapen
def test_a_request_of_another_shape_is_4e02(simulator, operation, children):
    assert reason(simulator.post("/val/soap", envelope(operation, children))) == "4E02"


@misshapen
def test_what_the_simulator_calls_misshapen_the_services_schema_does_as_well(violations, operation, children):
    if "x" * 41 not in children:  # the limit of 40 octets stands in the schema's words only
        assert violations(envelope(operation, children).encode()) != []


def test_one_unknown_credential_among_several_is_4e03(simulator):
    both = ids("MULTI-A", "UNKNOWN") + f"<v:OTP>{simulator.wrong_code('MULTI-A').text}</v:OTP>"
    assert reason(simulator.post("/val/soap", envelope("ValidateMultiple", both))) == "4E03"


def test_http_that_is_not_soap_is_refused(simulator):
    body = envelope("Validate", GOOD)
    assert simulator.post("/val/soap", body, **{"Content-Type": "application/json"}).status_code == 415
    assert simulator.post("/val/soap", body, SOAPAction="").status_code == 500
    assert simulator.post("/vipservice", body).status_code == 404
    with (
        socket.create_connection(("localhost", simulator.port)) as plain,
        simulator.tls().wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        secured.sendall(b"POST /val/soap HTTP/1.1\r\nContent-Length: 70000\r\n\r\n")
        assert secured.recv(100).startswith(b"HTTP/1.1 411 ")


# --- it counts, locks and forgets like the service


@pytest.mark.parametrize(
    ("steps", "code"),
    [(-21, "49B5"), (-20, "4923"), (-2, "4923"), (-1, "0000"), (0, "0000"), (1, "0000"), (2, "4923"), (21, "49B5")],
)
def test_codes_are_good_one_step_around_the_present_and_ask_for_another_within_ten_minutes(steps, code):
    now = datetime(2026, 6, 1, 12, 0, 10, tzinfo=UTC)
    seed = pyotp.random_base32()
    registry = Registry([Credential("A", Secret(seed), "ENABLED")])
    typed = Secret(pyotp.TOTP(seed).at(int(now.timestamp()) + 30 * steps))
    assert registry.validate([("A", "")], typed, now).code == code


def test_a_wrong_code_counts_against_every_credential_and_a_right_one_clears_its_own(simulator):
    def ask(code: str) -> str:
        both = ids("DRIFT-A", "DRIFT-B") + f"<v:OTP>{code}</v:OTP>"
        return reason(simulator.post("/val/soap", envelope("ValidateMultiple", both)))

    wrong = simulator.wrong_code("DRIFT-A", "DRIFT-B").text
    assert [ask(wrong) for _ in range(9)] == ["49B5"] * 9
    assert ask(simulator.code("DRIFT-A").text) == "0000"
    assert ask(wrong) == "49B5"

    def alone(name: str) -> str:
        return reason(simulator.post("/val/soap", envelope("Validate", single(name, simulator.code(name, 1).text))))

    assert (alone("DRIFT-A"), alone("DRIFT-B")) == ("0000", "4994")


def test_a_clients_certificate_is_demanded(simulator):
    context = ssl.create_default_context(cafile=simulator.certificates.authority)
    heard = b""
    # in TLS 1.3 the client learns of the refusal when it reads
    with (
        contextlib.suppress(ssl.SSLError, ConnectionError),
        socket.create_connection(("localhost", simulator.port)) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        secured.sendall(b"POST /val/soap HTTP/1.1\r\n\r\n")
        heard = secured.recv(100)
    assert heard == b""
    simulator.saw(event="connection", outcome="tls: PEER_DID_NOT_RETURN_A_CERTIFICATE")


def test_a_silent_connection_holds_up_nobody(simulator):
    with socket.create_connection(("localhost", simulator.port)):
        assert reason(simulator.post("/val/soap", envelope("Validate", GOOD))) == "4E03"


# --- the program


def test_each_request_is_logged_with_its_outcome_and_without_its_code(simulator):
    right, wrong = simulator.code("CANARY").text, simulator.wrong_code("CANARY").text
    for code in (wrong, right):
        simulator.post("/val/soap", envelope("Validate", single("CANARY", code)))
    assert simulator.outcomes("CANARY", 2) == ["49B5", "0000"]
    lines = [line for line in simulator.output if "CANARY" in line]
    assert not any(right in line or wrong in line or simulator.entries["CANARY"]["seed"] in line for line in lines)


def test_misbehaviour_can_be_asked_of_the_whole_service(start_simulator):
    entries = [{"id": "A", "seed": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "status": "ENABLED"}]
    alone = start_simulator(entries, "--misbehave", "reason:4879")
    assert reason(alone.post("/val/soap", envelope("Validate", single("A", "123456")))) == "4879"


@pytest.mark.parametrize("text", ["", "unknown", "reason", "reason:xyz", "hang", "hang:long", "status:ok", "garbage:1"])
def test_a_misbehaviour_that_does_not_exist_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        Misbehaviour.read(text)
    assert Misbehaviour.read("hang:2.5") == Misbehaviour(Wrong.HANG, "2.5")


@pytest.mark.parametrize(
    "entries",
    [
        "{}",
        "[1]",
        "no JSON",
        '[{"id": "A"}]',
        '[{"id": "A", "seed": "!", "status": "ENABLED"}]',
        '[{"id": "A", "seed": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "status": "FINE"}]',
        '[{"id": "A", "seed": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "status": "NEW", "more": 1}]',
    ],
)
def test_credentials_that_are_none_end_the_program_before_it_serves(tmp_path, certificates, entries):
    file = tmp_path / "credentials.json"
    file.write_text(entries)
    command = [sys.executable, "-m", "auth.demo.vip", "--certificates", str(certificates.folder)]
    ended = subprocess.run(
        [*command, "--credentials", str(file)], capture_output=True, text=True, check=False, timeout=10, cwd=REPOSITORY
    )
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""


def test_the_program_makes_its_own_certificates(tmp_path):
    command = [sys.executable, "-m", "auth.demo.vip", "--make-certificates", str(tmp_path)]
    subprocess.run(command, check=True, timeout=10, cwd=REPOSITORY)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    clients = {f"{name}client.p12" for name in ("", "foreign-", "ending-", "ended-")}
    assert set(modes) == {"ca.pem", "server.pem", "client.password"} | clients
    assert {modes[name] for name in modes if name != "ca.pem"} == {0o600}


def test_the_simulator_is_an_independent_reading():
    code = "import sys, auth.demo.vip.server; print([m for m in sys.modules if m.startswith('auth.vip')])"
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=10, cwd=REPOSITORY
    )
    assert ended.stdout.strip() == "[]"
