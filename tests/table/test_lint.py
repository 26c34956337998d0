"""Each rule of a schema extension that Windows enforces: the shipped file keeps it, and breaking it there is found."""

import re
from pathlib import Path

import pytest

from schema.attributes import ARC
from schema.lint.linter import lint
from schema.lint.rules import Rule

SHIPPED = (Path(__file__).parents[2] / "ldif" / "active-directory.ldif").read_text()
RELOAD = "dn:\nchangetype: modify\nadd: schemaUpdateNow\nschemaUpdateNow: 1\n-\n"
TOKEN_GUID = "schemaIDGUID:: AZg78c8q0FCF8+Drs+ifcQ=="
PIN_GUID = "schemaIDGUID:: I4lLvVINyl+25V7Gs9xh+A=="

# rule, common name of the object whose record is changed, what goes, what comes
IN_A_RECORD = [
    # values that cannot be read
    (Rule.LDIF, "dirfactorToken", "oMSyntax: 64", "oMSyntax 64"),
    (Rule.LDIF, "dirfactorToken", "AZg78c8q0FCF8+Drs+ifcQ==", "AZg78c8q0F*"),
    (Rule.BOOLEAN, "dirfactorToken", "isSingleValued: FALSE", "isSingleValued: false"),
    (Rule.BOOLEAN, "dirfactorUser", "defaultHidingValue: FALSE", "defaultHidingValue: 0"),
    # numbers and names
    (Rule.OID, "dirfactorToken", f"attributeID: {ARC}.1.1", "attributeID: 2.25.33489567341"),
    (Rule.OID, "dirfactorToken", f"attributeID: {ARC}.1.1", f"attributeID: {ARC}.1.01"),
    (Rule.OID, "dirfactorToken", f"attributeID: {ARC}.1.1", f"attributeID: {ARC}.1.268435456"),
    (Rule.OID, "dirfactorToken", f"attributeID: {ARC}.1.1", "attributeID: 1.3.6.1.4.1.32473.1"),
    (Rule.OID, "dirfactorToken", f"attributeID: {ARC}.1.1", "attributeID: dirfactorToken"),
    (Rule.OID, "dirfactorUser", f"governsID: {ARC}.2.1", "governsID: 1.3.6.1.4.1.32473.1"),
    (Rule.UNIQUE, "dirfactorMail", f"attributeID: {ARC}.1.4", f"attributeID: {ARC}.1.1"),
    (Rule.UNIQUE, "dirfactorUser", f"governsID: {ARC}.2.1", f"governsID: {ARC}.1.1"),
    (Rule.UNIQUE, "dirfactorPin", PIN_GUID, TOKEN_GUID),
    (Rule.UNIQUE, "dirfactorPin", "lDAPDisplayName: dirfactorPin", "lDAPDisplayName: DIRFACTORTOKEN"),
    (Rule.UNIQUE, "dirfactorPin", "CN=dirfactorPin,", "CN=dirfactorToken,"),
    (Rule.GUID, "dirfactorPin", f"{PIN_GUID}\n", ""),
    (Rule.GUID, "dirfactorPin", PIN_GUID, "schemaIDGUID: bd4b8923-0d52-5fca-b6e5-5ec6b3dc61f8"),
    (Rule.NAME, "dirfactorNodeType", "lDAPDisplayName: dirfactorNodeType", "lDAPDisplayName: dirfactor_NodeType"),
    (Rule.NAME, "dirfactorNodeType", "cn: dirfactorNodeType", "cn: dirfactorNodetype"),
    (Rule.REQUIRED, "dirfactorToken", "isSingleValued: FALSE\n", ""),
    (Rule.REQUIRED, "dirfactorToken", "oMSyntax: 64\n", ""),
    (Rule.REQUIRED, "dirfactorToken", "searchFlags: 1", "searchFlags: 1\nsearchFlags: 0"),
    (Rule.REQUIRED, "dirfactorUser", "subClassOf: top\n", ""),
    # attributes
    (Rule.SYNTAX, "dirfactorToken", "oMSyntax: 64", "oMSyntax: 20"),
    (Rule.SYNTAX, "dirfactorPolicy", "oMObjectClass:: KwwCh3McAIVK\n", ""),
    (Rule.SYNTAX, "dirfactorPolicy", "oMObjectClass:: KwwCh3McAIVK", "oMObjectClass:: KwwCh3McAIU+"),
    (Rule.RANGE, "dirfactorToken", "rangeLower: 1", "rangeLower: 17"),
    (Rule.RANGE, "dirfactorToken", "rangeUpper: 16", "rangeUpper: 16k"),
    (Rule.RANGE, "dirfactorPinSetAt", "searchFlags: 0", "searchFlags: 0\nrangeUpper: 20"),
    (Rule.SEARCH_FLAGS, "dirfactorToken", "searchFlags: 1", "searchFlags: 32769"),
    (Rule.SEARCH_FLAGS, "dirfactorToken", "searchFlags: 1", "searchFlags: 4"),
    (Rule.SEARCH_FLAGS, "dirfactorToken", "searchFlags: 1", "searchFlags: indexed"),
    (Rule.CONFIDENTIAL, "dirfactorSecret", "searchFlags: 896", "searchFlags: 904"),
    (Rule.CONFIDENTIAL, "dirfactorSecret", "searchFlags: 896", "searchFlags: 912"),
    (Rule.GLOBAL_CATALOG, "dirfactorToken", "searchFlags: 1", "searchFlags: 1\nisMemberOfPartialAttributeSet: TRUE"),
    (Rule.LINK, "dirfactorPolicy", "linkID: 1.2.840.113556.1.2.50", "linkID: 7778"),
    (Rule.LINK, "dirfactorToken", "searchFlags: 1", "searchFlags: 1\nlinkID: 1.2.840.113556.1.2.50"),
    (Rule.LINK, "dirfactorPolicySubjects", f"linkID: {ARC}.1.20", f"linkID: {ARC}.1.22"),
    (Rule.LINK, "dirfactorPolicySubjects", "isSingleValued: FALSE", "isSingleValued: TRUE"),
    (Rule.LINK, "dirfactorMemberOfNode", f"linkID: {ARC}.1.116", f"linkID: {ARC}.1.20"),
    (Rule.PROPERTY_SET, "dirfactorToken", "GUID:: LdbZN21q8kOleH6M2ZgqMA==", "GUID:: N9nWLWpt8kOleH6M2ZgqMA=="),
    (Rule.PROPERTY_SET, "dirfactor", "appliesTo: bf967a9c-", "appliesTo: group-"),
    # what only the system sets
    (Rule.SYSTEM, "dirfactorToken", "systemOnly: FALSE", "systemOnly: TRUE"),
    (Rule.SYSTEM, "dirfactorToken", "searchFlags: 1", "searchFlags: 1\nsystemFlags: 16"),
    (Rule.SYSTEM, "dirfactorToken", "searchFlags: 1", "searchFlags: 1\nobjectGUID:: AZg78c8q0FCF8+Drs+ifcQ=="),
    (Rule.SYSTEM, "dirfactorUser", "mayContain: dirfactorToken", "systemMayContain: dirfactorToken"),
    (Rule.SYSTEM, "User", "auxiliaryClass", "systemAuxiliaryClass"),
    # classes
    (Rule.CATEGORY, "dirfactorUser", "objectClassCategory: 3", "objectClassCategory: 0"),
    (Rule.INHERITANCE, "dirfactorUser", "subClassOf: top", "subClassOf: container"),
    (Rule.INHERITANCE, "dirfactorAccessNode", "subClassOf: top", "subClassOf: securityPrincipal"),
    (Rule.RDN, "dirfactorAccessNode", "rDNAttID: cn", "rDNAttID: dirfactorNodeType"),
    (Rule.SUPERIORS, "dirfactorAccessNode", "possSuperiors: container", "possSuperiors: top"),
    (
        Rule.SUPERIORS,
        "dirfactorAccessNode",
        "possSuperiors: container\npossSuperiors: organizationalUnit\npossSuperiors: domainDNS\n",
        "",
    ),
    (Rule.SECURITY, "dirfactorAccessNode", "(A;;RPLCLORC;;;AU)", "(A;;RPLCLORC;;AU)"),
    (Rule.SECURITY, "dirfactorAccessNode", "(A;;RPLCLORC;;;AU)", "(A;;RPLCXYRC;;;AU)"),
    (Rule.SECURITY, "dirfactorAccessNode", "(A;;RPLCLORC;;;AU)", "(A;;RPLCLORC;;;Everyone)"),
    (Rule.UNDEFINED, "dirfactorUser", "mayContain: dirfactorToken", "mayContain: dirfactorTokn"),
    (Rule.UNDEFINED, "User", "auxiliaryClass: dirfactorUser", "auxiliaryClass: dirfactorUsr"),
    # objects that are there already
    (Rule.ATTACHED, "User", "auxiliaryClass: dirfactorUser", "auxiliaryClass: dirfactorAccessNode"),
    (Rule.ATTACHED, "dirfactorUser", "subClassOf: top", "subClassOf: top\nauxiliaryClass: organizationalUnit"),
    (Rule.DEMAND, "User", "auxiliaryClass", "mustContain"),
    (Rule.EXTENSION, "User", "auxiliaryClass", "defaultSecurityDescriptor"),
    (Rule.ONLY_ADDITIONS, "User", "add: auxiliaryClass", "replace: auxiliaryClass"),
    (Rule.ONLY_ADDITIONS, "User", "add: auxiliaryClass", "delete: auxiliaryClass"),
    (Rule.FIXED, "User", "auxiliaryClass", "subClassOf"),
    # objects of other kinds and in other places
    (Rule.KIND, "dirfactor", "objectClass: controlAccessRight", "objectClass: container"),
    (Rule.KIND, "dirfactor", "CN=Extended-Rights", "CN=Services"),
    (Rule.KIND, "dirfactorToken", "CN=Schema,CN=Configuration", "CN=Configuration"),
]

