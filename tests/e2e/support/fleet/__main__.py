"""Small services that fail as they are asked to, and healers that differ in what they may do."""

from collections.abc import Sequence
from pathlib import Path

import pulumi
import pulumi_aws as aws

from selfheal.components.arns import Arns
from selfheal.components.function import package
from selfheal.components.healing.healer import Healer
from selfheal.components.healing.limits import GuardArgs
from selfheal.components.healing.refuse_while_open import refuse_while_open
from selfheal.components.healing.remedies import RemedyArgs
from selfheal.components.healing.targets import TargetArgs
from selfheal.components.iam import allow, function_role, on_items
from selfheal.functions.shared.contract import Mode, RemedyKind, override_key

OFF: RemedyArgs = {"kind": RemedyKind.OVERRIDE, "variable": "FEATURE", "value": "off"}
"""Helps against weak poison."""
USELESS: RemedyArgs = {"kind": RemedyKind.OVERRIDE, "variable": "CACHE", "value": "off"}
"""Nothing reads it."""
OFF_FOR_NOW: RemedyArgs = {**OFF, "revert_safe": True}
USELESS_FOR_NOW: RemedyArgs = {**USELESS, "revert_safe": True}
VARIABLE: RemedyArgs = {"kind": RemedyKind.ENVIRONMENT, "variable": "FEATURE", "value": "off"}

HEALERS: dict[str, tuple[Mode, GuardArgs, dict[str, list[RemedyArgs]]]] = {
    # Several fail at once here, for causes of their own: without this, the blast radius would make them wait.
    "steady": (
        Mode.ACT,
        {"blast_radius": 1.0, "flapping_limit": 1},
        {
            "ladder": [OFF_FOR_NOW, USELESS_FOR_NOW],
            "brief": [OFF],
            "well": [OFF],
            "stuck": [OFF],
            "flapping": [OFF],
        },
    ),
    "stopped": (Mode.ACT, {}, {"halted": [OFF, USELESS]}),
    "asking": (Mode.SUGGEST, {}, {"asked": [OFF]}),
    "late": (Mode.ACT, {}, {"slow": [VARIABLE]}),
    "skewed": (Mode.ACT, {}, {"timed": [OFF]}),
}


def ledger(healer: str) -> str:
    """Return the name of a healer's ledger."""
    return f"fleet-{healer}"


def service(name: str, table: str, remedies: Sequence[RemedyArgs]) -> aws.lambda_.Function:
    """Register a service, which reads overrides if it has a remedy of that kind."""
    overridden = any(remedy["kind"] is RemedyKind.OVERRIDE for remedy in remedies)
    reads = allow(["dynamodb:GetItem"], [ARNS.table(table)], on_items(override_key(name, "")))
    role, policy = function_role(name, [reads], FLEET)
    code = {path: asset for path, asset in package("fragile").assets.items() if "/fragile/" not in path}
    return aws.lambda_.Function(
        name,
        runtime="python3.13",
        handler="handler.handle",
        code=pulumi.AssetArchive({"handler.py": pulumi.FileAsset(Path("service/handler.py")), **code}),
        role=role.arn,
        environment={
            "variables": {
                "FEATURE": "on",
                **({"OVERRIDES_TABLE": table, "OVERRIDES_TARGET": name} if overridden else {}),
            }
        },
        opts=pulumi.ResourceOptions(parent=FLEET, depends_on=[policy]),
    )


for healer in HEALERS:
    refuse_while_open(ledger(healer), restore_baseline=False)

FLEET = pulumi.ComponentResource("fleet:index:Fleet", "fleet")
ARNS = Arns(FLEET)
for healer, (mode, guards, remedies_of) in HEALERS.items():
    targets: list[TargetArgs] = []
    for target, remedies in remedies_of.items():
        function = service(target, ledger(healer), remedies)
        targets.append(
            {
                "name": target,
                "function_name": function.name,
                "instrumented": True,
                "timeout_seconds": 3,
                # A call a second: of these 34 without an error show health, in place of 138.
                "natural_error_rate": 0.02,
                "remedies": remedies,
            }
        )
        pulumi.export(f"function-{target}", function.name)
        pulumi.export(f"ledger-{target}", ledger(healer))
    made = Healer(
        healer,
        {
            "ledger_name": ledger(healer),
            "mode": mode,
            "targets": targets,
            "guards": guards,
            "budget": 24,
            "protect_ledger": False,
        },
    )
    pulumi.export(f"healer-{healer}", made.function_name)
    pulumi.export(f"people-{healer}", made.escalation_topic_arn)
