"""Waivers: findings that are accepted for one resource, for a reason, until a day. Pure."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from selfheal_policies.rule import Finding
from selfheal_policies.values import entries, text

FIELDS = ("policy", "resource", "reason", "expires")

LONGEST = timedelta(days=366)
"""A year: then somebody has to look again."""

LEAST_WORDS = 3
"""Words that a reason has at least, unless it names where the decision is written."""

_RECORDED = re.compile(r"[A-Z][A-Z0-9]+-\d+|#\d+|https?://\S+")
"""A ticket or a page."""

_WORD = re.compile(r"[^\W_][\w'-]*")

_WORDS_OF_NO_REASON = """
a accept accepted an and as asap at be because by care day disable disabled don't eventually
exception false fine fix fixed fixing fixme for hack i ignore ignored in is issue it its just know
known later month na need needed needs next no none not nothing now of ok okay on or our override
please positive problem quarter quick reason required skip skipped so someday soon sprint suppress
tbd temp temporarily temporary test testing that the this tmp to todo until us waive waived waiver
we week whatever will wip with wontfix workaround works xxx yes
"""
_EMPTY = frozenset(_WORDS_OF_NO_REASON.split())
"""Words that say nothing of why."""


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
            refused.append(f"waiver {number} ({described(given, FIELDS)}) is refused: {problem}")
        else:
            accepted.append(
                Waiver(
                    given["policy"], given["resource"], given["reason"], date.fromisoformat(given["expires"])
                )
            )
    return accepted, refused


def _problem(given: Mapping[str, Any], policies: Collection[str], today: date) -> str:
    if problem := form_problem(given, FIELDS):
        return problem
    if given["policy"] not in policies:
        return "there is no such policy in this pack. See docs/policies.md for their names"
    try:
        expires = date.fromisoformat(given["expires"])
    except ValueError:
        return f"expires must be a day such as 2027-03-31, got {given['expires']!r}"
    if expires < today:
        return "it has expired. Do what the policy demands, or decide anew and give it a later day"
    if expires - today > LONGEST:
        return (
            f"expires must be within a year, at the latest {(today + LONGEST).isoformat()}, got "
            f"{given['expires']}. Decide anew then"
        )
    return reason_problem(given["reason"])


def form_problem(given: Mapping[str, Any], fields: Sequence[str]) -> str:
    """Return which fields are missing, or which others there are, as a sentence; empty if neither."""
    empty = [name for name in fields if not str(text(given.get(name)) or "").strip()]
    if empty:
        return f"it has no {', no '.join(empty)}. It must have {', '.join(fields)}"
    unknown = sorted(set(given) - set(fields))
    if unknown:
        return f"{', '.join(unknown)} is not known. It must have {', '.join(fields)}, and nothing else"
    return ""


def reason_problem(reason: str) -> str:
    """Return why a text is no reason, as a sentence for people; empty if it may be one.

    Whether a reason is a good one only people can judge. One that could stand beside any finding is none.
    """
    words = [word.lower() for word in _WORD.findall(reason)]
    telling = {word for word in words if word not in _EMPTY and len(set(word)) > 1}
    if _RECORDED.search(reason) or (len(words) >= LEAST_WORDS and len(telling) > 1):
        return ""
    return (
        f"its reason, {reason.strip()!r}, does not say why this is no danger. Say it in some words, or "
        "name the ticket in which it is written: 'deploys previews, OPS-123'"
    )


def described(given: Mapping[str, Any], fields: Sequence[str]) -> str:
    """Return what is given of these fields, for people."""
    return ", ".join(f"{name} {given[name]}" for name in fields if given.get(name)) or "empty"


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
