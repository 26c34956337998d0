"""Laws of the table: what every directory that has our schema relies on."""

import re
from collections import Counter
from pathlib import Path

import pytest

from schema.attributes import (
    ARC,
    ATTRIBUTES,
    BY_NAME,
    CLASSES,
    GUID_NAMESPACE,
    NODE,
    POLICY,
    PROPERTY_SET_GUID,
    SUBJECT,
    USER,
)
from schema.entry import AccessNode, Policy, User
from schema.parse import parse_entry
from schema.syntax import Syntax
from schema.words import TokenKind

ASSIGNED = Path(__file__).with_name("assigned.txt")

# Fields of User whose names say more than the attribute's: there can be several, or another attribute has the name.
USER_FIELDS = {
    "token": "tokens",
    "vip_credential": "vip_credentials",
    "mail": "mail_override",
    "secret": "secrets",
    "reply_attribute": "reply_attributes",
}
# Fields of User that the directory's own attributes fill.
FROM_THE_DIRECTORY = {
    "sam",
    "upn",
    "mail",
    "display_name",
    "language",
    "disabled",
    "starts_at",
    "expires_at",
    "locked_at",
    "logon_grid",
    "primary_group_sid",
    "texts",
}
# For each attribute the first of these that its grammar accepts.
SAMPLES = (
    "TRUE",
    "20261124120000.0Z",
    "8",
    "60",
    "192.0.2.0/24",
    "192.0.2.9:1812",
    "Filter-Id=vpn-staff",
    "Mon-Fri 07:00-19:00; UTC",
    "sms",
    "token",
    "onLogon",
    "challenge",
    "radius",
    "any",
    "pin",
    "utf-8",
    "one-name",
)


def assigned_now():
    yield f"arc {ARC}"
    yield f"guid-namespace {GUID_NAMESPACE}"
    yield f"property-set {PROPERTY_SET_GUID}"
    for attribute in sorted(ATTRIBUTES, key=lambda item: item.number):
        count = "single" if attribute.single else "many"
        yield f"attribute {attribute.number} {attribute.name} {attribute.syntax.name} {count} {attribute.guid}"
    for item in CLASSES:
        kind = "structural" if item.structural else "auxiliary"
        yield f"class {item.number} {item.name} {kind} {item.guid}"


def test_what_was_assigned_once_is_so_for_ever_and_nothing_is_assigned_unseen():
    """A directory cannot forget a schema: lines are only ever added to assigned.txt, by hand."""
    assert sorted(ASSIGNED.read_text().splitlines()) == sorted(assigned_now())


@pytest.mark.parametrize("key", ["number", "name", "field", "oid", "guid"])
def test_no_two_attributes_share(key):
    values = [getattr(attribute, key) for attribute in ATTRIBUTES]
    assert [value for value, count in Counter(values).items() if count > 1] == []


def test_no_two_things_of_the_schema_share_a_name_or_a_guid():
    things = [*ATTRIBUTES, *CLASSES]
    assert len({thing.name.lower() for thing in things}) == len(things)
    assert len({thing.guid for thing in things} | {PROPERTY_SET_GUID}) == len(things) + 1
    assert len({item.number for item in CLASSES}) == len(CLASSES)


def test_attributes_are_found_by_name_in_any_case():
    assert BY_NAME["dirfactortoken"].name == "dirfactorToken"
    assert len(BY_NAME) == len(ATTRIBUTES)


@pytest.mark.parametrize("thing", [*ATTRIBUTES, *CLASSES], ids=lambda thing: thing.name)
def test_names_are_what_powershell_takes_without_quotes_and_descriptions_are_one_plain_line(thing):
    assert re.fullmatch(r"dirfactor[A-Z][A-Za-z]+", thing.name)
    assert len(thing.name) <= 60
    assert thing.description == " ".join(thing.description.split())
    assert thing.description.isascii()
    # OpenLDAP's tools do not agree on how to escape these in a DESC
    assert not set("'\\") & set(thing.description)
    assert thing.description


def test_every_attribute_is_allowed_by_some_class():
    allowed = {attribute.name for item in CLASSES for attribute in item.may}
    assert allowed == {attribute.name for attribute in ATTRIBUTES}


def test_no_class_names_an_attribute_twice():
    for item in CLASSES:
        assert len({attribute.name for attribute in item.may}) == len(item.may)


def test_links_come_in_pairs_that_know_each_other():
    forward = {attribute.name: attribute.back_link for attribute in ATTRIBUTES if attribute.back_link}
    back = {attribute.forward_link: attribute.name for attribute in ATTRIBUTES if attribute.forward_link}
    assert forward == back
    assert {attribute.name for attribute in ATTRIBUTES if attribute.syntax is Syntax.DN} == {*forward, *back.values()}


