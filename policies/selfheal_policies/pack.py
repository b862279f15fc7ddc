"""Rules as policies of the SDK: levels, configuration, waivers, one graph per call, and no crash."""

from collections.abc import Callable, Mapping, Sequence
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
from selfheal_policies.recognition import used
from selfheal_policies.recognition_policy import Recognizes, recognized
from selfheal_policies.resources import from_resource, from_stack
from selfheal_policies.rule import AnyRule, Config, Finding, ResourceRule, Rule, StackRule
from selfheal_policies.settings import ConfigurationError, configured
from selfheal_policies.stacks import sandboxes
from selfheal_policies.waiver_policies import WaiverReport, Waivers, note_use, sdk_properties, waived


def policies(rules: Sequence[AnyRule] | None = None, today: Callable[[], date] | None = None) -> list[Policy]:
    """Return the policies of a pack: first what its owner says, then the rules, last what reports its use.

    Args:
        rules: Default: every rule of this pack.
        today: The day by which waivers expire. Default: today, UTC.

    """
    found = all_rules.load() if rules is None else list(rules)
    clock = today or (lambda: datetime.now(UTC).date())
    names = [rule.name for rule in found]
    return PolicyList([Waivers(names, clock), Recognizes(clock), *map(policy, found), WaiverReport()])


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

        def check(config: Config) -> dict[Finding, str]:
            resource = once("resource", lambda: from_resource(args, _sandboxes()))
            return dict.fromkeys(rule.check(resource, config), "")

        _judge(rule, args.get_config(), check, report, args.urn)

    return validate


def _on_stack(rule: StackRule) -> Callable[[StackValidationArgs, ReportViolation], None]:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        def check(config: Config) -> dict[Finding, str]:
            graph = once("graph", lambda: _graph(args))
            return {finding: graph.why_about(finding) for finding in rule.check(graph, config)}

        _judge(rule, args.get_config(), check, report, "")

    return validate


def _sandboxes() -> frozenset[str]:
    """Return the names of the stacks that are sandboxes by their own configuration or by the pack's."""
    return sandboxes() | recognized().sandbox_stacks


def _graph(args: StackValidationArgs) -> Graph:
    graph = Graph(from_stack(args, _sandboxes()), recognized())
    for actor, voucher in graph.vouched:
        note_use(used(voucher, lambda actor=actor: graph.deed(actor)), actor.urn)
    return graph


def _judge(
    rule: Rule,
    given: Mapping[str, Any] | None,
    check: Callable[[Config], Mapping[Finding, str]],
    report: ReportViolation,
    urn: str,
) -> None:
    """Report what a rule finds. An error inside a rule is a finding too: it fails closed.

    `check` returns each finding with why that counts as a healer which it is about.
    """
    try:
        config = configured(rule, given)
        findings = check(config)
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
        report(message(rule, finding, findings[finding]), finding.urn or None)


def message(rule: Rule, finding: Finding, healer: str = "") -> str:
    """Return what people read under the rule's description: what is wrong, the danger, what to change.

    Args:
        rule: The rule.
        finding: What it found.
        healer: By which path and action that counts as a healer which the finding is about.

    """
    text = f"{finding.message[:1].upper()}{finding.message[1:]}"
    about = f"\nHealer: {healer}." if healer else ""
    return f"{text}.{about}\nWhy: {rule.why}\nFix: {rule.fix} See {rule.url}"
