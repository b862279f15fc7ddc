"""The program: a service that fails, and the healer that looks after it.

Settings, components, exports. `pulumi config` decides the rest; see Pulumi.yaml.
"""

import pulumi

from selfheal.components import (
    FragileService,
    FragileServiceArgs,
    Healer,
    RemedyArgs,
    RemedyKind,
    TargetArgs,
    refuse_while_open,
)
from selfheal.components.fragile_service import rate_text
from settings import Settings

TARGET = "fragile"
VARIABLE = "FAILURE_RATE"
"""Of the service's environment, and the key of its override."""

settings = Settings.load()

# Before any resource: an `up` that is refused must have changed nothing.
refuse_while_open(settings.ledger_name, settings.restore_baseline, settings.mode)

service_args: FragileServiceArgs = {
    "failure_rate": settings.failure_rate,
    "fault_mode": settings.fault_mode,
    "traffic": settings.traffic,
    "log_retention_days": settings.log_retention_days,
}
if RemedyKind.OVERRIDE in settings.remedies:
    service_args["overrides"] = {"table": settings.ledger_name, "target": TARGET}
service = FragileService(TARGET, service_args)


def remedy(kind: RemedyKind) -> RemedyArgs:
    """Return what makes the service well by one kind: it stops failing, or goes one version back."""
    if kind is RemedyKind.ROLLBACK_ALIAS:
        return {"kind": kind}
    baseline = rate_text(settings.failure_rate)
    return {"kind": kind, "variable": VARIABLE, "value": "0", "baseline": baseline}


target: TargetArgs = {
    "name": TARGET,
    "function_name": service.function_name,
    "instrumented": True,
    "natural_error_rate": settings.natural_error_rate,
    "false_alarms_per_year": settings.false_alarms_per_year,
    "remedies": [remedy(kind) for kind in settings.remedies],
}
if service.alias_name is not None:
    target["alias"] = service.alias_name

healer = Healer(
    "healer",
    {
        "targets": [target],
        "ledger_name": settings.ledger_name,
        "mode": settings.mode,
        "budget": settings.budget,
        "escalation_emails": list(settings.escalation_emails),
        "reserve_concurrency": settings.reserve_concurrency,
        "protect_ledger": settings.protect_ledger,
        "log_retention_days": settings.log_retention_days,
    },
)

pulumi.export("url", service.url)
pulumi.export("functionName", service.function_name)
pulumi.export("healerName", healer.function_name)
pulumi.export("ledgerTable", healer.ledger_table)
pulumi.export("healerTopicArn", healer.topic_arn)
pulumi.export("escalationTopicArn", healer.escalation_topic_arn)
pulumi.export("approverPolicyArn", healer.approver_policy_arn)
pulumi.export("operatorPolicyArn", healer.operator_policy_arn)
pulumi.export("alarmNames", healer.alarm_names)
pulumi.export("failureRate", settings.failure_rate)
pulumi.export("mode", settings.mode.value)
