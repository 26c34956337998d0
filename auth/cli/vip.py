"""`dirfactor vip`: whether certificate, password and URL work together, and what VIP says of a credential."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from auth.cli.default_config import DEFAULT_CONFIG
from auth.cli.faults import Exit, UsageFault, faults
from auth.cli.output import CONFIG_OPTION, JSON_OPTION, out, print_json
from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.config import read_config
from auth.outbound import vip_client
from auth.settings import Settings
from auth.vip.client import VipClient
from auth.vip.credential import is_code, typed
from auth.vip.enrolment import CredentialRefused, Enrolled, Proof, enrol
from auth.vip.examination import ServiceFinding, examined
from auth.vip.identities import CertificateState
from auth.vip.watch import days
from schema.errors import Fault
from schema.secret import Secret
from schema.words import TokenKind

vip_app = typer.Typer(help="Try Symantec VIP.", no_args_is_help=True)


@vip_app.command("test")
def vip_test_command(
    config: CONFIG_OPTION = DEFAULT_CONFIG,
    *,
    credential: Annotated[
        list[str] | None, typer.Option("--credential", help="Ask about this credential as well; may be repeated.")
    ] = None,
    json: JSON_OPTION = False,
) -> None:
    """Ask VIP for its time at each URL, and about credentials; no code is used up and nothing is changed.

    Exit status: 0 all is well; 1 VIP refuses us or a credential; 2 config.ini is wrong; 3 VIP could not be asked.
    """
    with faults():
        settings = read_config(Path(config))
        asked = [_typed(text) for text in credential or ()]
        status = asyncio.run(_test(settings, asked, json=json))
    raise typer.Exit(status)


def proof_given(kind: TokenKind, credentials: list[str], code: str, code2: str, *, activate: bool) -> Proof:
    """What the options of `token assign` have to show that a credential is in the right hands. Raises UsageFault."""
    given = [name for name, there in (("--code", code), ("--code2", code2), ("--activate", activate)) if there]
    if given and (kind is not TokenKind.VIP or len(credentials) != 1):
        raise UsageFault(f"{given[0]} is about one VIP credential", remedy="name exactly one, or leave it out")
    if code2 and not code:
        raise UsageFault("--code2 follows a first code", remedy="give --code as well")
    proof = Proof(Secret(code) if code else None, Secret(code2) if code2 else None, activate=activate)
    if not all(is_code(each) for each in (proof.code, proof.code2) if each is not None):
        raise UsageFault("a VIP code has 6 to 10 letters and digits", remedy="type the code as VIP Access shows it")
    return proof


def asked_of_vip(
    settings: Settings | None, credentials: Sequence[str], proof: Proof, *, dry_run: bool
) -> Sequence[Enrolled]:
    """What VIP says of credentials that are to be assigned, each in use as far as there is proof.

    Nothing when there are none, and when there is no VIP to ask.

    Raises:
        UsageFault: one of them must not be assigned.
        Fault: VIP could not be asked.
    """
    if settings is None or settings.vip is None or not credentials:
        if proof.code or proof.activate:
            raise UsageFault(
                "VIP is not asked, so that no code can be checked", remedy="name a config.ini with a [vip] section"
            )
        return ()

    async def ask() -> list[Enrolled]:
        async with _client(settings) as client:
            return [await enrol(client, each, proof, dry_run=dry_run) for each in credentials]

    try:
        return asyncio.run(ask())
    except CredentialRefused as fault:
        raise UsageFault(fault.problem, remedy=fault.remedy) from None


def _client(settings: Settings) -> VipClient:
    if settings.vip is None:
        raise UsageFault("config.ini has no [vip] section", remedy="add one, see docs/vip.md")
    return vip_client(settings.vip, SYSTEM_CLOCK, SYSTEM_ENTROPY)


def _typed(text: str) -> str:
    try:
        return typed(text)
    except Fault as fault:
        raise UsageFault(fault.problem, remedy=fault.remedy) from None


async def _test(settings: Settings, credentials: Sequence[str], *, json: bool) -> Exit:
    async with _client(settings) as client:
        services = [await examined(client, url, SYSTEM_CLOCK) for url in client.urls]
        certificates = client.certificates()
        reached = any(service.works for service in services)
        found = [await _asked(client, each) for each in credentials] if reached else []
    now = SYSTEM_CLOCK.now()
    if json:
        print_json(_data(settings, certificates, services, found, now))
    else:
        out.print("\n".join(_text(certificates, services, found, now)), markup=False)
    if not all(service.reached for service in services):
        return Exit.FAILED
    well = all(service.works for service in services) and all(each.works for each in found)
    return Exit.DONE if well else Exit.FOUND


async def _asked(client: VipClient, credential: str) -> Enrolled:
    try:
        return await enrol(client, credential, Proof(), dry_run=True)
    except CredentialRefused as fault:
        return Enrolled.refused(credential, f"{fault.problem}: {fault.remedy}")


def _text(
    certificates: Sequence[CertificateState],
    services: Sequence[ServiceFinding],
    found: Sequence[Enrolled],
    now: datetime,
) -> list[str]:
    lines = []
    for state in certificates:
        said = state.problem or f"{state.path}: good for {days(state, now)} days, until {state.expires:%Y-%m-%d}"
        lines.append(f"certificate  {said}{', shown to VIP' if state.shown else ''}")
    for service in services:
        lines.append(f"service      {service.url}: {service.told}")
        lines += [f"             {service.remedy}"] if service.remedy else []
    return [*lines, *(f"credential   {each.told}" for each in found)]


def _data(
    settings: Settings,
    certificates: Sequence[CertificateState],
    services: Sequence[ServiceFinding],
    found: Sequence[Enrolled],
    now: datetime,
) -> dict[str, Any]:
    return {
        "dialect": settings.vip.dialect if settings.vip else "",
        "certificates": [
            {
                "file": str(state.path),
                "expires": state.expires,
                "days": days(state, now),
                "shown": state.shown,
                "problem": state.problem,
            }
            for state in certificates
        ],
        "services": services,
        "credentials": [
            {"credential": each.credential, "status": each.status, "works": each.works, "told": each.told}
            for each in found
        ],
    }
