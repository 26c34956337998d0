"""A foreign client with the service's own WSDL understands the simulator, and the simulator understands it."""

import logging
from datetime import UTC, datetime

import pytest
import requests
import zeep
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from zeep.exceptions import Fault

from auth.vip.certificate import open_certificate
from schema.secret import Secret

AUTHENTICATION = "{https://schemas.vip.symantec.com/2006/08/vipservice}vipSoapBinding"
USER_SERVICES = "https://schemas.symantec.com/vip/2011/04/vipuserservices"
SERVICES = {
    "Authentication": ("auth", "auth"),
    "Management": ("mgmt", "mgmt"),
    "Query": ("query", "query"),
}


@pytest.fixture(scope="module")
def transport(simulator, tmp_path_factory):
    """zeep's own HTTP, over mutual TLS; it wants the key in a file."""
    ours = open_certificate(simulator.certificate(), datetime.now(UTC))
    pem = tmp_path_factory.mktemp("zeep") / "client.pem"
    pem.touch(mode=0o600)
    key = ours.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem.write_bytes(key + b"".join(each.public_bytes(Encoding.PEM) for each in ours.chain))
    with requests.Session() as session:
        session.cert, session.verify, session.trust_env = str(pem), str(simulator.certificates.authority), False
        yield zeep.Transport(session=session, timeout=10, operation_timeout=10)


@pytest.fixture(scope="module")
def authentication(vip_files, transport, simulator):
    """The operations at one path of the Authentication Service."""
    client = zeep.Client(str(vip_files / "vip_auth.wsdl"), transport=transport)
    return lambda path: client.create_service(AUTHENTICATION, simulator.url + path)


@pytest.fixture(scope="module")
def user_services(vip_files, transport, simulator):
    """The operations of one of the three User Services."""

    def service(name: str):
        short, namespace = SERVICES[name]
        client = zeep.Client(str(vip_files / f"vipuserservices-{short}-1.7.wsdl"), transport=transport)
        binding = f"{{{USER_SERVICES}/{namespace}}}{name}ServiceSoapBinding"
        return client.create_service(binding, f"{simulator.url}/vipuserservices/{name}Service_1_7")

    return service


def reason(answer) -> str:
    return (
        answer["Status"]["ReasonCode"].hex().upper()
        if isinstance(answer["Status"]["ReasonCode"], bytes)
        else (answer["Status"]["ReasonCode"].upper())
    )


def ids(name: str) -> dict[str, str]:
    return {"Version": "3.1", "Id": f"zeep_{name}"}


def test_the_authentication_service_by_its_own_wsdl(authentication, simulator):
    validation, management = authentication("/val/soap"), authentication("/mgmt/soap")
    # not GetServerTime: zeep writes Version="NotSet" for a type that has attributes and no elements
    answer = validation.Validate(TokenId="ZEEP1", OTP=simulator.code("ZEEP1").text, **ids("right"))
    assert (reason(answer), answer["RequestId"]) == ("0000", "zeep_right")
    answer = validation.Validate(TokenId="ZEEP1", OTP=simulator.wrong_code("ZEEP1").text, **ids("wrong"))
    assert reason(answer) == "49B5"
    several = {"TokenIds": ["ZEEP1", "ZEEP2"], "SendSuccessfulTokenId": True}
    answer = validation.ValidateMultiple(OTP=simulator.code("ZEEP2").text, **several, **ids("several"))
    assert (reason(answer), answer["SuccessfulTokenId"]["_value_1"]) == ("0000", "ZEEP2")
    drifted = validation.Validate(TokenId="ZEEP3", OTP=simulator.code("ZEEP3", 10).text, **ids("drifted"))
    assert reason(drifted) == "4923"
    pair = {"OTP1": simulator.code("ZEEP3", 10).text, "OTP2": simulator.code("ZEEP3", 11).text}
    assert reason(validation.Synchronize(TokenId="ZEEP3", **pair, **ids("pair"))) == "0000"
    checked = validation.CheckOTP(TokenId="ZEEP4", OTP1=simulator.code("ZEEP4").text, **ids("checked"))
    assert reason(checked) == "0000"
    told = management.GetTokenInformation(TokenId="ZEEP1", **ids("told"))["TokenInformation"]
    assert (told["TokenId"]["_value_1"], told["TokenStatus"]) == ("ZEEP1", "ENABLED")
    active = management.ActivateToken(TokenId="ZEEP5", OTP1=simulator.code("ZEEP5").text, **ids("active"))
    assert (reason(active), active["SameInitialState"]) == ("0000", False)
    sent = management.SendOTP(TokenId={"_value_1": "436640000005", "type": "SMS"}, **ids("sent"))
    assert (reason(sent), sent["OTP"]) == ("0000", simulator.text_to("436640000005").text)
    telephone = {"_value_1": "436640000005", "type": "SMS"}
    assert reason(validation.Validate(TokenId=telephone, OTP=sent["OTP"], **ids("texted"))) == "0000"
    with pytest.raises(Fault, match="no such operation"):
        validation.UnlockToken(TokenId="ZEEP1", **ids("other"))


