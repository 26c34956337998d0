"""The only reader of config.ini: everything wrong is found at once, with file and line, before anything starts."""

import os
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec
import phonenumbers

from auth import directory_keys
from auth.administrators import findings as administrator_findings
from auth.audit.export.target import EXPECTED, read_target
from auth.audit.settings import AuditSettings
from auth.channels.mail.sections import structure as mail_structure
from auth.channels.sms.sections import SmsSettings, reading
from auth.config_values import did_you_mean, expected, within
from auth.ini import IniFile, Problem
from auth.lines import Lines
from auth.receipts.settings import ReceiptSettings
from auth.receipts.settings import findings as receipt_findings
from auth.references import read_reference
from auth.settings import (
    MOST_WORKERS,
    VERSIONS,
    AdminSettings,
    ConfiguredNode,
    HttpSettings,
    RadiusSettings,
    RadsecSettings,
    ServiceSettings,
    Settings,
    VipSection,
)
from auth.shared.settings import SharedSettings
from auth.shared.settings import findings as shared_findings
from auth.spend.settings import SpendSettings
from auth.spend.settings import findings as spend_findings
from dirsync.mapping import MAPPABLE
from dirsync.settings import DirectorySettings, SyncSettings
from schema import dn, grammar
from schema.attributes import BY_NAME, CLASSES
from schema.entry import AccessNode, Policy
from schema.errors import Fault, Malformed
from schema.parse import Attributes, parse_node, parse_policy
from schema.secret import Secret
from schema.words import NodeType

_Section = TypeVar("_Section", bound=msgspec.Struct)
_SINGLE = ("service", "directory", "map", "sync", "radius", "radsec", "http", "audit", "vip", "spend", "state")
_NAMED = ("directory", "map", "sms", "receipts", "email", "policy", "node", "admin", "secret")
_EVERYONE = "everyone"
_LOG_LEVELS = ("debug", "info", "warning", "error")
_ONE_NODE = {
    "dirfactorAddress": "give each node addresses of its own",
    "dirfactorApiKeyHash": "draw a key for each node: dirfactor api-key",
}
_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")


class ConfigFault(Fault):
    """config.ini cannot be used; `problems` has everything that is wrong with it.

    `settings` has what could be understood all the same, to look for further problems in; None when nothing could.
    """

    def __init__(self, file: Path, problems: Iterable[Problem], settings: Settings | None = None) -> None:
        self.file = file
        self.settings = settings
        self.problems = tuple(sorted(problems, key=lambda item: (item.line, item.where)))
        lines = [f"{file}:{item.line}: {item.where}: {item.problem} ({item.remedy})" for item in self.problems]
        super().__init__("\n".join(lines), remedy="mend these, then run `dirfactor check config`")

    def __str__(self) -> str:
        return self.problem