# What else breaks with a rule: whoever names what is no longer there under its name, in its category or at all.
CONSEQUENCES = {
    Rule.NAME: {Rule.UNDEFINED},
    Rule.UNIQUE: {Rule.UNDEFINED, Rule.NAME},
    Rule.CATEGORY: {Rule.ATTACHED},
    Rule.KIND: {Rule.PROPERTY_SET},
}

# rule, a record that is put in front of the last reload
ONE_RECORD_MORE = [
    (Rule.FIXED, "modify\nreplace: attributeSyntax\nattributeSyntax: 2.5.5.4\n-\n"),
    (Rule.FIXED, "modify\nreplace: oMSyntax\noMSyntax: 20\n-\n"),
    (Rule.FIXED, "modify\nreplace: isSingleValued\nisSingleValued: TRUE\n-\n"),
    (Rule.FIXED, "modify\nreplace: linkID\nlinkID: 7778\n-\n"),
    (Rule.SYSTEM, "modify\nreplace: systemFlags\nsystemFlags: 16\n-\n"),
    (Rule.CONFIDENTIAL, "modify\nreplace: searchFlags\nsearchFlags: 128\n-\n"),
    (Rule.EXTENSION, "modify\nadd: rangeUpper\nrangeUpper: 20\n-\n"),
    (Rule.ONLY_ADDITIONS, "delete\n"),
    (Rule.ONLY_ADDITIONS, "modrdn\nnewrdn: CN=other\ndeleteoldrdn: 1\n"),
]


