"""Display specifiers: every name in every language, brought in and taken away again without a trace."""

from pathlib import Path

import pytest

from schema.active_directory import Add, Extend
from schema.attributes import ATTRIBUTES, CLASSES
from schema.display_names import LANGUAGES, NAMES
from schema.display_specifiers import MENU_COMMAND, MENU_NUMBER, records, render, render_removal

RECORDS = records()
LDIF = Path(__file__).parents[2] / "ldif"
# What each change of an object changes, whatever it is.
BOOKKEEPING = {"whenChanged", "uSNChanged"}


def test_every_attribute_and_structural_class_has_a_name_in_every_language():
    assert set(NAMES) == {item.name for item in (*ATTRIBUTES, *(item for item in CLASSES if item.structural))}
    assert {len(row) for row in NAMES.values()} == {len(LANGUAGES)}


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.locale)
def test_names_can_be_told_apart_and_have_no_comma(language):
    """The comma ends the attribute's name (MS-ADSC, attributeDisplayNames)."""
    for item in CLASSES:
        names = [NAMES[attribute.name][language.column] for attribute in item.may]
        assert len(set(names)) == len(names)
    assert not [row for row in NAMES.values() if "," in row[language.column] or not row[language.column].strip()]


def test_every_attribute_is_shown_where_it_can_stand():
    for language in LANGUAGES:
        shown = {
            (record.dn.split("-")[0], value.partition(",")[0])
            for record in RECORDS
            if f"CN={language.locale}," in record.dn
            for name, values in (
                [(record.attribute, record.values)] if isinstance(record, Extend) else record.attributes
            )
            if name == "attributeDisplayNames"
            for value in values
        }
        user, subject, policy, node = ({attribute.name for attribute in item.may} for item in CLASSES)
        assert shown == {
            *(("CN=user", name) for name in user | subject),
            *(("CN=inetOrgPerson", name) for name in user | subject),
            *((f"CN={where}", name) for where in ("group", "organizationalUnit", "domainDNS") for name in subject),
            *(("CN=dirfactorSecurityPolicy", name) for name in policy),
            *(("CN=dirfactorAccessNode", name) for name in node),
        }


def test_the_script_is_found_by_a_plain_replacement_in_both_files():
    menus = [record for record in RECORDS if isinstance(record, Extend) and record.attribute == "adminContextMenu"]
    assert len(menus) == 2 * len(LANGUAGES)
    for text in (render(RECORDS), render_removal(RECORDS)):
        body = text.split("\n\n", 1)[1]
        assert body.count(f"adminContextMenu: {MENU_NUMBER},") == body.count(f",{MENU_COMMAND}\n") == len(menus)


def test_nothing_is_replaced_and_what_is_deleted_was_added():
    bodies = [text.split("\n\n", 1)[1] for text in (render(RECORDS), render_removal(RECORDS))]
    assert not any("replace:" in body for body in bodies)
    added, deleted = (body.split("\n\n") for body in bodies)
    undone = [
        part.replace("\nadd: ", "\ndelete: ").strip()
        if "changetype: modify" in part
        else f"{part.splitlines()[0]}\nchangetype: delete"
        for part in reversed(added)
    ]
    assert [part.strip() for part in deleted] == undone


def specifiers(dc):
    """Everything below CN=DisplaySpecifiers, octet for octet."""
    base = f"CN=DisplaySpecifiers,CN=Configuration,{dc.base_dn}"
    return {
        entry.dn: {name: sorted(values) for name, values in entry.attributes.items() if name not in BOOKKEEPING}
        for entry in dc.ldapsearch(base)
    }


def imported(dc, name):
    dc.ldapmodify((LDIF / name).read_text().replace("DC=X", dc.base_dn))


@pytest.mark.servers
def test_they_are_imported_shown_and_removed_and_everything_is_as_before(fresh_dc):
    before = specifiers(fresh_dc)
    imported(fresh_dc, "active-directory-display.ldif")
    during = specifiers(fresh_dc)
    for language, menu, policy in (
        ("409", "Second &factor", "Security policy"),
        ("407", "Zweiter &Faktor", "Sicherheitsrichtlinie"),
    ):
        container = f"CN={language},CN=DisplaySpecifiers,CN=Configuration,{fresh_dc.base_dn}"
        user, was = during[f"CN=user-Display,{container}"], before[f"CN=user-Display,{container}"]
        assert (
            f"dirfactorPhone,{NAMES['dirfactorPhone'][0 if language == '409' else 1]}".encode()
            in user["attributeDisplayNames"]
        )
        assert set(was["attributeDisplayNames"]) < set(user["attributeDisplayNames"])
        assert set(user["adminContextMenu"]) - set(was["adminContextMenu"]) == {f"6410,{menu},{MENU_COMMAND}".encode()}
        ours = during[f"CN=dirfactorSecurityPolicy-Display,{container}"]
        assert ours["classDisplayName"] == [policy.encode()]
    assert len(during) == len(before) + sum(isinstance(record, Add) for record in RECORDS)

    imported(fresh_dc, "active-directory-display-remove.ldif")
    assert specifiers(fresh_dc) == before


@pytest.mark.servers
def test_what_another_product_adds_meanwhile_stays(fresh_dc):
    imported(fresh_dc, "active-directory-display.ldif")
    dn = f"CN=user-Display,CN=409,CN=DisplaySpecifiers,CN=Configuration,{fresh_dc.base_dn}"
    fresh_dc.ldapmodify(
        f"dn: {dn}\nchangetype: modify\nadd: adminContextMenu\nadminContextMenu: {MENU_NUMBER},&Other,other.cmd\n"
    )
    imported(fresh_dc, "active-directory-display-remove.ldif")
    menu = specifiers(fresh_dc)[dn]["adminContextMenu"]
    assert f"{MENU_NUMBER},&Other,other.cmd".encode() in menu
    assert not any(MENU_COMMAND.encode() in value for value in menu)
