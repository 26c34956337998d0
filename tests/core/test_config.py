"""config.ini: what a good file gives, and that everything wrong is said at once, with its line and without a secret."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auth.channels.sms.http.settings import BodyKind
from auth.config import ConfigFault, read_config
from auth.settings import HttpSettings, RadiusSettings
from core.config_file import CANARY, LDIF, only, problems, read
from dirsync.settings import DirectoryKind, SyncSettings
from schema.attributes import CLASSES
from schema.grammar import ReplyRule
from schema.parse import parse_policy
from schema.syntax import Syntax
from schema.words import LoginMode, Method, NodeType, TokenKind

# a good file

GOOD = """\
[service]
state_directory = state
region = AT
refusal_seconds = 0.5
log_level = debug

[directory]
kind = AD
url = ldaps://dc1.example.org, ldaps://dc2.example.org
base = DC=example,DC=org
bind_dn = reader@example.org
bind_password = env:LDAP_PASSWORD
ca_file = /etc/ssl/domain.pem
extra_attributes =
    employeeMobile
    employeeMail

[sync]
reconcile_at = 4

[http]
enabled = no

[vip]
certificate = vip.p12
password = cred:vip

[sms:kannel]
url = https://sms.example.org/send?to={phone}&text={text}&like=100%
password = file:vpn.secret
headers =
    Accept: application/json
    X-Note: a=b
body = FORM
success_status = 200, 202

[email:relay]
host = mail.example.org
sender = logon@example.org

[secret:branches]
value = file:vpn.secret

[policy:default]
# Defender's default
dirfactorFirstMethod = password
dirfactorSecondMethod = Token
dirfactorTokenOrder = vip, sms
dirfactorSmsEnabled = yes
dirfactorSmsGateways = kannel
dirfactorEmailTemplate =
    {code} is the code.
    It is good for {minutes} minutes.
dirfactorReplyAttribute =
    Filter-Id=vpn-staff
    Class=a=b

[node:vpn]
dirfactorAddress =
    192.0.2.7
    198.51.100.0/24
secret = file:vpn.secret
dirfactorPolicy = default
dirfactorLoginMode = codeOnly
dirfactorMember =
    CN=VPN Users,OU=Groups,DC=example,DC=org
    CN=Alice,OU=Staff,DC=example,DC=org

[node:branch]
dirfactorAddress = 203.0.113.0/24
dirfactorSharedSecretName = branches
dirfactorMember = Everyone

