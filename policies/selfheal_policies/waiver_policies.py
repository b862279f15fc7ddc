"""The two policies about waivers: the one that reads them, and the one that reports their use.

Each policy is given only its own configuration. The first policy of every call therefore reads the waivers
for all of them, and the last one reports which were used.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import date
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    ReportViolation,
    ResourceValidationPolicy,
    Severity,
    StackValidationPolicy,
)

from selfheal_policies import types, waivers
from selfheal_policies.engine_call import once
from selfheal_policies.rule import Finding, Rule


class WaiverRule(Rule):
    """What one of these policies says about itself."""

    kind = "resource and stack"


WAIVERS = WaiverRule(
    name="selfheal-waivers",
    level="mandatory",
    severity="high",
    what="Every waiver names a policy, a resource, a reason that says why, and a day within a year.",
    why="A waiver that nobody answers for, or that nobody looks at again, is a rule switched off.",
    fix="Correct or remove the waiver in the pack's configuration.",
    schema={
        "waivers": {
            "type": "array",
            "items": {"type": "object"},
            "default": [],
            "description": (
                "Findings that are accepted, each with `policy` (a name), `resource` (name or URN; `stack` "
                "for the stack as a whole), `reason` (why it is no danger, in three words or more), and "
                "`expires` (the last day, such as 2027-03-31, UTC, within a year)."
            ),
        }
    },
)
USED = WaiverRule(
    name="selfheal-waivers-used",
    level="advisory",
    severity="low",
    what="Each use of a waiver is reported.",
    why="A waiver outlives its reason unless somebody is reminded of it.",
    fix="None is needed. Remove the waiver as soon as the finding is mended.",
)


def sdk_properties(rule: Rule) -> dict[str, Any]:
    """Return what the SDK's policy of a rule is made from, but for its validation."""
    properties = {key: dict(schema) for key, schema in rule.schema.items()}
    return {
        "name": rule.name,
        "description": rule.what,
        # Given for each policy, since the SDK's own default is advisory.
        "enforcement_level": EnforcementLevel(rule.level),
        "config_schema": PolicyConfigSchema(properties) if properties else None,
        "severity": Severity(rule.severity),
        "remediation_steps": rule.fix,
        "url": rule.url,
    }


class OnEverything(  # pyright: ignore[reportIncompatibleMethodOverride] - `validate` takes either's arguments
    ResourceValidationPolicy, StackValidationPolicy
):
    """A policy that is asked about every resource and about the stack, under one name and configuration."""

    def __init__(self, **properties: Any) -> None:
        # Not the constructors of the two: each would hand its own arguments, by position, to the other.
        Policy.__init__(self, **properties)

    def has_validation(self) -> bool:
        """Say yes: the SDK would look at what its own constructor sets."""
        return True

    def has_remediation(self) -> bool:
        """Say no."""
        return False

    def remediate(self, args: Any) -> None:
        """Change nothing."""


class Waivers(OnEverything):
    """Reads the waivers of a call, and refuses those without a reason or after their day."""

    def __init__(self, policies: Collection[str], today: Callable[[], date]) -> None:
        super().__init__(**sdk_properties(WAIVERS))
        self._policies = policies
        self._today = today

    def validate(self, args: Any, report_violation: ReportViolation) -> None:
        """Read them for this call. What is refused is reported once: on the root of the stack."""
        given = (args.get_config() or {}).get("waivers")
        held, refused = waivers.read(given, self._policies, self._today())
        _held().extend(held)
        if getattr(args, "resource_type", "") == types.STACK:
            for text in refused:
                report_violation(f"{text[:1].upper()}{text[1:]}.\nWhy: {WAIVERS.why}", None)


class WaiverReport(OnEverything):
    """Reports each use of a waiver."""

    def __init__(self) -> None:
        super().__init__(**sdk_properties(USED))

    def validate(self, args: Any, report_violation: ReportViolation) -> None:  # noqa: ARG002 - the SDK's signature
        """Report those of this call."""
        for text, urn in _used():
            report_violation(text, urn or None)


def waived(policy: str, findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings of a policy that no waiver of this call accepts; note those that one does."""
    standing, accepted = waivers.apply(policy, findings, _held())
    _used().extend((waivers.used(policy, finding, waiver), finding.urn) for finding, waiver in accepted)
    return standing


def note_use(text: str, urn: str) -> None:
    """Have a use reported of what the configuration accepts."""
    _used().append((text, urn))


def _held() -> list[waivers.Waiver]:
    return once("waivers", list[waivers.Waiver])


def _used() -> list[tuple[str, str]]:
    return once("waivers used", list[tuple[str, str]])
