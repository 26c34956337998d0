"""Commands that seal: software tokens, PINs, temporary responses; the directory is then looked at with ldapsearch."""

import re
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from auth.cli.main import app
from auth.keys.ring_file import RingFile
from auth.keys.shared_secret import unsealed_shared_secret
from auth.memorised.pin import PinVerdict, pin_verdict
from auth.memorised.temporary_response import ResponseVerdict, check_response
from auth.otp.sealed import read_sealed, unsealed_token
from auth.otp.token import SoftwareToken
from schema.entry import Policy, User
from schema.secret import Secret
from schema.words import TokenKind

pytestmark = pytest.mark.servers

SEED = b"12345678901234567890"
LATER = Policy(name="x", temporary_response_allowed=True)


@pytest.fixture
def config(tmp_path):
    """config.ini of a service whose key ring is used; its own directory is a file."""
    (tmp_path / "directory.ldif").write_text("dn: dc=x\nobjectClass: domain\ndc: x\n")
    file = tmp_path / "config.ini"
    file.write_text("[service]\nstate_directory = state\n[directory]\nkind = ldif\nfile = directory.ldif\n")
    return str(file)


@pytest.fixture
def ring(tmp_path):
    return lambda: RingFile(tmp_path / "state" / "keys.ring").ring()


@pytest.fixture
def alice(lab):
    lab.add_policy("staff", dirfactorTokenOrder="totp, hotp", dirfactorTemporaryResponseMinutes="90")
    dn = lab.add_person("alice")
    assert lab.run("policy", "assign", "staff", "alice").status == 0
    return dn


def id_of(lab, dn):
    entry = lab.everything(dn)
    guid = entry.attributes.get("objectGUID", [b""])[0]
    text = (entry.texts("nsUniqueId") or entry.texts("entryUUID") or [""])[0]
    return uuid.UUID(bytes_le=guid).bytes if guid else uuid.UUID(text.replace("-", "")).bytes


def file(folder, name, text):
    place = folder / name
    place.write_text(text)
    return str(place)


def code(position=None, **values):
    token = SoftwareToken(TokenKind.TOTP, "x", SEED, **values)
    return token.code(token.step(datetime.now(UTC)) if position is None else position).text


def test_an_enrolled_token_opens_for_its_owner_and_its_first_code_is_used_up(lab, alice, config, ring, tmp_path):
    seed = file(tmp_path, "seed", "GEZDGNBVGY3TQOJQ GEZDGNBVGY3TQOJQ")
    common = ("--config", config, "--seed-file", seed)
    wrong = lab.run("token", "assign", "alice", "totp", *common, "--code", "000000")
    assert wrong.status == 2
    assert "nothing was written" in wrong.err
    assert lab.texts(alice, "dirfactorSecret") == lab.texts(alice, "dirfactorToken") == []
    png = tmp_path / "qr.png"
    ended = lab.run("token", "assign", "alice", "totp", *common, "--serial", "T1", "--code", code(), "--png", str(png))
    assert ended.status == 0, ended
    assert "alice is asked for the code of software token T1 at the next logon" in ended.out
    (text,) = lab.texts(alice, "dirfactorSecret")
    token = unsealed_token(ring(), id_of(lab, alice), text)
    assert (token.seed, token.serial, token.kind) == (SEED, "T1", TokenKind.TOTP)
    assert token.code(token.first - 1).text == code(token.first - 1)
    assert abs(token.first - token.step(datetime.now(UTC))) <= 2
    assert png.read_bytes().startswith(b"\x89PNG")
    assert png.stat().st_mode & 0o777 == 0o600
    assert "GEZD GNBV" in ended.err
    again = lab.run("token", "assign", "alice", "totp", *common, "--serial", "T1", "--code", code())
    assert "has a token T1 already" in again.err
    counter = lab.run("token", "assign", "alice", "hotp", *common, "--serial", "H1", "--code", code(2), "--json").data
    assert counter["otpauth"].startswith("otpauth://hotp/")
    opened = [unsealed_token(ring(), id_of(lab, alice), text) for text in lab.texts(alice, "dirfactorSecret")]
    assert {(item.kind, item.serial) for item in opened} == {(TokenKind.TOTP, "T1"), (TokenKind.HOTP, "H1")}
    assert {item.first for item in opened if item.kind is TokenKind.HOTP} == {3}
    shown = lab.run("token", "show", "alice", "--json").data
    assert {(row["kind"], row["about"]) for row in shown["tokens"]} == {("totp", "T1"), ("hotp", "H1")}
    lab.run("token", "remove", "alice", "totp")
    (left,) = lab.texts(alice, "dirfactorSecret")
    assert read_sealed(left).serial == "H1"
    assert lab.texts(alice, "dirfactorToken") == ["hotp"]
    assert "no hotp token X1" in lab.run("token", "remove", "alice", "hotp", "--serial", "X1").err
    lab.run("token", "remove", "alice", "hotp", "--serial", "H1")
    assert lab.texts(alice, "dirfactorSecret") == lab.texts(alice, "dirfactorToken") == []