def test_user_services_by_their_own_wsdls(user_services, simulator):
    authentication, management, query = map(user_services, SERVICES)
    assert query.getServerTime(requestId="zeep_time")["timestamp"].year >= 2026

    def asked(name: str, code: Secret, **more):
        credentials = [{"credentialId": name, "credentialType": "STANDARD_OTP"}]
        return authentication.authenticateCredentials(
            requestId=f"zeep_{name}", credentials=credentials, otpAuthData={"otp": code.text}, **more
        )

    def status(answer) -> tuple[str, str]:
        return tuple(
            (part.hex() if isinstance(part, bytes) else part or "").upper()
            for part in (answer["status"], answer["detail"])
        )

    right = asked("ZEEP6", simulator.code("ZEEP6"))
    assert (status(right), right["requestId"], right["credentialId"]) == (("0000", ""), "zeep_ZEEP6", "ZEEP6")
    assert status(asked("ZEEP6", simulator.wrong_code("ZEEP6"))) == ("6009", "49B5")
    assert status(asked("ZEEP6", Secret("12345a"))) == ("6009", "")
    assert status(asked("UNKNOWN", Secret("123456"))) == ("6004", "4E03")
    assert status(asked("ZEEP7", simulator.code("ZEEP7"), activate=True)) == ("0000", "")
    user = {"requestId": "zeep_user", "userId": "zeep"}
    code = {"otp": simulator.code("ZEEP8").text}
    assert authentication.authenticateUser(**user, otpAuthData=code)["credentialId"] == "ZEEP8"
    pair = {"otp": simulator.code("ZEEP8", 10).text, "otp2": simulator.code("ZEEP8", 11).text}
    assert status(authentication.checkOtp(**user, otpAuthData=pair)) == ("0000", "")
    told = query.getUserInfo(**user)
    assert (told["userStatus"], told["numBindings"]) == ("ACTIVE", 3)
    told = query.getCredentialInfo(requestId="zeep_told", credentialId="ZEEP8", credentialType="STANDARD_OTP")
    assert (told["credentialStatus"], told["userBindingDetail"][0]["userId"]) == ("ENABLED", "zeep")
    sent = management.sendOtp(**user, smsDeliveryInfo={"phoneNumber": "436640000006"})
    assert status(sent) == ("0000", "")
    assert simulator.text_to("436640000006")


def test_the_foreign_client_reads_every_answer_strictly(authentication, caplog):
    """zeep says in its log what it did not understand."""
    with caplog.at_level(logging.WARNING, logger="zeep"):
        authentication("/val/soap").Validate(TokenId="UNKNOWN", OTP="123456", **ids("strict"))
    assert [record for record in caplog.records if record.name.startswith("zeep")] == []