def found(text):
    return lint(text.encode(), ARC)


def record(name):
    return next(part for part in re.split(r"(?<=\n)\n", SHIPPED) if part.startswith(f"dn: CN={name},"))


def test_nothing_is_found_in_the_shipped_file():
    assert [str(finding) for finding in found(SHIPPED)] == []


@pytest.mark.parametrize(
    ("rule", "name", "old", "new"), IN_A_RECORD, ids=lambda part: part.name if isinstance(part, Rule) else ""
)
def test_a_rule_that_is_broken_in_a_record_is_found_there_and_nothing_else_but_what_follows(rule, name, old, new):
    whole = record(name)
    broken = whole.replace(old, new)
    assert broken != whole
    findings = found(SHIPPED.replace(whole, broken))
    assert {finding.rule for finding in findings} - CONSEQUENCES.get(rule, set()) == {rule}
    begin = SHIPPED[: SHIPPED.index(whole)].count("\n") + 1
    lines = [finding.line for finding in findings if finding.rule is rule]
    assert any(begin <= line < begin + broken.count("\n") for line in lines)


@pytest.mark.parametrize(("rule", "change"), ONE_RECORD_MORE, ids=lambda part: getattr(part, "name", ""))
@pytest.mark.parametrize("name", ["dirfactorToken", "Telephone-Number"], ids=["ours", "Microsoft's"])
def test_what_is_in_the_schema_is_not_changed(rule, change, name):
    begin = SHIPPED.rindex(RELOAD)
    dn = f"dn: CN={name},CN=Schema,CN=Configuration,DC=X\nchangetype: "
    findings = found(f"{SHIPPED[:begin]}{dn}{change}\n{SHIPPED[begin:]}")
    assert [finding.rule for finding in findings] == [rule]
    assert findings[0].line - SHIPPED[:begin].count("\n") in {1, 3}