def test_a_csv_file_is_taken_in_whole_or_not_at_all(lab, alice, config, ring, tmp_path):
    bob = lab.add_person("bob")
    rows = f"serial,seed,kind,digits,user\nA1,{SEED.hex()},totp,6,alice\nB1,{SEED[::-1].hex()},hotp,8,bob\n"
    bad = file(tmp_path, "bad.csv", rows + "C1,xyz,totp,6,alice\nC2,aa,totp,6,alice\n")
    ended = lab.run("token", "import", bad, "--config", config)
    assert ended.status == 2
    assert re.search(r"line 4: .*\n.*line 5: ", ended.err), ended.err
    nobody = file(tmp_path, "nobody.csv", rows + f"C1,{b'x'.hex() * 20},totp,6,nobody\n")
    ended = lab.run("token", "import", nobody, "--config", config)
    assert "line 4: there is no user nobody" in ended.err
    assert lab.texts(alice, "dirfactorSecret") == lab.texts(bob, "dirfactorSecret") == []
    more = rows + f"A2,{b'a'.hex() * 20},hotp,6,alice\nA3,{b'b'.hex() * 20},totp,6,alice\n"
    good = file(tmp_path, "good.csv", more)
    assert lab.run("token", "import", file(tmp_path, "first.csv", rows), "--config", config).status == 0
    ended = lab.run("token", "import", good, "--config", config)
    assert ended.status == 0, ended
    assert ended.out.count("is there already") == 2
    serials = {read_sealed(text).serial for text in lab.texts(alice, "dirfactorSecret")}
    assert serials == {"A1", "A2", "A3"}
    assert lab.texts(alice, "dirfactorToken") == ["hotp", "totp"]
    (text,) = lab.texts(bob, "dirfactorSecret")
    assert unsealed_token(ring(), id_of(lab, bob), text).digits == 8


def test_a_pin_is_set_by_the_policys_rules_and_taken_away(lab, alice, config, ring, tmp_path):
    bad = lab.run("user", "pin", "alice", "--config", config, "--pin-file", file(tmp_path, "bad", "1234"))
    assert bad.status == 2
    assert "plain run" in bad.err
    assert "choose 4 to 8 digits" in bad.err
    ended = lab.run("user", "pin", "alice", "--config", config, "--pin-file", file(tmp_path, "pin", "2580"))
    assert ended.status == 0, ended
    assert pin_of(lab, alice, ring(), "2580") is PinVerdict.RIGHT
    drawn = lab.run("user", "pin", "alice", "--config", config, "--generate", "--json").data
    assert len(drawn["pin"]) == 6
    assert pin_of(lab, alice, ring(), drawn["pin"]) is PinVerdict.RIGHT
    assert pin_of(lab, alice, ring(), "2580") is PinVerdict.WRONG
    assert lab.run("user", "pin", "alice", "--config", config, "--clear").status == 0
    assert lab.texts(alice, "dirfactorPin") == lab.texts(alice, "dirfactorPinSetAt") == []


def pin_of(lab, dn, ring, typed):
    (text,) = lab.texts(dn, "dirfactorPin")
    (set_at,) = lab.texts(dn, "dirfactorPinSetAt")
    at = datetime.strptime(set_at, "%Y%m%d%H%M%S.0Z").replace(tzinfo=UTC)
    user = User(pin=text, pin_set_at=at)
    policy = Policy(name="x", pin_expire_days=1)
    return pin_verdict(user, id_of(lab, dn), Secret(typed), None, ring, policy, max(at, datetime.now(UTC)))


def test_a_temporary_response_keeps_within_the_policy_and_is_taken_away(lab, alice, config, ring):
    command = ("user", "temporary-response", "alice", "--config", config)
    refused = lab.run(*command)
    assert refused.status == 2
    assert "allows no temporary response" in refused.err
    lab.tools.modify(
        f"dn: {lab.dn('staff')}\nchangetype: modify\nadd: dirfactorTemporaryResponseAllowed\n"
        "dirfactorTemporaryResponseAllowed: TRUE\n"
    )
    assert "90 minutes at most" in lab.run(*command, "--minutes", "91").err
    assert "one use only" in lab.run(*command, "--multiple").err
    assert lab.texts(alice, "dirfactorTemporaryResponse") == []
    ended = lab.run(*command, "--minutes", "30")
    assert ended.status == 0, ended
    (response,) = re.findall(r": (\d{8}) instead of a code, good once until ", ended.out)
    (text,) = lab.texts(alice, "dirfactorTemporaryResponse")
    found = check_response(
        User(temporary_response=text), id_of(lab, alice), Secret(response), ring(), LATER, datetime.now(UTC)
    )
    assert found.verdict is ResponseVerdict.RIGHT
    assert response not in text
    assert lab.run(*command, "--clear").status == 0
    assert lab.texts(alice, "dirfactorTemporaryResponse") == []
    assert lab.run(*command, "--clear").status == 0, "what is not there may be taken away as well"