[node:portal]
dirfactorNodeType = http
dirfactorApiKeyHash = aF00000000000000000000000000000000000000000000000000000000000000
dirfactorPolicy = CN=Portal,DC=example,DC=org
dirfactorMember = everyone
"""


@pytest.fixture
def good(write, tmp_path):
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "vip").write_text(f"{CANARY}-vip")
    return read(write(GOOD, below=""), LDAP_PASSWORD=f"{CANARY}-ldap", CREDENTIALS_DIRECTORY=str(folder))


def test_sections_become_values_of_their_types(good):
    assert (good.service.region, good.service.refusal_seconds, good.service.log_level) == ("AT", 0.5, "debug")
    assert good.directories[""].kind is DirectoryKind.AD
    assert good.directories[""].url == ("ldaps://dc1.example.org", "ldaps://dc2.example.org")
    assert good.directories[""].extra_attributes == ("employeeMobile", "employeeMail")
    assert (good.sync.reconcile_at, good.http.enabled, good.email["relay"].port) == (4, False, None)
    sms = good.sms["kannel"]
    assert sms.url == "https://sms.example.org/send?to={phone}&text={text}&like=100%"
    assert (sms.headers, sms.body) == (("Accept: application/json", "X-Note: a=b"), BodyKind.FORM)
    assert sms.success_status == ("200", "202")


def test_what_is_not_named_has_its_default(good):
    assert good.radius == RadiusSettings()
    assert good.http.port == HttpSettings().port
    assert good.sync.interval_seconds == SyncSettings().interval_seconds
    assert good.service.delivery_seconds == 4.0


def test_a_section_that_may_be_absent_is_none(write):
    found = read(write(""))
    assert found.vip is None
    assert (found.sms, found.email, found.policies, found.nodes, found.secrets) == ({}, {}, {}, {}, {})


def test_relative_paths_are_relative_to_the_file_wherever_it_is_read_from(good, tmp_path, monkeypatch):
    assert good.service.state_directory == tmp_path / "state"
    assert good.service.replica_file == tmp_path / "state" / "replica.sqlite"
    assert good.vip.certificate == tmp_path / "vip.p12"
    assert good.directories[""].ca_file == Path("/etc/ssl/domain.pem")
    (tmp_path / "config.ini").write_text(LDIF)
    monkeypatch.chdir(tmp_path)
    found = read_config(Path("config.ini"), {})
    monkeypatch.chdir("/")
    assert found.directories[""].file == tmp_path / "directory.ldif"


def test_secrets_come_from_where_the_references_lead_without_the_end_of_the_line(good):
    assert good.directories[""].bind_password.text == f"{CANARY}-ldap"
    assert good.vip.password.text == f"{CANARY}-vip"
    assert good.sms["kannel"].password.text == good.nodes["vpn"].secret.text == f"{CANARY}-vpn"
    assert good.secrets["branches"].text == f"{CANARY}-vpn"


def test_settings_never_show_a_secret(good):
    assert CANARY not in repr(good)


def test_a_policy_is_read_as_one_of_the_directory_is(good):
    policy = good.policies["default"]
    assert (policy.name, policy.first_method, policy.second_method) == ("default", Method.PASSWORD, Method.TOKEN)
    assert policy.token_order == (TokenKind.VIP, TokenKind.SMS)
    assert policy.email_template == "{code} is the code.\nIt is good for {minutes} minutes."
    assert policy.reply_attribute == (ReplyRule("Filter-Id", "vpn-staff"), ReplyRule("Class", "a=b"))


def test_nodes_have_their_members_policy_and_secret(good):
    vpn, branch, portal = (good.nodes[name] for name in ("vpn", "branch", "portal"))
    assert vpn.node.address == ("192.0.2.7/32", "198.51.100.0/24")
    assert (vpn.node.login_mode, vpn.policy) == (LoginMode.CODE_ONLY, "default")
    assert vpn.members == ("CN=VPN Users,OU=Groups,DC=example,DC=org", "CN=Alice,OU=Staff,DC=example,DC=org")
    assert (branch.members, branch.policy, branch.secret.text) == (None, None, f"{CANARY}-vpn")
    assert (portal.node.node_type, portal.secret) == (NodeType.HTTP, None)
    assert portal.policy == "CN=Portal,DC=example,DC=org"


def test_a_byte_order_mark_and_windows_line_ends_do_not_matter(tmp_path):
    file = tmp_path / "config.ini"
    file.write_bytes(b"\xef\xbb\xbf" + LDIF.replace("\n", "\r\n").encode())
    assert read(file).directories[""].file == tmp_path / "directory.ldif"


# one problem


BAD_LINES = {
    "unknown section": (
        "[radios]\n",
        (1, "[radios]", "unknown section", "did you mean radius?"),
    ),
    "unknown kind of named section": (
        "[polcy:default]\n",
        (1, "[polcy:default]", "unknown section", "did you mean policy:default?"),
    ),
    "named section without a name": ("[policy:]\n", (1, "[policy:]", "unknown section", "did you mean policy:NAME?")),
    "named section with space": (
        "[policy: default]\n",
        (1, "[policy: default]", "unknown section", "did you mean policy:default?"),
    ),
    "section that takes no name": ("[radius:one]\n", (1, "[radius:one]", "unknown section", "did you mean radius?")),
    "configparser's own section": ("[DEFAULT]\nport = 1\n", (1, "[DEFAULT]", "unknown section", None)),
    "unknown key": (
        "[radius]\nhost = 127.0.0.1\nprot = 1812\n",
        (3, "[radius] prot", "unknown key", "did you mean port?"),
    ),
    "unknown key like nothing": (
        "[radius]\nzzz = 1\n",
        (
            2,
            "[radius] zzz",
            "unknown key",
            "known are accounting_port, enabled, host, networks, packets_per_second, port",
        ),
    ),
    "key in another case": ("[radius]\nPort = 1\n", (2, "[radius] Port", "unknown key", "did you mean port?")),
    "no number": (
        "[radius]\nport = eighteen\n",
        (2, "[radius] port", "is not a number", "give a whole number"),
    ),
    "no whole number": ("[radius]\nport = 1.5\n", (2, "[radius] port", "is not a number", "give a whole number")),
    "no port": (
        "[radius]\nport = 65536\n",
        (2, "[radius] port", "is not from 0 to 65535", "give a whole number"),
    ),
    "negative": ("[http]\nport = -1\n", (2, "[http] port", "is not from 0 to 65535", "give a whole number")),
    "no hour": (
        "[sync]\nreconcile_at = 24\n",
        (2, "[sync] reconcile_at", "is not from 0 to 23", "give a whole number"),
    ),
    "no pause": (
        "[sync]\ninterval_seconds = 0\n",
        (2, "[sync] interval_seconds", "is not from 0.1 to 3600", "give a number"),
    ),
    "no time": (
        "[service]\ndelivery_seconds = 0\n",
        (2, "[service] delivery_seconds", "is not from 0.001 to 1e+09", "give a number"),
    ),
    "not a number at all": (
        "[service]\ndelivery_seconds = nan\n",
        (2, "[service] delivery_seconds", "is not from 0.001 to 1e+09", "give a number"),
    ),
    "for ever": (
        "[service]\ndelivery_seconds = inf\n",
        (2, "[service] delivery_seconds", "is not from 0.001 to 1e+09", "give a number"),
    ),
    "neither yes nor no": (
        "[radius]\nenabled = maybe\n",
        (2, "[radius] enabled", "not a truth value", "give yes or no"),
    ),
    "not one of the words": (
        "[email:relay]\nhost = h\nsender = s\nsecurity = ssl\n",
        (4, "[email:relay] security", "not one of the words", "give one of starttls, tls, none"),
    ),
    "no value": ("[radius]\nhost =\n", (2, "[radius] host", "has no value", "give text")),
    "no receiver": (
        "[audit]\nsyslog = siem.example.org\n",
        (
            2,
            "[audit] syslog",
            "'siem.example.org' names no receiver",
            "give udp://HOST:PORT, tcp://HOST:PORT or tls://HOST:PORT",
        ),
    ),
    "no path": ("[service]\naudit_file = \n", (2, "[service] audit_file", "has no value", "give a path")),
    "empty list": (
        "[sms:a]\nurl = u\nsuccess_status =\n",
        (3, "[sms:a] success_status", "has no value", "give a comma-separated list"),
    ),
    "unknown log level": (
        "[service]\nlog_level = chatty\n",
        (2, "[service] log_level", "is not known", "give one of debug, info, warning, error"),
    ),
    "unknown country": (
        "[service]\nregion = Austria\n",
        (2, "[service] region", "is not known", "give a country's ISO 3166 code, such as AT"),
    ),
    "a value that is needed": (
        "[email:relay]\nhost = h\n",
        (1, "[email:relay] sender", "is missing", "add `sender = ...`: text"),
    ),
    "no secret": (
        "[secret:a]\n",
        (1, "[secret:a] value", "is missing", "add `value = ...`: file:PATH, env:NAME or cred:NAME"),
    ),
    "key twice": (
        "[radius]\nport = 1\nhost = h\nport = 2\n",
        (4, "[radius] port", "stands here a second time", "write it once"),
    ),
    "section twice": (
        "[radius]\nport = 1\n\n[radius]\nport = 2\nwrong = 1\n",
        (4, "[radius]", "stands here a second time", "write it once"),
    ),
    "no key": (
        "[radius]\nport\n",
        (2, "syntax", "is neither [section] nor `key = value`", "write [section] and below it `key = value` lines"),
    ),
    "colon": (
        "[radius]\nport: 1\n",
        (2, "syntax", "is neither [section] nor `key = value`", "write [section] and below it `key = value` lines"),
    ),
    "malformed policy": (
        "[policy:a]\ndirfactorSmsMode = later\n",
        (2, "[policy:a] dirfactorSmsMode", "'later' is malformed", "give one of onLogon, keyword, ahead"),
    ),
    "malformed number in a policy": (
        "[policy:a]\ndirfactorCodeLength = 5\n",
        (2, "[policy:a] dirfactorCodeLength", "'5' is malformed", "give a whole number from 6 to 10"),
    ),
    "template without code": (
        "[policy:a]\ndirfactorSmsTemplate = Hello\n",
        (2, "[policy:a] dirfactorSmsTemplate", "'...' is malformed", "give {code} in the text"),
    ),
    "empty value in a policy": (
        "[policy:a]\ndirfactorPrompt =\n",
        (2, "[policy:a] dirfactorPrompt", "'' is malformed", "give text of 1 to 200 characters"),
    ),
    "unknown key of a policy": (
        "[policy:a]\ndirfactorSmsEnable = yes\n",
        (2, "[policy:a] dirfactorSmsEnable", "unknown key", "did you mean dirfactorSmsEnabled?"),
    ),
    "what the directory keeps itself": (
        "[policy:a]\ndirfactorPolicySubjects = CN=x\n",
        (2, "[policy:a] dirfactorPolicySubjects", "unknown key", None),
    ),
    "policy names a gateway": (
        "[sms:kannel]\nurl = https://a\nsuccess_status = 200\n[policy:a]\ndirfactorSmsGateways = kanel\n",
        (5, "[policy:a] dirfactorSmsGateways", "there is no gateway kanel", "did you mean kannel?"),
    ),
    "policy names a mail server": (
        "[policy:a]\ndirfactorEmailGateways = relay\n",
        (2, "[policy:a] dirfactorEmailGateways", "there is no gateway relay", "there are none"),
    ),
    "malformed node": (
        "[node:a]\ndirfactorAddress = 192.0.2.300\ndirfactorMember = everyone\nsecret = env:X\n",
        (
            2,
            "[node:a] dirfactorAddress",
            "'192.0.2.300' is malformed",
            "give an address or network such as 192.0.2.7 or 192.0.2.0/24",
        ),
    ),
    "node without members": (
        "[node:a]\nsecret = env:X\n",
        (1, "[node:a] dirfactorMember", "nobody may use this node", "name DNs, one a line, or `everyone`"),
    ),
    "node with an empty list of members": (
        "[node:a]\nsecret = env:X\ndirfactorMember =\n",
        (3, "[node:a] dirfactorMember", "nobody may use this node", "name DNs, one a line, or `everyone`"),
    ),
    "member by name": (
        "[node:a]\nsecret = env:X\ndirfactorMember = VPN Users\n",
        (3, "[node:a] dirfactorMember", "'VPN Users' is no DN", "name DNs, one a line, or `everyone`"),
    ),
    "everyone and somebody": (
        "[node:a]\nsecret = env:X\ndirfactorMember =\n    everyone\n    CN=x\n",
        (3, "[node:a] dirfactorMember", "'everyone' is no DN", "name DNs, one a line, or `everyone`"),
    ),
    "node without secret": (
        "[node:a]\ndirfactorMember = everyone\n",
        (
            1,
            "[node:a] secret",
            "is missing, so that no RADIUS client can be answered",
            "add secret = ...: file:PATH, env:NAME or cred:NAME",
        ),
    ),
    "proxy by certificate without secret": (
        (
            "[node:a]\ndirfactorNodeType = proxy\ndirfactorProxyTarget = [::1]:1812\ndirfactorMember = everyone\n"
            "dirfactorCertificateName = a.example.org\n"
        ),
        (1, "[node:a] secret", "is missing, so that no RADIUS client can be answered", None),
    ),
    "proxy without target": (
        "[node:a]\ndirfactorNodeType = proxy\nsecret = env:X\ndirfactorMember = everyone\n",
        (
            1,
            "[node:a] dirfactorProxyTarget",
            "is missing, so that nothing can be forwarded",
            "give address and port of the other RADIUS server, such as 192.0.2.9:1812",
        ),
    ),
    "node names a secret": (
        "[secret:branches]\nvalue = env:X\n[node:a]\ndirfactorMember = everyone\ndirfactorSharedSecretName = branch\n",
        (5, "[node:a] dirfactorSharedSecretName", "there is no [secret:branch]", "did you mean branches?"),
    ),
    "node names a policy": (
        "[policy:staff]\n[node:a]\ndirfactorMember = everyone\nsecret = env:X\ndirfactorPolicy = staf\n",
        (5, "[node:a] dirfactorPolicy", "there is no [policy:staf]", "did you mean staff?"),
    ),
}


@pytest.mark.parametrize(("text", "expected"), BAD_LINES.values(), ids=BAD_LINES)
def test_one_mistake_is_one_problem_with_its_line_and_what_to_do(write, text, expected):
    line, *rest = expected
    found = only(write(text), X="x")
    assert found[:3] == (line + LDIF.count("\n"), *rest[:2])
    assert rest[2] is None or found[3] == rest[2]


AD = "[directory]\nkind = ad\nurl = {}\nbase = b\nbind_dn = d\nbind_password = env:X\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[directory]\n", [("[directory] file", "is missing for kind = ldif")]),
        (
            "[directory]\nkind = ad\n",
            [(f"[directory] {key}", "is missing for kind = ad") for key in ("base", "bind_dn", "bind_password")],
        ),
        (
            AD.format("ldap://dc, ldaps://dc, http://dc"),
            [("[directory] url", "http://dc is not encrypted"), ("[directory] url", "ldap://dc is not encrypted")],
        ),
    ],
)
def test_a_directory_needs_what_its_kind_needs(write, text, expected):
    found = problems(write(text, below=""), X="x")
    assert sorted((where, problem) for _, where, problem, _ in found) == expected


HOME = "[directory]\nkind = ad\nbase = DC=x\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sign_in = gssapi\nkeytab = k\nurl = ldap://dc, ldaps://dc\n", {}),
        ("sign_in = external\nclient_certificate = c\nclient_key = k\nurl = ldaps://dc\n", {}),
        ("sign_in = external\nurl = ldapi:///\n", {}),
        ("bind_dn = d\nbind_password = env:X\n", {}),
        ("bind_dn = d\nbind_password = env:X\ndomain = y\nsite = s\ndns_servers = 192.0.2.1\n", {}),
        ("sign_in = gssapi\nurl = ldaps://dc\n", {"keytab": "is missing for sign_in = gssapi"}),
        (
            "sign_in = external\nurl = ldap://dc\nclient_key = k\n",
            {
                "client_certificate": "is missing for sign_in = external",
                "url": "ldap://dc is not encrypted",
            },
        ),
        (
            "sign_in = external\nurl = ldapi:///\nclient_key = k\n",
            {
                "client_certificate": "is missing for sign_in = external",
            },
        ),
        ("url = ldapi:///\nbind_dn = d\nbind_password = env:X\n", {"url": "ldapi:/// is not encrypted"}),
        (
            "sign_in = gssapi\nkeytab = k\nurl = ldaps://dc\nbind_dn = d\nclient_key = k\n",
            {
                "bind_dn": "means nothing with sign_in = gssapi",
                "client_key": "means nothing with sign_in = gssapi",
            },
        ),
        (
            "sign_in = gssapi\nkeytab = k\nurl = ldaps://dc\nsite = s\ndns_servers = 192.0.2.1\n",
            {
                "site": "means nothing beside url",
                "dns_servers": "means nothing beside url",
            },
        ),
        ("bind_dn = d\nbind_password = env:X\nprincipal = p\n", {"principal": "means nothing with sign_in = simple"}),
    ],
)
def test_each_way_to_sign_in_has_its_keys_and_no_others(write, text, expected):
    if not expected:
        read(write(HOME + text, below=""), X="x")
        return
    found = problems(write(HOME + text, below=""), X="x")
    assert {where.removeprefix("[directory] "): problem for _, where, problem, _ in found} == expected
    assert all(line and remedy for line, _, _, remedy in found)


def test_two_directories_have_one_keytab(write):
    one, other = (f"[directory:{name}]\nkind = ad\nbase = DC={name}\nsign_in = gssapi\nkeytab = " for name in "ab")
    assert len(read(write(f"{one}k\n{other}k\n", below="")).directories) == 2
    line, where, problem, remedy = only(write(f"{one}k\n{other}j\n", below=""))
    assert (line, where) == (10, "[directory:b] keytab")
    assert "which another directory names" in problem
    assert "one keytab" in remedy


def test_start_tls_makes_ldap_good_and_nothing_else(write):
    text = AD.format("ldap://dc") + "start_tls = yes\n"
    assert read(write(text, below=""), X="x").directories[""].start_tls
    found = only(write(text.replace("ldap://", "http://"), below=""), X="x")
    assert found[2] == "http://dc is not encrypted"


# all problems


MANY = """\
port = 1

