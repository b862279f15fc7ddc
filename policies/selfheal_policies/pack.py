"""Rules as policies of the SDK: levels, configuration, waivers, one graph per call, and no crash."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from pulumi_policy import (
    Policy,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

from selfheal_policies import rules as all_rules
from selfheal_policies.engine_call import PolicyList, once
from selfheal_policies.graph import Graph
from selfheal_policies.resources import from_resource, from_stack
from selfheal_policies.rule import AnyRule, Finding, ResourceRule, Rule, StackRule
from selfheal_policies.settings import ConfigurationError, configured
from selfheal_policies.stacks import sandboxes
from selfheal_policies.waiver_policies import WaiverReport, Waivers, sdk_properties, waived


def policies(rules: Sequence[AnyRule] | None = None, today: Callable[[], date] | None = None) -> list[Policy]:
    """Return the policies of a pack: first the waivers, then the rules, last what reports their use.

    Args:
        rules: Default: every rule of this pack.
        today: The day by which waivers expire. Default: today, UTC.

    """
    found = all_rules.load() if rules is None else list(rules)
    clock = today or (lambda: datetime.now(UTC).date())
    names = [rule.name for rule in found]
    return PolicyList([Waivers(names, clock), *map(policy, found), WaiverReport()])


def policy(rule: AnyRule) -> Policy:
    """Return the SDK's policy of one rule."""
    if isinstance(rule, ResourceRule):
        return ResourceValidationPolicy(validate=_on_resource(rule), **sdk_properties(rule))
    return StackValidationPolicy(validate=_on_stack(rule), **sdk_properties(rule))


def _on_resource(rule: ResourceRule) -> Callable[[ResourceValidationArgs, ReportViolation], None]:
    types = frozenset(rule.types)

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        if args.resource_type not in types:
            return
        _judge(
            rule,
            args.get_config(),
            lambda config: rule.check(once("resource", lambda: from_resource(args, sandboxes())), config),
            report,
            args.urn,
        )

    return validate


def _on_stack(rule: StackRule) -> Callable[[StackValidationArgs, ReportViolation], None]:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        _judge(
            rule,
            args.get_config(),
            lambda config: rule.check(once("graph", lambda: Graph(from_stack(args, sandboxes()))), config),
            report,
            "",
        )

    return validate


def _judge(
    rule: Rule,
    given: Mapping[str, Any] | None,
    check: Callable[[Mapping[str, Any]], Iterable[Finding]],
    report: ReportViolation,
    urn: str,
) -> None:
    """Report what a rule finds. An error inside a rule is a finding too: it fails closed."""
    try:
        config = configured(rule, given)
        findings = list(dict.fromkeys(check(config)))
    except ConfigurationError as error:
        report(f"{error}. Correct the configuration of policy {rule.name}.", urn or None)
        return
    # An exception would end the deployment with a traceback, or disable the policy.
    except Exception as error:  # noqa: BLE001
        report(
            f"rule {rule.name} could not judge this ({type(error).__name__}: {error}). Nothing is known to "
            "be wrong, and nothing is known to be safe: report it with this text, and waive it until then.",
            urn or None,
        )
        return
    for finding in waived(rule.name, findings):
        report(message(rule, finding), finding.urn or None)


def message(rule: Rule, finding: Finding) -> str:
    """Return what people read under the rule's description: what is wrong, the danger, what to change."""
    text = f"{finding.message[:1].upper()}{finding.message[1:]}"
    return f"{text}.\nWhy: {rule.why}\nFix: {rule.fix} See {rule.url}"