def test_without_the_services_configuration_nothing_is_sealed(ad_lab):
    ad_lab.add_person("alice")
    for command in (("user", "pin", "alice", "--generate"), ("token", "assign", "alice", "totp", "--no-confirm")):
        ended = ad_lab.run(*command)
        assert ended.status == 2
        assert "name its config.ini with --config" in ended.err
    ad_lab.clear()


@pytest.fixture
def served(lab, tmp_path):
    """A command as the administrator, with a config.ini whose only directory is the lab's; and its sync."""
    _, url, _, who, _, password, _, ca = lab.options
    (tmp_path / "password").write_text(Path(password).read_text())
    (tmp_path / "password").chmod(0o600)
    config = tmp_path / "config.ini"
    config.write_text(
        f"[service]\nstate_directory = state\n[directory]\nkind = {lab.kind}\nurl = {url}\nbase = {lab.base}\n"
        f"bind_dn = {who}\nbind_password = file:password\nca_file = {ca}\n"
    )
    options = ("--config", str(config))
    return lambda *command: lab.run_as((*options, *(lab.options[2:6] if command[:2] in _WRITING else ())), *command)


_WRITING = {("keys", "rotate"), ("token", "assign"), ("user", "pin"), ("node", "secret")}


def synced(tmp_path):
    result = CliRunner().invoke(app, ["sync", "--config", str(tmp_path / "config.ini")])
    assert result.exit_code == 0, result.output


def test_a_rotation_seals_anew_what_is_sealed_and_keeps_the_key_of_a_pin(lab, served, ring, tmp_path):
    dns = [lab.add_person(name) for name in ("alice", "bob")]
    for name in ("alice", "bob"):
        served("token", "assign", name, "totp", "--no-confirm", "--serial", f"T-{name}")
    served("token", "assign", "bob", "hotp", "--no-confirm", "--serial", "H-bob")
    served("user", "pin", "bob", "--pin-file", file(tmp_path, "pin", "2580"))
    lab.tools.add(lab.dn("vpn"), {"objectClass": "dirfactorAccessNode", "cn": "vpn", "dirfactorAddress": "192.0.2.7"})
    assert "16" in served("node", "secret", "vpn", "--secret-file", file(tmp_path, "weak", "short")).err
    drawn = served("node", "secret", "vpn", "--generate", "--json").data["secret"]
    synced(tmp_path)
    old = ring().current.id
    before = [opened(lab, ring(), dn) for dn in dns]
    (listed,) = served("keys", "list", "--json").data["keys"]
    assert (listed["id"], listed["current"]) == (old, True)
    assert listed["needed_by"] == {"PINs": 1, "seeds": 3, "shared secrets": 1}
    planned = served("keys", "rotate", "--dry-run", "--json").data
    assert (planned["sealed"], planned["written"], len(ring().keys)) == (3, False, 1)
    ended = served("keys", "rotate")
    assert ended.status == 0, ended
    new = ring().current.id
    assert f"3 entries sealed anew under key {new}" in ended.out
    assert [opened(lab, ring(), dn) for dn in dns] == before
    sealed = [*(text for dn in dns for text in lab.texts(dn, "dirfactorSecret"))]
    assert {read_sealed(text).key_id for text in sealed} == {new}
    (shared,) = lab.texts(lab.dn("vpn"), "dirfactorSharedSecret")
    assert unsealed_shared_secret(ring(), id_of(lab, lab.dn("vpn")), shared).matches(Secret(drawn))
    too_soon = served("keys", "retire")
    assert (too_soon.status, "not synced since" in too_soon.err) == (3, True)
    stale = served("keys", "rotate", "--resume")
    assert (stale.status, "run dirfactor sync" in stale.out) == (1, True), "what the replica knows is gone by now"
    synced(tmp_path)
    assert served("keys", "rotate", "--resume", "--json").data["sealed"] == 0
    stays = served("keys", "retire")
    assert (stays.status, f"stays: {old}" in stays.out, "PINs 1" in stays.out) == (1, True, True)
    served("user", "pin", "bob", "--clear")
    synced(tmp_path)
    gone = served("keys", "retire")
    assert (gone.status, gone.out) == (0, f"{old} is taken out of the ring\n")
    assert [key.id for key in ring().keys] == [new]


def opened(lab, ring, dn):
    entry = id_of(lab, dn)
    tokens = [unsealed_token(ring, entry, text) for text in lab.texts(dn, "dirfactorSecret")]
    return {(token.serial, token.seed) for token in tokens}