def read_config(file: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """Read and check config.ini.

    Args:
        file: the file; paths in it are relative to its folder.
        environment: for `env:` references and systemd's `$CREDENTIALS_DIRECTORY`.

    Raises:
        ConfigFault: with every problem found.
    """
    reader = _Reader(file, environment)
    settings = reader.read()
    if reader.problems or settings is None:
        raise ConfigFault(file, reader.problems, settings)
    return settings


class _Reader:
    """Reads one file and gathers its problems."""

    def __init__(self, file: Path, environment: Mapping[str, str]) -> None:
        self.file = file
        self.environment = environment
        self._ini = IniFile(file)
        self.problems = self._ini.problems
        self._secrets: dict[str, Secret] = {}

    def read(self) -> Settings | None:
        """The settings, which are only good when no problem was found."""
        if not self._ini.sections and self.problems:
            return None
        self._check_section_names()
        read = self._section
        self._secrets = self._named("secret", lambda section, _: self._secret_section(section))
        settings = Settings(
            file=self.file,
            service=read(ServiceSettings, "service") or ServiceSettings(),
            directories=self._directories(),
            sync=read(SyncSettings, "sync") or SyncSettings(),
            radius=read(RadiusSettings, "radius") or RadiusSettings(),
            http=read(HttpSettings, "http") or HttpSettings(),
            audit=read(AuditSettings, "audit") or AuditSettings(),
            state=read(SharedSettings, "state") if "state" in self._ini.sections else None,
            radsec=read(RadsecSettings, "radsec") if "radsec" in self._ini.sections else None,
            vip=read(VipSection, "vip") if "vip" in self._ini.sections else None,
            spend=read(SpendSettings, "spend") or SpendSettings(),
            sms=self._named("sms", lambda section, _: self._sms(section)),
            receipts=self._named("receipts", lambda section, _: read(ReceiptSettings, section)),
            email=self._named("email", lambda section, _: read(mail_structure(self._ini.sections[section]), section)),
            policies=self._named("policy", self._policy),
            nodes=self._named("node", self._node),
            administrators=self._named("admin", lambda section, _: read(AdminSettings, section)),
            secrets=self._secrets,
        )
        self._check_service(settings.service)
        self._check_radsec(settings.radsec)
        self._check_audit(settings.audit)
        self._check_directories(settings.directories)
        for finding in shared_findings(settings.state) if settings.state else ():
            self._ini.report("state", *finding)
        for finding in spend_findings(settings.spend, settings.sms):
            self._ini.report("spend", *finding)
        for name, finding in receipt_findings(settings.receipts, settings.sms):
            self._ini.report(f"receipts:{name}", *finding)
        self._check_shared(settings.nodes)
        for name, finding in administrator_findings(settings.administrators, settings.nodes):
            self._ini.report(f"admin:{name}", *finding)
        self._check_references(settings)
        return settings

    def _check_section_names(self) -> None:
        for section in self._ini.sections:
            kind, colon, name = section.partition(":")
            if section in _SINGLE or (kind in _NAMED and colon and name and name == name.strip()):
                continue
            known = [*_SINGLE, *(f"{kind}:{name.strip() or 'NAME'}" for kind in _NAMED)]
            self._ini.report(section, "", "unknown section", did_you_mean(section, known))

    def _directories(self) -> dict[str, DirectorySettings]:
        """[directory] under the empty name, which also stands for a file without any, and [directory:NAME]."""
        found = self._named("directory", lambda section, _: self._section(DirectorySettings, section))
        if not found or "directory" in self._ini.sections:
            found = {"": self._section(DirectorySettings, "directory") or DirectorySettings(), **found}
        maps = self._named("map", lambda section, _: self._map(section))
        maps |= {"": self._map("map")} if "map" in self._ini.sections else {}
        for name in maps.keys() - found.keys():
            section, wanted = (f"map:{name}", f"directory:{name}") if name else ("map", "directory")
            self._ini.report(section, "", f"there is no [{wanted}]", did_you_mean(name, list(filter(None, found))))
        return {name: msgspec.structs.replace(each, mapping=maps.get(name, {})) for name, each in found.items()}

    def _map(self, section: str) -> dict[str, str]:
        """Ours -> the attribute that stands in for it; each may stand in for one."""
        mapping: dict[str, str] = {}
        holders: dict[str, str] = {}
        for key, text in self._ini.sections[section].items():
            if key not in MAPPABLE:
                problem, remedy = "unknown key", did_you_mean(key, list(MAPPABLE))
                if key.lower() in BY_NAME and BY_NAME[key.lower()].confidential:
                    problem, remedy = "holds a secret that everybody could read there", "extend the schema to use it"
                self._ini.report(section, key, problem, remedy)
                continue
            try:
                theirs = grammar.ATTRIBUTE_NAME.read(text.strip())
            except ValueError:
                self._ini.report(
                    section, key, f"{text.strip()!r} is malformed", f"give {grammar.ATTRIBUTE_NAME.expected}"
                )
                continue
            other = holders.setdefault(theirs.lower(), key)
            if other != key:
                self._ini.report(section, key, f"{theirs} stands in for {other} already", "name another attribute")
            mapping[key] = theirs
        return mapping

    def _named(self, kind: str, read: Callable[[str, str], Any]) -> dict[str, Any]:
        prefix = f"{kind}:"
        sections = [section for section in self._ini.sections if section.startswith(prefix)]
        values = {section.removeprefix(prefix): read(section, section.removeprefix(prefix)) for section in sections}
        return {name: value for name, value in values.items() if value is not None}

    def _sms(self, section: str) -> SmsSettings | None:
        found = reading(self._ini.sections[section])
        for finding in found.findings:
            self._ini.report(section, *finding)
        return self._section(found.structure, section, found.beneath) if found.structure else None

    def _section(
        self, structure: type[_Section], section: str, beneath: Mapping[str, str] = MappingProxyType({})
    ) -> _Section | None:
        """The section as its structure; None after a problem that leaves it without a value it needs.

        What stands beneath it counts where the section itself says nothing.
        """
        options = {**beneath, **self._ini.sections.get(section, {})}
        hints = {key: hint for key, hint in typing.get_type_hints(structure).items() if not _is_section(hint)}
        for key in options.keys() - hints.keys():
            self._ini.report(section, key, "unknown key", did_you_mean(key, list(hints)))
        values: dict[str, Any] = {}
        for key in hints.keys() & options.keys():
            try:
                values[key] = within(key, self._convert(hints[key], options[key].strip()))
            except ValueError as error:
                self._ini.report(section, key, f"{error}", f"give {expected(hints[key])}")
        required = {item.name for item in msgspec.structs.fields(structure) if item.required}
        for key in required - options.keys():
            self._ini.report(section, key, "is missing", f"add `{key} = ...`: {expected(hints[key])}")
        return structure(**values) if required <= values.keys() else None

    def _convert(self, hint: Any, text: str) -> Any:
        """The text as a value of the type. Raises ValueError."""
        if isinstance(hint, types.UnionType):
            hint = next(item for item in hint.__args__ if item is not type(None))
        if not text:
            msg = "has no value"
            raise ValueError(msg)
        if hint is Lines:
            return Lines(tuple(line.strip() for line in text.splitlines() if line.strip()))
        if typing.get_origin(hint) is tuple:
            return tuple(part.strip() for part in re.split(r"[,\n]", text) if part.strip())
        if hint is bool:
            return grammar.BOOLEAN.read(text)
        if hint is Path:
            return self._path(text)
        if hint is Secret:
            return self._referred(text)
        if isinstance(hint, type) and issubclass(hint, StrEnum):
            return grammar.word(hint).read(text)
        try:
            return hint(text)
        except ValueError as error:
            msg = "is not a number"
            raise ValueError(msg) from error

    def _path(self, text: str) -> Path:
        return (self.file.parent / text).resolve()

    def _referred(self, reference: str) -> Secret:
        return read_reference(reference, self.file.parent, self.environment)

    def _secret_section(self, section: str) -> Secret | None:
        class SecretSection(msgspec.Struct, frozen=True):
            value: Secret

        read = self._section(SecretSection, section)
        return read.value if read else None

    def _attributes(self, section: str, object_class: str, others: Iterable[str]) -> Attributes:
        """The directory attributes in a section, one value a line where several are allowed.

        Those that hold secrets, and the back links that a directory keeps itself, have no place here.
        """
        all_of_class = next(item for item in CLASSES if item.name == object_class).may
        may = {item.name: item for item in all_of_class if not item.confidential and item.forward_link is None}
        found: dict[str, tuple[bytes, ...]] = {}
        for key, text in self._ini.sections[section].items():
            if key in may:
                values = (text.strip(),) if may[key].single else tuple(filter(None, map(str.strip, text.splitlines())))
                found[key.lower()] = tuple(value.encode() for value in values)
            elif key not in others:
                self._ini.report(section, key, "unknown key", did_you_mean(key, [*may, *others]))
        return found

    def _malformed(self, section: str, findings: Iterable[Malformed]) -> None:
        for finding in findings:
            self._ini.report(section, finding.attribute, f"{finding.value!r} is malformed", f"give {finding.expected}")

    def _policy(self, section: str, name: str) -> Policy:
        policy = parse_policy(name, self._attributes(section, "dirfactorSecurityPolicy", ()))
        self._malformed(section, policy.malformed)
        return policy

    def _node(self, section: str, name: str) -> ConfiguredNode:
        attributes = self._attributes(section, "dirfactorAccessNode", ("secret",))
        node = parse_node(name, attributes)
        self._malformed(section, node.malformed)
        if node.api_key_hash is not None and not _SHA256.fullmatch(node.api_key_hash):
            remedy = "give the SHA-256 of the key as 64 hexadecimal digits"
            self._ini.report(
                section, "dirfactorApiKeyHash", "is no SHA-256; the key itself does not stand here", remedy
            )
        if node.node_type is NodeType.PROXY and node.proxy_target is None and not node.malformed:
            remedy = "give address and port of the other RADIUS server, such as 192.0.2.9:1812"
            self._ini.report(section, "dirfactorProxyTarget", "is missing, so that nothing can be forwarded", remedy)
        policy = attributes.get("dirfactorpolicy", (b"",))[0].decode() or None
        return ConfiguredNode(node, self._shared_secret(section, node), policy, self._members(section, attributes))

    def _shared_secret(self, section: str, node: AccessNode) -> Secret | None:
        text, name = self._ini.sections[section].get("secret"), node.shared_secret_name
        remedy = f"add secret = ...: {expected(Secret)}"
        try:
            if text is not None:
                return self._referred(text.strip())
        except ValueError as error:
            self._ini.report(section, "secret", f"{error}", f"give {expected(Secret)}")
            return None
        by_certificate = node.node_type is NodeType.RADIUS and node.certificate_name is not None
        if name is None and node.node_type is not NodeType.HTTP and not by_certificate:
            self._ini.report(section, "secret", "is missing, so that no RADIUS client can be answered", remedy)
        elif name is not None and f"secret:{name}" not in self._ini.sections:
            remedy = did_you_mean(name, list(self._secrets))
            self._ini.report(section, "dirfactorSharedSecretName", f"there is no [secret:{name}]", remedy)
        return self._secrets.get(name or "")

    def _members(self, section: str, attributes: Attributes) -> tuple[str, ...] | None:
        """The DNs; None for everyone."""
        remedy = "name DNs, one a line, or `everyone`"
        members = tuple(value.decode() for value in attributes.get("dirfactormember", ()))
        if not members:
            self._ini.report(section, "dirfactorMember", "nobody may use this node", remedy)
        if len(members) == 1 and members[0].lower() == _EVERYONE:
            return None
        for member in members:
            try:
                dn.split(member)
            except ValueError:
                self._ini.report(section, "dirfactorMember", f"{member!r} is no DN", remedy)
        return members

    def _check_radsec(self, radsec: RadsecSettings | None) -> None:
        if radsec is not None and not (radsec.versions and set(radsec.versions) <= VERSIONS):
            self._ini.report("radsec", "versions", "has one that is not known", "give 1.0, or 1.1, or 1.0, 1.1")

    def _check_service(self, service: ServiceSettings) -> None:
        if not 1 <= service.workers <= MOST_WORKERS:
            remedy = f"give a number from 1 to {MOST_WORKERS}; more than there are cores are of no use"
            self._ini.report("service", "workers", "is out of range", remedy)
        if service.log_level not in _LOG_LEVELS:
            self._ini.report("service", "log_level", "is not known", "give one of " + ", ".join(_LOG_LEVELS))
        if service.region is not None and service.region not in phonenumbers.SUPPORTED_REGIONS:
            self._ini.report("service", "region", "is not known", "give a country's ISO 3166 code, such as AT")

    def _check_audit(self, audit: AuditSettings) -> None:
        try:
            read_target(audit.syslog or "udp://nobody")
        except ValueError as error:
            self._ini.report("audit", "syslog", f"{error}", f"give {EXPECTED}")

    def _check_directories(self, directories: Mapping[str, DirectorySettings]) -> None:
        found = [(name, finding) for name, each in directories.items() for finding in directory_keys.findings(each)]
        for name, finding in (*found, *directory_keys.keytabs(directories)):
            self._ini.report(f"directory:{name}" if name else "directory", *finding)

    def _check_shared(self, nodes: Mapping[str, ConfiguredNode]) -> None:
        """What belongs to one node only, and stands at two."""
        first: dict[object, str] = {}
        for name, configured in nodes.items():
            node = configured.node
            if not node.node_enabled or node.malformed:
                continue
            claims: set[tuple[str, object]] = {("dirfactorAddress", ip_network(text)) for text in node.address}
            claims |= {("dirfactorApiKeyHash", node.api_key_hash.lower())} if node.api_key_hash else set()
            for key, claim in sorted(claims, key=str):
                other = first.setdefault(claim, name)
                if other != name:
                    for one, two in ((other, name), (name, other)):
                        shown = f"{claim} is" if key == "dirfactorAddress" else "is"
                        self._ini.report(f"node:{one}", key, f"{shown} that of [node:{two}] as well", _ONE_NODE[key])

    def _check_references(self, settings: Settings) -> None:
        """Names that lead to other sections."""
        for name, node in settings.nodes.items():
            is_name = node.policy and "=" not in node.policy
            if is_name and node.policy not in settings.policies:
                remedy = did_you_mean(node.policy or "", list(settings.policies))
                self._ini.report(f"node:{name}", "dirfactorPolicy", f"there is no [policy:{node.policy}]", remedy)
        for name, policy in settings.policies.items():
            for key, wanted, known in (
                ("dirfactorSmsGateways", policy.sms_gateways, settings.sms),
                ("dirfactorEmailGateways", policy.email_gateways, settings.email),
            ):
                for gateway in wanted:
                    if gateway not in known:
                        remedy = did_you_mean(gateway, list(known))
                        self._ini.report(f"policy:{name}", key, f"there is no gateway {gateway}", remedy)


def _is_section(hint: Any) -> bool:
    """Whether the value is read from a section of its own, and is no key of this one."""
    return typing.get_origin(hint) is Mapping
