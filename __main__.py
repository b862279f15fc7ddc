"""The program: a service, and the healer that looks after it.

Settings, components, exports. `pulumi config` decides the rest; see Pulumi.yaml.
"""

import pulumi

from selfheal.components import (
    FragileService,
    FragileServiceArgs,
    Healer,
    OnCall,
    RemedyArgs,
    RemedyKind,
    TargetArgs,
    refuse_while_open,
)
from selfheal.components.services.fragile_service import rate_text
from settings import Service, Settings

TARGET = "fragile"
VARIABLE = "FAILURE_RATE"
"""Of the fragile service's environment, and the key of its override."""

settings = Settings.load()

# Before any resource: an `up` that is refused must have changed nothing.
refuse_while_open(settings.ledger_name, settings.restore_baseline, settings.mode)


def fragile() -> tuple[list[TargetArgs], dict[str, object]]:
    """Register the fragile service, and return what is to be healed, and its exports."""
    args: FragileServiceArgs = {
        "failure_rate": settings.failure_rate,
        "fault_mode": settings.fault_mode,
        "traffic": settings.traffic,
        **settings.everywhere,
    }
    if RemedyKind.OVERRIDE in settings.remedies:
        args["overrides"] = {"table": settings.ledger_name, "target": TARGET}
    service = FragileService(TARGET, args)
    target: TargetArgs = {
        **settings.detection,
        **service.target,
        "remedies": [remedy(kind) for kind in settings.remedies],
    }
    exports = {"url": service.url, "functionName": service.function_name}
    return [target], {**exports, "failureRate": settings.failure_rate}


def remedy(kind: RemedyKind) -> RemedyArgs:
    """Return what makes the fragile service well by one kind: it stops failing, or goes one version back."""
    if kind is RemedyKind.ROLLBACK_ALIAS:
        return {"kind": kind}
    baseline = rate_text(settings.failure_rate)
    return {"kind": kind, "variable": VARIABLE, "value": "0", "baseline": baseline}


def orders() -> tuple[list[TargetArgs], dict[str, object]]:
    """Register the orders service, and return what is to be healed, and its exports."""
    from selfheal.components.services.orders import Orders, OrdersArgs  # noqa: PLC0415  (0.3 s, only if needed)

    on_call = OnCall("on-call", {"emails": settings.escalation_emails, **settings.security})
    args: OrdersArgs = {"people": on_call.topic_arn, "ledger": settings.ledger_name, **settings.orders.args}
    service = Orders("orders", {**args, **settings.everywhere})
    return [{**settings.detection, **target} for target in service.targets], service.exports


targets, exports = orders() if settings.service is Service.ORDERS else fragile()

healer = Healer(
    "healer",
    {
        "targets": targets,
        "ledger_name": settings.ledger_name,
        "mode": settings.mode,
        "budget": settings.budget,
        "guards": {"remind_seconds": settings.remind_seconds},
        "escalation_emails": list(settings.escalation_emails),
        "reserve_concurrency": settings.reserve_concurrency,
        "protect_ledger": settings.protect_ledger,
        **settings.everywhere,
    },
)

exports |= {
    "healerName": healer.function_name,
    "ledgerTable": healer.ledger_table,
    "healerTopicArn": healer.topic_arn,
    "escalationTopicArn": healer.escalation_topic_arn,
    "approverPolicyArn": healer.approver_policy_arn,
    "operatorPolicyArn": healer.operator_policy_arn,
    "alarmNames": healer.alarm_names,
    "mode": settings.mode.value,
    "sandbox": settings.sandbox,
}
for key, value in exports.items():
    pulumi.export(key, value)
