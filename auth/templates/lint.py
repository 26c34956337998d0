"""All templates of a policy."""

from collections.abc import Iterator
from dataclasses import dataclass

from auth.templates.finding import Finding, Weight
from auth.templates.sms import Measured, measured, sms_findings
from schema.entry import Policy
from schema.placeholders import unknown_in

_MESSAGES = ("dirfactorSmsTemplate", "dirfactorEmailTemplate", "dirfactorEmailHtmlTemplate")
_PROMPT = ("destination",)


@dataclass(frozen=True, slots=True)
class Linted:
    """What can be said of a policy's words.

    Attributes:
        name: the policy's DN or section.
        sms: how its text travels; None where it sends none.
        findings: what is wrong.
    """

    name: str
    sms: Measured | None
    findings: tuple[Finding, ...]

    @property
    def wrong(self) -> int:
        """How many findings are more than hints."""
        return sum(finding.weight is not Weight.HINT for finding in self.findings)


def lint(name: str, policy: Policy) -> Linted:
    """Look at all words of a policy; at those of a message only where the policy has it sent."""
    found = [*_unreadable(policy), *_prompt(policy)]
    if policy.sms_enabled:
        found += sms_findings(policy)
    if policy.email_enabled:
        found += _mail(policy)
    return Linted(name, measured(policy) if policy.sms_enabled else None, tuple(found))


def _unreadable(policy: Policy) -> Iterator[Finding]:
    """Templates that the schema refuses: whoever is governed by the policy is refused, and nobody gets the message."""
    for item in policy.malformed:
        if item.attribute in _MESSAGES:
            yield Finding(
                item.attribute,
                Weight.ERROR,
                f"cannot be used: {item.value}",
                f"write {item.expected}",
            )


def _prompt(policy: Policy) -> Iterator[Finding]:
    for word in unknown_in(policy.prompt or "", _PROMPT):
        yield Finding(
            "dirfactorPrompt", Weight.ERROR, f"has the unknown {{{word}}} in it", "known is {destination}, the address"
        )


def _mail(policy: Policy) -> Iterator[Finding]:
    if "{" in policy.email_subject:
        yield Finding(
            "dirfactorEmailSubject",
            Weight.ERROR,
            "has a brace in it, and nothing is filled in there",
            "leave codes out of the subject, which is shown on locked screens",
        )
