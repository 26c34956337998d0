# ruff: noqa: INP001 - bench is a folder of programs, no package
"""A company of any size as LDIF; the same size gives the same octets."""

import base64
import hashlib
import uuid
from collections.abc import Iterable, Iterator

BASE = "dc=demo,dc=example"
_NAMESPACE = uuid.UUID("a1c3f1de-52f3-4f0e-9a7c-3c1b1f0a6f55")
_DEPARTMENT = 50  # people in each

TOP = f"""\
version: 1

dn: {BASE}
objectClass: dcObject
objectClass: organization
dc: demo
o: Demo

dn: ou=people,{BASE}
objectClass: organizationalUnit
ou: people

dn: ou=policies,{BASE}
objectClass: organizationalUnit
ou: policies
"""
_REST = f"""\
dn: ou=groups,{BASE}
objectClass: organizationalUnit
ou: groups

dn: cn=staff,ou=policies,{BASE}
objectClass: dirfactorSecurityPolicy
cn: staff
dirfactorFirstMethod: password
dirfactorSecondMethod: token
dirfactorTokenOrder: vip
dirfactorVipEnabled: TRUE
"""


def login_name(number: int) -> str:
    """The login name of a person, counted from 0."""
    return f"user{number:06}"


def password(number: int) -> str:
    """Their password."""
    return f"kettle-{number:06}-Lantern"


def credential(number: int) -> str:
    """Their VIP credential."""
    return f"VSST{number:08}"


def ldif(people: int) -> str:
    """The directory: everybody has a password and a VIP credential, and belongs to a department of fifty.

    The departments are members of cn=vpn-users, which carries the policy: first the password, then VIP. People have the
    attributes of an ordinary inetOrgPerson, the ids that slapcat would write, and a salted SHA-512 of their password.
    """
    return "\n".join((TOP, *content(people)))


def content(people: int) -> Iterator[str]:
    """The records of `ldif` without what any directory has: its top, ou=people and ou=policies."""
    departments = range(-(-people // _DEPARTMENT))
    yield _REST
    for number in range(people):
        yield _person(number)
    for number in departments:
        yield _department(number, people)
    yield _vpn_users(len(departments))


def _person(number: int) -> str:
    name = login_name(number)
    return f"""\
dn: uid={name},ou=people,{BASE}
objectClass: inetOrgPerson
objectClass: dirfactorUser
entryUUID: {uuid.uuid5(_NAMESPACE, name)}
uid: {name}
cn: Person {number}
sn: {number}
givenName: Person
displayName: Person {number}
title: Clerk
employeeNumber: {number}
mail: {name}@demo.example
telephoneNumber: +1 202 555 {100 + number % 100:04}
mobile: +1 202 555 {100 + number % 100:04}
userPassword: {_stored(number)}
dirfactorToken: vip
dirfactorVipCredential: {credential(number)}
"""


def _stored(number: int) -> str:
    salt = hashlib.sha256(login_name(number).encode()).digest()[:8]
    digest = hashlib.sha512(password(number).encode() + salt).digest()
    return "{SSHA512}" + base64.b64encode(digest + salt).decode()


def _department(number: int, people: int) -> str:
    first = number * _DEPARTMENT
    members = range(first, min(first + _DEPARTMENT, people))
    dns = (f"uid={login_name(member)},ou=people,{BASE}" for member in members)
    return group(f"department{number:04}", "groupOfNames", dns)


def _vpn_users(departments: int) -> str:
    dns = (f"cn=department{number:04},ou=groups,{BASE}" for number in range(departments))
    made = group("vpn-users", "groupOfNames\nobjectClass: dirfactorSubject", dns)
    return f"{made}dirfactorPolicy: cn=staff,ou=policies,{BASE}\n"


def group(name: str, object_class: str, members: Iterable[str]) -> str:
    """The record of a group below ou=groups."""
    lines = "".join(f"member: {dn}\n" for dn in members)
    return f"dn: cn={name},ou=groups,{BASE}\nobjectClass: {object_class}\ncn: {name}\n{lines}"


def content_of_ad(people: int, base: str) -> Iterator[str]:
    """The same company for Active Directory, where the people have no password: OU=people, OU=groups, OU=policies."""
    for name in ("people", "groups", "policies"):
        yield f"dn: OU={name},{base}\nobjectClass: organizationalUnit\nou: {name}\n"
    yield _REST.rpartition("\n\n")[2].replace(f"ou=policies,{BASE}", f"OU=policies,{base}")
    for number in range(people):
        yield _person_of_ad(number, base)
    departments = range(-(-people // _DEPARTMENT))
    for number in departments:
        first = number * _DEPARTMENT
        members = range(first, min(first + _DEPARTMENT, people))
        yield _group_of_ad(
            f"department{number:04}", base, [f"CN={login_name(member)},OU=people,{base}" for member in members]
        )
    yield (
        _group_of_ad("vpn-users", base, [f"CN=department{number:04},OU=groups,{base}" for number in departments])
        + f"dirfactorPolicy: CN=staff,OU=policies,{base}\n"
    )


def _person_of_ad(number: int, base: str) -> str:
    name = login_name(number)
    return f"""\
dn: CN={name},OU=people,{base}
objectClass: user
sAMAccountName: {name}
userPrincipalName: {name}@demo.example
userAccountControl: 512
sn: {number}
givenName: Person
displayName: Person {number}
title: Clerk
employeeNumber: {number}
mail: {name}@demo.example
telephoneNumber: +1 202 555 {100 + number % 100:04}
mobile: +1 202 555 {100 + number % 100:04}
dirfactorToken: vip
dirfactorVipCredential: {credential(number)}
"""


def _group_of_ad(name: str, base: str, members: Iterable[str]) -> str:
    lines = "".join(f"member: {dn}\n" for dn in members)
    return f"dn: CN={name},OU=groups,{base}\nobjectClass: group\nsAMAccountName: {name}\n{lines}"