@pytest.mark.parametrize(
    ("number", "missed"),
    [
        (0, {f"{ARC}.1.20 is not loaded yet", f"{ARC}.1.116 is not loaded yet"}),
        (1, {"dirfactorMemberOfNode is not loaded yet", "dirfactorPolicySubjects is not loaded yet"}),
        (2, {"dirfactorUser is not loaded yet", "dirfactorSubject is not loaded yet"}),
        (3, {"no reload follows the last change"}),
    ],
    ids=["back link after forward link", "class after attribute", "auxiliary class after class", "at the end"],
)
def test_a_reload_that_lacks_between_dependent_records_is_found(number, missed):
    parts = SHIPPED.split(RELOAD)
    assert len(parts) == 5
    without = RELOAD.join(parts[: number + 1]) + RELOAD.join(parts[number + 1 :])
    findings = found(without)
    assert {finding.rule for finding in findings} == {Rule.RELOAD}
    assert {finding.problem for finding in findings} == missed


def test_an_auxiliary_class_that_demands_something_is_not_attached():
    user = record("dirfactorUser")
    demanding = user.replace("mayContain: dirfactorToken\n", "mustContain: dirfactorToken\n")
    findings = found(SHIPPED.replace(user, demanding))
    assert {finding.rule for finding in findings} == {Rule.DEMAND}


def test_every_rule_is_broken_here_once():
    broken = {row[0] for row in (*IN_A_RECORD, *ONE_RECORD_MORE)} | {Rule.RELOAD}
    assert broken == set(Rule)


def test_a_finding_says_where_what_why_and_what_to_do():
    line = SHIPPED[: SHIPPED.index("oMSyntax: 64")].count("\n")
    (finding,) = found(SHIPPED.replace("oMSyntax: 64", "oMSyntax: 20", 1))
    assert str(finding) == (
        f"line {line}: there is no syntax attributeSyntax 2.5.5.12, oMSyntax 20, oMObjectClass (none) [3.1.1.2.2.2] "
        "(take attributeSyntax, oMSyntax and oMObjectClass from one row of the table)"
    )
