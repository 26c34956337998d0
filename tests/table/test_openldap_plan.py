"""The plan for an OpenLDAP server: compared by numbers and names, wherever and however it was loaded."""

from dataclasses import replace

import pytest

from dirsync.admin.found import Found
from dirsync.admin.openldap import make_plan
from dirsync.admin.plan import Change, describe, render
from schema.active_directory import Add, Extend
from schema.attributes import ARC
from schema.openldap import definitions

OURS = definitions()
CORE = Found(
    "cn={0}core,cn=schema,cn=config",
    {
        "olcattributetypes": (
            b"{0}( 2.5.4.2 NAME 'knowledgeInformation' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )",
            b"{1}( 2.5.4.4 NAME ( 'sn' 'surname' ) DESC 'RFC2256' SUP name )",
        ),
        "olcobjectclasses": (
            b"{0}( 2.5.6.2 NAME 'country' SUP top STRUCTURAL MUST c MAY ( searchGuide $ description ) )",
        ),
    },
)


def loaded(schema, dn="cn={4}dirfactor,cn=schema,cn=config", *, in_numbers=False):
    """The entry as slapd answers: values numbered, lines joined as LDIF's continuations are."""

    def stored(values):
        texts = [value.replace("\n", " ") for value in values]
        if in_numbers:
            texts = [text.replace("dirfactorAttribute:", f"{ARC}.1.") for text in texts]
            texts = [text.replace("dirfactorClass:", f"{ARC}.2.") for text in texts]
        return tuple(f"{{{number}}}{text}".encode() for number, text in enumerate(texts))

    identifiers = () if in_numbers else stored(schema.identifiers)
    kinds = {"olcattributetypes": schema.attribute_types, "olcobjectclasses": schema.object_classes}
    found = {name: stored(values) for name, values in kinds.items()}
    return Found(dn, {**found, **({"olcobjectidentifier": identifiers} if identifiers else {})})


def edited(name, old, new):
    """Our schema, one definition of it changed."""

    def change(values):
        return tuple(value.replace(old, new) if f"NAME '{name}'" in value else value for value in values)

    other = replace(OURS, attribute_types=change(OURS.attribute_types), object_classes=change(OURS.object_classes))
    assert other != OURS
    return other


def without(name):
    """Our schema before there was an attribute."""
    return replace(
        OURS,
        attribute_types=tuple(item for item in OURS.attribute_types if f"'{name}'" not in item),
        object_classes=tuple(item.replace(f"$ {name}\n    ", "") for item in OURS.object_classes),
    )


def test_a_bare_server_gets_one_entry_with_everything():
    plan = make_plan(OURS, [CORE])
    (step,) = plan.steps
    assert isinstance(step, Add)
    assert step.dn == "cn=dirfactor,cn=schema,cn=config"
    values = dict(step.attributes)
    assert values["olcObjectIdentifier"] == OURS.identifiers
    assert values["olcAttributeTypes"] == tuple(" ".join(item.split()) for item in OURS.attribute_types)
    assert values["olcObjectClasses"] == tuple(" ".join(item.split()) for item in OURS.object_classes)
    assert plan.conflicts == ()
    assert (
        describe(step)
        .splitlines()[-1]
        .endswith("dirfactorUser, dirfactorSubject, dirfactorSecurityPolicy, dirfactorAccessNode")
    )


@pytest.mark.parametrize(
    "entry",
    [
        loaded(OURS),
        loaded(OURS, in_numbers=True),
        loaded(OURS, "cn={7}openldap,cn=schema,cn=config"),
    ],
    ids=["as we load it", "without macros", "as slaptest names it"],
)
def test_a_server_that_has_it_gets_nothing(entry):
    assert make_plan(OURS, [CORE, entry]).done


def test_an_older_schema_grows_types_before_the_classes_that_name_them():
    plan = make_plan(OURS, [CORE, loaded(without("dirfactorNodeEnabled"))])
    types, classes = plan.steps
    assert isinstance(types, Extend)
    assert describe(types) == "> {4}dirfactor: olcAttributeTypes gets dirfactorNodeEnabled"
    assert isinstance(classes, Change)
    assert describe(classes) == "~ {4}dirfactor: olcObjectClasses dirfactorAccessNode is defined anew"
    assert classes.before[0].startswith(b"{3}( dirfactorClass:4 ")
    assert classes.after[0].startswith(f"{{3}}( {ARC}.2.4 ".encode())
    assert b"dirfactorNodeEnabled" in classes.after[0]
    assert render(plan).splitlines()[-1] == "changes to the schema of cn=config: 2; what is added cannot be removed"


@pytest.mark.parametrize(
    "other",
    [edited("dirfactorPhone", "{64}", "{32}"), edited("dirfactorPhone", "phone number for SMS", "number")],
    ids=["length", "description"],
)
def test_words_and_lengths_may_be_changed(other):
    (step,) = make_plan(OURS, [CORE, loaded(other)]).steps
    assert isinstance(step, Change)
    assert b"'dirfactorPhone'" in step.before[0]


@pytest.mark.parametrize(
    ("other", "name", "problem"),
    [
        (edited("dirfactorPhone", " SINGLE-VALUE", ""), "dirfactorPhone", "it is another in what cannot be changed"),
        (edited("dirfactorPhone", "121.1.15", "121.1.26"), "dirfactorPhone", "it is another in what cannot be changed"),
        (
            edited("dirfactorPhone", "caseIgnoreMatch", "caseExactMatch"),
            "dirfactorPhone",
            "it is another in what cannot be changed",
        ),
        (
            edited("dirfactorUser", "AUXILIARY", "STRUCTURAL"),
            "dirfactorUser",
            "it is another in what cannot be changed",
        ),
        (edited("dirfactorUser", "$ dirfactorPin\n", "$ dirfactorPin $ x\n"), "dirfactorUser", "it also allows x"),
        (
            edited("dirfactorPhone", "Attribute:3 ", "Attribute:999 "),
            "dirfactorPhone",
            f"dirfactorPhone has OID {ARC}.1.999, dirfactorPhone would have {ARC}.1.3",
        ),
        (
            edited("dirfactorPhone", "'dirfactorPhone'", "'dirfactorFax'"),
            "dirfactorPhone",
            f"dirfactorFax has OID {ARC}.1.3, dirfactorPhone would have {ARC}.1.3",
        ),
    ],
)
def test_what_would_change_what_is_stored_is_a_conflict(other, name, problem):
    conflicts = make_plan(OURS, [CORE, loaded(other)]).conflicts
    assert [conflict.name for conflict in conflicts] == [name]
    assert conflicts[0].problem.startswith(problem)


def test_a_name_that_another_schema_has_is_a_conflict():
    theirs = Found(
        "cn={5}other,cn=schema,cn=config",
        {
            "olcattributetypes": (
                b"{0}( 1.3.6.1.4.1.32473.1 NAME ( 'x' 'dirfactorX' ) SUP name )",
                b"{1}( 1.3.6.1.4.1.32473.2 NAME 'DIRFACTORTOKEN' SUP name )",
            ),
        },
    )
    (conflict,) = make_plan(OURS, [CORE, theirs]).conflicts
    assert conflict.name == "dirfactorToken"
    assert conflict.problem == "DIRFACTORTOKEN with OID 1.3.6.1.4.1.32473.2 stands in cn={5}other,cn=schema,cn=config"
