"""The plan for a 389 Directory Server: its one schema entry, in its own spelling, against our definitions."""

import pytest

from dirsync.admin.ds389 import make_plan
from dirsync.admin.found import Found
from dirsync.admin.plan import Redefine, describe, render
from schema.active_directory import Extend
from schema.ds389 import definitions

OURS = definitions()
STANDARD = (
    b"( 2.5.4.4 NAME ( 'sn' 'surName' ) SUP name EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch "
    b"SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 X-ORIGIN 'RFC 4519' X-DEPRECATED 'surName' )"
)


def stored(definition):
    """A definition that was added over LDAP, as the server answers: on one line, without length, with two origins."""
    text = " ".join(definition.split()).replace("X-ORIGIN 'dirfactor'", "X-ORIGIN ( 'dirfactor' 'user defined' )")
    head, brace, tail = text.partition("121.1.15{")
    return (head + "121.1.15" + tail.partition("}")[2] if brace else text).encode()


def server(*, without=(), edit=lambda text: text):
    kinds = {"attributetypes": OURS.attribute_types, "objectclasses": OURS.object_classes}
    values = {
        kind: tuple(
            edit(stored(item).decode()).encode()
            for item in items
            if not any(f"NAME '{name}'" in item for name in without)
        )
        for kind, items in kinds.items()
    }
    return Found("cn=schema", values | {"attributetypes": (STANDARD, *values["attributetypes"])})


def test_a_bare_server_gets_the_types_and_then_the_classes_word_for_word():
    plan = make_plan(OURS, Found("cn=schema", {"attributetypes": (STANDARD,)}))
    types, classes = plan.steps
    assert types == Extend(
        "cn=schema", "attributeTypes", tuple(" ".join(item.split()) for item in OURS.attribute_types)
    )
    assert classes == Extend(
        "cn=schema", "objectClasses", tuple(" ".join(item.split()) for item in OURS.object_classes)
    )
    assert plan.conflicts == ()


def test_a_server_that_has_it_in_its_own_spelling_gets_nothing():
    assert make_plan(OURS, server()).done


def test_what_lacks_is_added_and_a_class_that_lacks_it_is_defined_anew():
    def older(text):
        return text.replace(" $ dirfactorNodeEnabled", "")

    plan = make_plan(OURS, server(without=["dirfactorNodeEnabled"], edit=older))
    types, classes = plan.steps
    assert isinstance(types, Extend)
    assert describe(types) == "> schema: attributeTypes gets dirfactorNodeEnabled"
    assert isinstance(classes, Redefine)
    assert describe(classes) == "~ schema: objectClasses dirfactorAccessNode is defined anew"
    assert b"dirfactorNodeEnabled" in classes.after
    assert b"dirfactorNodeEnabled" not in classes.before
    assert render(plan).splitlines()[-1] == "changes to the schema of cn=schema: 2; what is added cannot be removed"


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (lambda text: text.replace(" SINGLE-VALUE", "") if "'dirfactorPhone'" in text else text, "it is another in"),
        (lambda text: text.replace("5954808.1.3 ", "5954808.1.999 "), "dirfactorPhone has OID"),
        (lambda text: text.replace("'dirfactorPhone'", "'dirfactorFax'"), "dirfactorFax has OID"),
    ],
    ids=["other values", "other OID", "other name"],
)
def test_what_is_in_the_way_is_named(edit, problem):
    (conflict,) = make_plan(OURS, server(edit=edit)).conflicts
    assert conflict.name == "dirfactorPhone"
    assert conflict.problem.startswith(problem)
