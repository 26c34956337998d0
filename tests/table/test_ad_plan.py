"""The plan for a forest: only what is missing, in an order that a controller accepts, and never over a conflict."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dirsync.admin.active_directory import make_plan
from dirsync.admin.found import Found
from dirsync.admin.plan import Change, describe, render
from schema.active_directory import Add, Extend, Reload, records
from schema.attributes import ARC, PROPERTY_SET_GUID

ROOT = "DC=corp,DC=example"
SCHEMA = f"CN=Schema,CN=Configuration,{ROOT}"
WANTED = records(ROOT)
ADDITIONS = [record for record in WANTED if isinstance(record, Add)]
BARE = [Found(f"CN={name},{SCHEMA}", {}) for name in ("User", "Group", "Organizational-Unit", "Domain-DNS")]
FOREIGN_OID = "1.2.840.113556.1.8000.2554.1.2.3"


def octets(values):
    return tuple(value.encode() if isinstance(value, str) else value for value in values)


def written(steps, existing):
    """The directory after these steps, as it answers: names in lower case, a number for each link."""
    objects = {found.dn.lower(): found for found in existing}
    for step in steps:
        if isinstance(step, Reload):
            continue
        key = step.dn.lower()
        if isinstance(step, Add):
            attributes = {name.lower(): octets(values) for name, values in step.attributes}
            attributes |= {"linkid": (b"1073741826",)} if "linkid" in attributes else {}
            objects[key] = Found(step.dn, attributes)
            continue
        there = objects[key].attributes
        gone, come = (step.before, step.after) if isinstance(step, Change) else ((), octets(step.values))
        values = tuple(value for value in there.get(step.attribute.lower(), ()) if value not in gone) + come
        objects[key] = Found(step.dn, {**there, step.attribute.lower(): values})
    return list(objects.values())


FULL = written(WANTED, BARE)


def plan(existing):
    return make_plan(ROOT, WANTED, existing)


def edited(name, **attributes):
    """The full directory in which attributes of one object are other."""
    dn = next(found.dn for found in FULL if found.dn.startswith(f"CN={name},"))
    return [
        replace(found, attributes={**found.attributes, **{key.lower(): octets(v) for key, v in attributes.items()}})
        if found.dn == dn
        else found
        for found in FULL
    ]


def test_a_bare_forest_gets_everything_as_the_ldif_has_it():
    assert plan(BARE).steps == WANTED
    assert plan(BARE).conflicts == ()


def test_a_full_forest_gets_nothing():
    assert plan(FULL).steps == ()
    assert plan(FULL).done
    assert render(plan(FULL)) == f"nothing to do: {ROOT} has all of the schema"


def test_dns_are_compared_as_dns():
    assert plan([replace(found, dn=found.dn.upper().replace(",", ", ")) for found in FULL]).done


@given(st.integers(0, len(WANTED)))
def test_wherever_it_was_interrupted_the_next_plan_leads_to_the_end(done):
    """And starts with a reload when there is something to reload."""
    half = written(WANTED[:done], BARE)
    rest = plan(half)
    assert rest.conflicts == ()
    assert plan(written(rest.steps, half)).done
    assert len(rest.changes) + len([record for record in WANTED[:done] if not isinstance(record, Reload)]) == 91
    needs_reload = not rest.done and done > len(ADDITIONS) - 6
    assert not needs_reload or isinstance(rest.steps[0], (Add, Reload))


def test_what_waited_for_a_reload_gets_one_first():
    links = next(i for i, record in enumerate(WANTED) if isinstance(record, Reload))
    steps = plan(written(WANTED[:links], BARE)).steps
    assert isinstance(steps[0], Reload)
    assert dict(steps[1].attributes)["cn"] == ("dirfactorPolicySubjects",)


@given(st.sets(st.integers(0, len(ADDITIONS) - 1)))
def test_what_is_missing_is_added_and_nothing_else(missing):
    gone = {ADDITIONS[index].dn for index in missing}
    present = plan([found for found in FULL if found.dn not in gone])
    assert {step.dn for step in present.steps if isinstance(step, Add)} == gone
    assert len(present.changes) == len(gone)


@pytest.mark.parametrize(
    ("name", "attribute", "value", "line"),
    [
        ("dirfactorCodeLength", "rangeUpper", "8", "~ dirfactorCodeLength: rangeUpper 8 becomes 10"),
        ("dirfactorPin", "searchFlags", "0", "~ dirfactorPin: searchFlags 0 becomes 896"),
        ("dirfactorToken", "adminDescription", "x", "~ dirfactorToken: adminDescription x becomes tokens assigned"),
        (
            "dirfactorToken",
            "attributeSecurityGUID",
            bytes(16),
            f"~ dirfactorToken: attributeSecurityGUID 00000000-0000-0000-0000-000000000000 becomes {PROPERTY_SET_GUID}",
        ),
        ("dirfactor", "validAccesses", "256", "~ dirfactor: validAccesses 256 becomes 48"),
    ],
)
def test_what_can_be_changed_is_changed_and_shown(name, attribute, value, line):
    present = plan(edited(name, **{attribute: (value,)}))
    (step,) = present.changes
    assert isinstance(step, Change)
    assert step.before == octets([value])
    assert describe(step).startswith(line)
    assert plan(written(present.steps, edited(name, **{attribute: (value,)}))).done


def test_a_property_that_is_missing_is_added():
    (step,) = plan(edited("dirfactorCodeLength", rangeLower=())).changes
    assert describe(step) == "~ dirfactorCodeLength: rangeLower (none) becomes 6"


def test_lists_only_ever_grow():
    theirs = next(found for found in FULL if found.dn.startswith("CN=dirfactorUser,")).attributes["maycontain"]
    existing = edited("dirfactorUser", mayContain=(*theirs[1:], b"otherAttribute"))
    (step,) = plan(existing).changes
    assert step == Extend(f"CN=dirfactorUser,{SCHEMA}", "mayContain", ("dirfactorToken",))
    assert describe(step) == "> dirfactorUser: mayContain gets dirfactorToken"
    (step,) = plan(edited("User", auxiliaryClass=(b"other", b"DIRFACTORUSER"))).changes
    assert step == Extend(f"CN=User,{SCHEMA}", "auxiliaryClass", ("dirfactorSubject",))


@pytest.mark.parametrize(
    ("name", "attribute", "value", "problem"),
    [
        ("dirfactorToken", "attributeID", FOREIGN_OID, f"its attributeID is {FOREIGN_OID}, not {ARC}.1.1"),
        ("dirfactorToken", "isSingleValued", "TRUE", "its isSingleValued is TRUE, not FALSE"),
        ("dirfactorToken", "attributeSyntax", "2.5.5.5", "its attributeSyntax is 2.5.5.5, not 2.5.5.12"),
        ("dirfactorToken", "oMSyntax", "22", "its oMSyntax is 22, not 64"),
        ("dirfactorToken", "schemaIDGUID", bytes(16), "its schemaIDGUID is 00000000-0000-0000-0000-000000000000, not "),
        ("dirfactorToken", "isDefunct", "TRUE", "it has been switched off (isDefunct)"),
        ("dirfactorUser", "governsID", FOREIGN_OID, f"its governsID is {FOREIGN_OID}, not {ARC}.2.1"),
        ("dirfactorUser", "objectClassCategory", "1", "its objectClassCategory is 1, not 3"),
        ("dirfactorUser", "subClassOf", "person", "its subClassOf is person, not top"),
        ("dirfactor", "rightsGuid", "00000000-0000-0000-0000-000000000000", "its rightsGuid is 0000"),
    ],
)
def test_what_can_never_be_changed_is_a_conflict(name, attribute, value, problem):
    present = plan(edited(name, **{attribute: (value,)}))
    assert [conflict.name for conflict in present.conflicts] == [name]
    assert present.conflicts[0].problem.startswith(problem)
    assert not present.done
    assert render(present).splitlines()[0].startswith(f"! {name}: {problem}")
    assert render(present).splitlines()[-1] == f"conflicts: 1; nothing will be written to {ROOT}"


def test_a_link_that_is_none_is_a_conflict():
    (conflict,) = plan(edited("dirfactorPolicy", linkID=())).conflicts
    assert conflict.problem == "it is no link: it has no linkID"


@pytest.mark.parametrize(
    ("attribute", "value", "problem"),
    [
        ("attributeID", f"{ARC}.1.1", f"its OID {ARC}.1.1 is taken by"),
        ("governsID", f"{ARC}.1.1", f"its OID {ARC}.1.1 is taken by"),
        ("lDAPDisplayName", "DirfactorTOKEN", "its name dirfactorToken is taken by"),
        ("schemaIDGUID", dict(ADDITIONS[1].attributes)["schemaIDGUID"][0], "its GUID f13b9801-2acf-50d0"),
        ("rightsGuid", str(PROPERTY_SET_GUID).upper(), f"its GUID {PROPERTY_SET_GUID} is taken by"),
    ],
)
def test_an_identity_that_somebody_else_has_is_a_conflict_with_their_dn(attribute, value, problem):
    """Also when ours is in place, which a controller would not have let happen."""
    other = Found(f"CN=other,{SCHEMA}", {attribute.lower(): octets([value])})
    for existing in ([*BARE, other], [*FULL, other]):
        (conflict,) = plan(existing).conflicts
        assert conflict.problem.startswith(problem)
        assert conflict.problem.endswith(f"is taken by {other.dn}")


def test_a_plan_is_read_by_people():
    lines = render(plan(BARE)).splitlines()
    assert lines[0] == f"+ property set dirfactor: dirfactor second factor settings [{PROPERTY_SET_GUID}]"
    assert f"+ attribute dirfactorCodeLength: digits of a code that we send [{ARC}.1.40]" in lines
    assert f"+ class dirfactorAccessNode: an access node: who may ask us [{ARC}.2.4]" in lines
    assert "> User: auxiliaryClass gets dirfactorUser, dirfactorSubject" in lines
    assert lines[-1] == f"changes to the schema of {ROOT}: 91; what is added cannot be removed"
    assert len(lines) == 92