@pytest.mark.parametrize(
    "attribute", [item for item in ATTRIBUTES if item.syntax is Syntax.INTEGER], ids=lambda item: item.name
)
def test_the_directory_refuses_the_numbers_that_we_refuse(attribute):
    read = attribute.grammar.read
    assert (read(str(attribute.low)), read(str(attribute.high))) == (attribute.low, attribute.high)
    for outside in (attribute.low - 1, attribute.high + 1):
        with pytest.raises(ValueError, match="out of range"):
            read(str(outside))
    assert attribute.high < 2**31  # AD's integers


@pytest.mark.parametrize(
    "attribute",
    [item for item in ATTRIBUTES if item.grammar.expected.startswith("text of")],
    ids=lambda item: item.name,
)
def test_the_directory_refuses_the_lengths_that_we_refuse(attribute):
    assert attribute.grammar.read("x" * attribute.high) == "x" * attribute.high
    with pytest.raises(ValueError, match="too long"):
        attribute.grammar.read("x" * (attribute.high + 1))


def test_every_string_has_bounds_in_the_directory():
    for attribute in ATTRIBUTES:
        if attribute.syntax in {Syntax.STRING, Syntax.EXACT}:
            assert 1 <= attribute.low <= attribute.high


def test_secrets_are_confidential_and_compared_to_the_letter_and_nothing_else_is():
    secret = {"dirfactorPin", "dirfactorSecret", "dirfactorTemporaryResponse", "dirfactorSharedSecret"}
    assert {attribute.name for attribute in ATTRIBUTES if attribute.confidential} == secret
    assert {attribute.name for attribute in ATTRIBUTES if attribute.syntax is Syntax.EXACT} == secret
    assert not any(attribute.indexed for attribute in ATTRIBUTES if attribute.confidential)


def fields_of(attributes):
    return {attribute.field for attribute in attributes if attribute.syntax is not Syntax.DN}


@pytest.mark.parametrize(("entry", "attributes"), [(Policy, POLICY), (AccessNode, NODE)])
def test_a_policys_and_a_nodes_fields_are_the_tables(entry, attributes):
    ours = set(entry.__struct_fields__) - {"name", "malformed"}
    assert ours == fields_of(attributes) | fields_of(SUBJECT)


def test_a_users_fields_are_the_tables_and_the_directorys():
    ours = {USER_FIELDS.get(field, field) for field in fields_of(USER) | fields_of(SUBJECT)}
    assert set(User.__struct_fields__) - {"malformed"} == ours | FROM_THE_DIRECTORY


def sample(attribute):
    for text in SAMPLES:
        try:
            return text, attribute.grammar.read(text)
        except ValueError:
            continue
    pytest.fail(f"no sample for {attribute.name}")


@pytest.mark.parametrize(
    ("object_class", "attribute"),
    [
        (object_class, attribute)
        for object_class, attributes in (
            ("user", (*USER, *SUBJECT)),
            ("dirfactorSecurityPolicy", (*POLICY, SUBJECT[1])),
            ("dirfactorAccessNode", (*NODE, *SUBJECT)),
        )
        for attribute in attributes
        if attribute.syntax is not Syntax.DN
    ],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_what_an_administrator_writes_arrives_in_the_attributes_field(object_class, attribute):
    text, value = sample(attribute)
    if attribute.name.endswith("Template"):
        text = value = "your code: {code}"
    entry = parse_entry({"objectclass": (object_class.encode(),), attribute.name.lower(): (text.encode(),)})
    field = USER_FIELDS.get(attribute.field, attribute.field) if object_class == "user" else attribute.field
    assert entry.malformed == ()
    assert getattr(entry, field) == (value if attribute.single else (value,))


def written(value):
    """The text for which a default stands."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return str(value)


@pytest.mark.parametrize(("entry", "attributes"), [(Policy(name="x"), POLICY), (AccessNode(name="x"), NODE)])
def test_defaults_are_values_that_could_be_written(entry, attributes):
    checked = 0
    for attribute in attributes:
        default = getattr(entry, attribute.field, None)
        if default is None or default == ():
            continue
        assert attribute.grammar.read(written(default)) == default, attribute.name
        checked += 1
    assert checked > len(attributes) / 2


def test_a_policy_does_not_lose_a_kind_of_token_to_its_default_order():
    assert set(Policy(name="x").token_order) == set(TokenKind)