[radius]
prot = 1812
host =
port = many

[nowhere]
a = 1

[http]
port = 1
port = 2
not a key
[radius]
host = h

[policy:default]
dirfactorSmsMode = later
dirfactorCodeLength = 99

[node:vpn]
secret = hunter2-plain
"""


def test_all_problems_are_said_at_once_in_the_order_of_their_lines(write):
    found = [(line, where) for line, where, _, _ in problems(write(MANY.partition("\n")[2], below=""))]
    assert found == [
        (0, "[directory] file"),
        (3, "[radius] prot"),
        (4, "[radius] host"),
        (5, "[radius] port"),
        (7, "[nowhere]"),
        (12, "[http] port"),
        (13, "syntax"),
        (14, "[radius]"),
        (18, "[policy:default] dirfactorSmsMode"),
        (19, "[policy:default] dirfactorCodeLength"),
        (21, "[node:vpn] dirfactorMember"),
        (22, "[node:vpn] secret"),
    ]


def test_what_stands_before_the_first_section_is_said_so(write):
    assert problems(write(MANY, below=""))[0][:3] == (1, "syntax", "stands before the first [section]")


def test_a_line_number_is_right_below_comments_continued_lines_and_odd_spaces(write):
    text = "; note\n# port = 1\n[policy:a]\ndirfactorPrompt = a\x0bb\u2028c\n    [radius]\n    port = x\n"
    text += "\n[radius]\nport = x\n"
    assert (12, "[radius] port") in [item[:2] for item in problems(write(text))]


def test_a_value_that_is_continued_after_a_second_key_of_the_same_name_is_left_out_whole(write):
    text = "[sms:a]\nurl = u\nsuccess_status = 200\nbody = form\nurl = v\n    w\n\n    x\nbasic_auth = no\n"
    assert only(write(text))[:2] == (8, "[sms:a] url")


def test_what_is_missing_in_a_section_that_stands_twice_is_missing_in_the_first(write):
    found = problems(write("[email:a]\nhost = h\n[radius]\n[email:a]\nsender = s\n"))
    assert [item[:3] for item in found] == [
        (4, "[email:a] sender", "is missing"),
        (7, "[email:a]", "stands here a second time"),
    ]


# files that cannot be read


def test_a_file_that_is_not_there(tmp_path):
    assert only(tmp_path / "missing.ini")[:3] == (0, "file", "cannot be read: No such file or directory")


def test_a_folder_in_place_of_the_file(tmp_path):
    assert only(tmp_path)[2] == "cannot be read: Is a directory"


def test_a_file_that_is_not_utf_8(tmp_path):
    file = tmp_path / "config.ini"
    file.write_bytes(b"# f\xfcr alle\n" + LDIF.encode())
    assert only(file)[:3] == (0, "file", "is not UTF-8: octet 4")


def test_an_empty_file_wants_a_directory(write):
    assert only(write("", below=""))[:2] == (0, "[directory] file")


# the same reader as the directory's

PLAIN = [
    item
    for item in next(item for item in CLASSES if item.name == "dirfactorSecurityPolicy").may
    if item.syntax is not Syntax.DN
]
words = st.sampled_from(
    ["yes", "FALSE", "0", "1", "6", "10", "11", "300", "-1", "password", "Token", "none", "onLogon", "keyword", "ahead",
     "sms, vip", "vip,vip", "{code}", "x {code} {minutes}", "mobile", "a=b", "Filter-Id=x", "Mon-Fri 07:00-19:00",
     "Mon", "Sat 09:00-12:00; Europe/Vienna", "pin", "kannel", "1e3", "\u00fc", "%(x)s", "# x", "; x", "[x]"]
)  # fmt: skip
lines = words | st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=20)


@given(st.dictionaries(st.sampled_from(PLAIN), lines, max_size=6))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_policy_section_is_read_exactly_as_an_entry_of_the_directory(tmp_path, chosen):
    chosen = {item: text.strip() for item, text in chosen.items()}
    gateways = [name for item, text in chosen.items() for name in re.split(r"[, ]+", text) if "Gateways" in item.name]
    file = tmp_path / "config.ini"
    section = "".join(f"{item.name} = {text}\n" for item, text in chosen.items())
    file.write_text(f"{LDIF}[policy:default]\n{section}", encoding="utf-8")
    # an attribute of several values with none has none; one of a single value with an empty one is malformed
    values = {item.name.lower(): (text.encode(),) for item, text in chosen.items() if text or item.single}
    expected = parse_policy("default", values)
    try:
        found = read(file)
    except ConfigFault as fault:
        told = {
            (item.where.removeprefix("[policy:default] "), item.remedy.removeprefix("give ")) for item in fault.problems
        }
        missing = {(item.name, "there are none") for item in PLAIN if "Gateways" in item.name}
        assert told - missing == {(item.attribute, item.expected) for item in expected.malformed}
        assert expected.malformed or gateways
    else:
        assert found.policies["default"] == expected
        assert expected.malformed == ()


# nodes that cannot be told apart

TWINS = """\
[secret:s]
value = file:vpn.secret
[node:one]
dirfactorMember = everyone
dirfactorSharedSecretName = s
{}
[node:two]
dirfactorMember = everyone
dirfactorSharedSecretName = s
{}
"""


@pytest.mark.parametrize(
    ("one", "two", "key", "claim"),
    [
        ("dirfactorAddress = 192.0.2.1", "dirfactorAddress = 192.0.2.1/32", "dirfactorAddress", "192.0.2.1/32 is"),
        (f"dirfactorApiKeyHash = {'a' * 64}", f"dirfactorApiKeyHash = {'A' * 64}", "dirfactorApiKeyHash", "is"),
    ],
)
def test_what_belongs_to_one_node_is_a_problem_at_both_that_have_it(write, one, two, key, claim):
    found = [item[:3] for item in problems(write(TWINS.format(one, two)))]
    assert found == [
        (9, f"[node:one] {key}", f"{claim} that of [node:two] as well"),
        (13, f"[node:two] {key}", f"{claim} that of [node:one] as well"),
    ]


def test_a_prefix_inside_anothers_and_the_address_of_a_disabled_node_are_no_problem(write):
    address = "dirfactorAddress = 192.0.2.1"
    read(write(TWINS.format(address, "dirfactorAddress = 192.0.2.0/24")))
    read(write(TWINS.format(address, f"{address}\ndirfactorNodeEnabled = no")))


def test_several_directories_stand_side_by_side_each_checked_for_itself(write):
    text = "[directory:hq]\nkind = ldif\nfile = hq.ldif\n[directory:branch]\nkind = ldif\nfile = branch.ldif\n"
    found = read(write(text, below="")).directories
    assert {name: each.file.name for name, each in found.items()} == {"hq": "hq.ldif", "branch": "branch.ldif"}
    assert read(write("[directory:branch]\nfile = b.ldif\n")).directories.keys() == {"", "branch"}
    faults = problems(write("[directory:hq]\nkind = ad\nbase = DC=x\n"))
    assert {where for _, where, *_ in faults} >= {"[directory:hq] bind_dn", "[directory:hq] bind_password"}


def test_a_map_lets_other_attributes_stand_in_for_ours_in_its_directory(write):
    text = "[map]\ndirfactorToken = extensionAttribute7\n[directory:branch]\nfile = b.ldif\n[map:branch]\n"
    found = read(write(text + "dirfactorPolicy = division\n")).directories
    assert found[""].mapping == {"dirfactorToken": "extensionAttribute7"}
    assert found["branch"].mapping == {"dirfactorPolicy": "division"}
    assert read(write("")).directories[""].mapping == {}


@pytest.mark.parametrize(
    ("text", "line", "where", "problem", "remedy"),
    [
        ("dirfactorTokn = a", 5, "[map] dirfactorTokn", "unknown key", "did you mean dirfactorToken?"),
        ("dirfactorPin = a", 5, "[map] dirfactorPin", "holds a secret that everybody could read there", None),
        ("dirfactorToken = a b", 5, "[map] dirfactorToken", "'a b' is malformed", None),
        ("dirfactorToken = a\ndirfactorPhone = A", 6, "[map] dirfactorPhone", "A stands in for dirfactorToken", None),
        ("[map:x]\ndirfactorToken = a", 5, "[map:x]", "there is no [directory:x]", None),
    ],
)
def test_a_map_that_cannot_be_meant_is_a_problem(write, text, line, where, problem, remedy):
    found = only(write(f"[map]\n{text}\n"))
    assert found[:2] == (line, where)
    assert found[2].startswith(problem)
    assert remedy in {None, found[3]}
