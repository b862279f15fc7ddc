"""Waivers: findings that are accepted for one resource, for a reason, until a day. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from selfheal_policies.rule import Finding
from selfheal_policies.values import entries, text

FIELDS = ("policy", "resource", "reason", "expires")


@dataclass(frozen=True)
class Waiver:
    """One accepted finding. All four are given, or it is refused."""

    policy: str
    resource: str
    """Name or URN; `stack` for a finding on the stack as a whole."""
    reason: str
    expires: date
    """The last day on which it holds (UTC)."""

    def covers(self, policy: str, urn: str) -> bool:
        """Return whether it accepts a finding of a policy on a resource."""
        return policy == self.policy and self.resource in (urn, urn.rsplit("::", 1)[-1] or "stack")


def read(config: Any, policies: Collection[str], today: date) -> tuple[list[Waiver], list[str]]:
    """Return the waivers that hold, and a sentence for each that is refused."""
    accepted: list[Waiver] = []
    refused: list[str] = []
    for number, entry in enumerate(entries(config), 1):
        given: Mapping[str, Any] = entry if isinstance(entry, dict) else {}
        problem = _problem(given, policies, today)
        if problem:
            refused.append(f"waiver {number} ({_described(given)}) is refused: {problem}")
        else:
            accepted.append(
                Waiver(
                    given["policy"], given["resource"], given["reason"], date.fromisoformat(given["expires"])
                )
            )
    return accepted, refused


def _problem(given: Mapping[str, Any], policies: Collection[str], today: date) -> str:
    empty = [name for name in FIELDS if not str(text(given.get(name)) or "").strip()]
    if empty:
        return f"it has no {', no '.join(empty)}. It must have {', '.join(FIELDS)}"
    unknown = sorted(set(given) - set(FIELDS))
    if unknown:
        return f"{', '.join(unknown)} is not known. It must have {', '.join(FIELDS)}, and nothing else"
    if given["policy"] not in policies:
        return "there is no such policy in this pack. See docs/policies.md for their names"
    try:
        expires = date.fromisoformat(given["expires"])
    except ValueError:
        return f"expires must be a day such as 2027-03-31, got {given['expires']!r}"
    if expires < today:
        return "it has expired. Do what the policy demands, or decide anew and give it a later day"
    return ""


def _described(given: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {given[name]}" for name in FIELDS if given.get(name)) or "empty"


def apply(
    policy: str, findings: Iterable[Finding], waivers: Iterable[Waiver]
) -> tuple[list[Finding], list[tuple[Finding, Waiver]]]:
    """Return the findings that stand, and those that are accepted, each with its waiver."""
    held = list(waivers)
    standing: list[Finding] = []
    accepted: list[tuple[Finding, Waiver]] = []
    for finding in findings:
        waiver = next((each for each in held if each.covers(policy, finding.urn)), None)
        if waiver:
            accepted.append((finding, waiver))
        else:
            standing.append(finding)
    return standing, accepted


def used(policy: str, finding: Finding, waiver: Waiver) -> str:
    """Return what is reported of the use of a waiver."""
    return (
        f"{policy} is waived on {waiver.resource} until {waiver.expires.isoformat()}: {waiver.reason}. "
        f"The finding: {finding.message}"
    )
