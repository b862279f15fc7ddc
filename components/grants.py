"""What a healer's role may do to its ledger and its targets: IAM statements, all known at preview."""

from collections.abc import Sequence

from pulumi import Input, Output

from selfheal.components.arns import Arns
from selfheal.components.iam import Condition, Statement, allow, on_items
from selfheal.components.targets import TargetArgs
from selfheal.functions.shared.contract import FLEET_KEY, MODE_KEY, REMEDIES, Mode, incident_key, override_key


def ledger_grants(table_arn: Output[str]) -> list[Statement]:
    """Return what the healer needs of its ledger: to read all of it, and to write its own items only.

    Mode, approvals and commands are left out of the writes: they are what people restrain it with.
    TransactWriteItems is no action of its own: it needs those of what it does.
    """
    return [
        allow(["dynamodb:GetItem"], [table_arn]),
        allow(["dynamodb:ConditionCheckItem"], [table_arn], on_items(MODE_KEY)),
        # Every target, not one by one: an incident outlives the target's place in the configuration.
        allow(["dynamodb:PutItem"], [table_arn], on_items(incident_key("*"))),
        allow(["dynamodb:UpdateItem"], [table_arn], on_items(FLEET_KEY)),
    ]


def remedy_grants(
    targets: Sequence[TargetArgs], mode: Mode, table_arn: Output[str], arns: Arns
) -> list[Statement]:
    """Return what the remedies and probes need: reads always, writes and probes unless it only observes.

    In mode suggest it is the approval of a person that executes, through the same role.

    Args:
        targets: The targets, with their remedies.
        mode: The baseline.
        table_arn: The ledger's.
        arns: Of this account.

    """
    by_name = {target["name"]: target for target in targets}
    # Which action on what is needed for which targets; actions with the same answer share a statement.
    needed: dict[tuple[str, str], dict[str, None]] = {}
    for target in targets:
        for action, on in _calls(target, mode):
            needed.setdefault((on, action), {})[target["name"]] = None
    merged: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (on, action), names in needed.items():
        merged.setdefault((on, tuple(names)), []).append(action)
    return [
        allow(actions, *_scope(on, [by_name[name] for name in names], table_arn, arns))
        for (on, names), actions in merged.items()
    ]


def _calls(target: TargetArgs, mode: Mode) -> list[tuple[str, str]]:
    """Return the actions that a target's remedies and probe take, each with what it is on."""
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


def _scope(
    on: str, targets: Sequence[TargetArgs], table_arn: Output[str], arns: Arns
) -> tuple[list[Input[str]], Condition | None]:
    """Return the resources that stand for `on` with these targets, and the condition that narrows them."""
    functions: list[Input[str]] = [arns.function(target["function_name"]) for target in targets]
    match on:
        case "function":
            return functions, None
        case "traffic":
            return [_traffic(target, arns) for target in targets], None
        case "mapping":
            # A mapping's UUID is unknown at preview and says nothing of its function. The condition does, and
            # is narrower than any list: these functions' mappings, whichever they are.
            return [arns.mapping("*")], {
                "ArnEquals": {"lambda:FunctionArn": [*functions, *_aliased(targets, arns)]}
            }
        case "override":
            return [table_arn], on_items(*(override_key(target["name"], "") for target in targets))
        case _:
            raise ValueError(f"remedies.json names {on!r}, of which the component knows no ARN")


def _traffic(target: TargetArgs, arns: Arns) -> Output[str]:
    """Return the ARN that callers of a target invoke, and a probe too."""
    aliased = _aliased([target], arns)
    return aliased[0] if aliased else arns.function(target["function_name"])


def _aliased(targets: Sequence[TargetArgs], arns: Arns) -> list[Output[str]]:
    """Return the ARNs of the targets' aliases: a mapping on an alias has that one for its function."""
    return [
        arns.function(Output.concat(target["function_name"], ":", target["alias"]))
        for target in targets
        if "alias" in target
    ]
