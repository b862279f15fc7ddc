"""IAM statements for a healer's role on its ledger and its targets, all known at preview."""

from collections.abc import Sequence

from pulumi import Input, Output

from selfheal.components.arns import Arns
from selfheal.components.healing.targets import TargetArgs
from selfheal.components.iam import Condition, Statement, allow, on_items
from selfheal.components.security import change_environment, check_key
from selfheal.functions.shared.contract import (
    FLEET_KEY,
    MODE_KEY,
    REMEDIES,
    Mode,
    RemedyKind,
    breaker_key,
    incident_key,
    override_key,
)


def ledger_grants(table_arn: Output[str]) -> list[Statement]:
    """Return the healer's permissions on its ledger: it may read all items, and write only its own.

    It may not write mode, approvals and commands, with which people control it. TransactWriteItems has no IAM
    action of its own; it requires the actions of the operations it contains.
    """
    return [
        allow(["dynamodb:GetItem", "dynamodb:BatchGetItem"], [table_arn]),
        allow(["dynamodb:ConditionCheckItem"], [table_arn], on_items(MODE_KEY)),
        # All targets and not only the configured ones: the incident of a removed target must be closed.
        allow(["dynamodb:PutItem"], [table_arn], on_items(incident_key("*"))),
        allow(["dynamodb:UpdateItem"], [table_arn], on_items(FLEET_KEY)),
    ]


def remedy_grants(
    targets: Sequence[TargetArgs], mode: Mode, table_arn: Output[str], arns: Arns
) -> list[Statement]:
    """Return the permissions of remedies and probes. In mode observe there are only those to read.

    Mode suggest includes writes, because the same role carries out approved plans.

    Args:
        targets: The targets, with their remedies.
        mode: The mode in stack configuration.
        table_arn: ARN of the ledger.
        arns: Builds ARNs.

    """
    by_name = {target["name"]: target for target in targets}
    # The targets by action and kind of resource. Actions with the same targets share a statement.
    needed: dict[tuple[str, str], dict[str, None]] = {}
    for target in targets:
        for action, on in _calls(target, mode):
            needed.setdefault((on, action), {})[target["name"]] = None
    merged: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (on, action), names in needed.items():
        merged.setdefault((on, tuple(names)), []).append(action)
    return [
        statement
        for (on, names), actions in merged.items()
        for statement in _statements(on, actions, [by_name[name] for name in names], table_arn, arns)
    ]


def environment_key_grants(targets: Sequence[TargetArgs], mode: Mode, arns: Arns) -> list[Statement]:
    """Return the permissions on the keys that encrypt targets' environments, for those whose remedy sets one.

    Args:
        targets: The targets, with their remedies.
        mode: The mode in stack configuration. With observe there is only the permission to read.
        arns: Builds ARNs.

    """
    return [
        change_environment(
            check_key(f"target {target['name']!r}: environment_key_arn", target["environment_key_arn"]),
            arns.function(target["function_name"]),
            arns,
            write=mode is not Mode.OBSERVE,
        )
        for target in targets
        if "environment_key_arn" in target
        and any(remedy["kind"] == RemedyKind.ENVIRONMENT for remedy in target["remedies"])
    ]


def _calls(target: TargetArgs, mode: Mode) -> list[tuple[str, str]]:
    """Return the actions for a target's remedies and probe, each with its kind of resource."""
    writes = mode is not Mode.OBSERVE
    found = [
        (action, call["on"])
        for remedy in target["remedies"]
        for calls in [REMEDIES[remedy["kind"]]]
        for call in calls["reads"] + (calls["writes"] if writes else [])
        for action in call["actions"]
    ]
    if writes and "probe" in target:
        found.append(("lambda:InvokeFunction", "traffic"))
    return found


def _statements(
    on: str, actions: Sequence[str], targets: Sequence[TargetArgs], table_arn: Output[str], arns: Arns
) -> list[Statement]:
    """Return the statements that allow actions on a kind of resource of these targets."""
    if on == "circuit":
        return _on_circuits(actions, targets, arns)
    return [allow(actions, *_scope(on, targets, table_arn, arns))]


def _on_circuits(actions: Sequence[str], targets: Sequence[TargetArgs], arns: Arns) -> list[Statement]:
    """Return one statement for each circuit: together they would allow each item in each of the tables."""
    forced: list[tuple[str, Input[str]]] = []
    for remedy in (each for target in targets for each in target["remedies"]):
        circuit = remedy.get("circuit", ""), remedy.get("circuit_table", "")
        if remedy["kind"] == RemedyKind.FORCE_BREAKER and circuit not in forced:
            forced.append(circuit)
    return [allow(actions, [arns.table(table)], on_items(breaker_key(name))) for name, table in forced]


def _scope(
    on: str, targets: Sequence[TargetArgs], table_arn: Output[str], arns: Arns
) -> tuple[list[Input[str]], Condition | None]:
    """Return the resources of a kind for these targets, and the condition that narrows them."""
    functions: list[Input[str]] = [arns.function(target["function_name"]) for target in targets]
    match on:
        case "function":
            return functions, None
        case "versions":
            # Published versions have numbers that AWS gives. Whether their ARNs or that of the function count
            # for a call with a qualifier is documented for Invoke only, so both are granted.
            return [Output.concat(function, ":*") for function in functions], None
        case "traffic":
            return [_traffic(target, arns) for target in targets], None
        case "mapping":
            # A mapping's UUID may be unknown at preview, and does not identify the function. The condition
            # restricts this to the mappings of these functions.
            return [arns.mapping("*")], {
                "ArnEquals": {"lambda:FunctionArn": [*functions, *_aliased(targets, arns)]}
            }
        case "override":
            return [table_arn], on_items(*(override_key(target["name"], "") for target in targets))
        case _:
            raise ValueError(f"remedies.json names {on!r}, of which the component knows no ARN")


def _traffic(target: TargetArgs, arns: Arns) -> Output[str]:
    """Return the ARN that callers and probes of a target invoke."""
    aliased = _aliased([target], arns)
    return aliased[0] if aliased else arns.function(target["function_name"])


def _aliased(targets: Sequence[TargetArgs], arns: Arns) -> list[Output[str]]:
    """Return the ARNs of the targets' aliases. A mapping on an alias has that ARN as its function."""
    return [
        arns.function(Output.concat(target["function_name"], ":", target["alias"]))
        for target in targets
        if "alias" in target
    ]
