"""The program: a service that fails, and the healer that looks after it.

Settings, components, exports. `pulumi config` decides the rest; see Pulumi.yaml.
"""

import pulumi

from components.fragile_service import FragileService, Traffic
from components.healer import Healer
from components.ledger import refuse_while_open
from components.remedies import RemedyKind, TargetArgs
from settings import Settings

settings = Settings.load()

# Before any resource: an `up` that is refused must have changed nothing.
ledger_name = f"{pulumi.get_project()}-{pulumi.get_stack()}-ledger"
refuse_while_open(ledger_name, settings.restore_baseline)

service = FragileService(
    "fragile",
    {
        "failure_rate": settings.failure_rate,
        "fault_mode": settings.fault_mode,
        "traffic": settings.traffic,
        "log_retention_days": settings.log_retention_days,
    },
)

target: TargetArgs = {
    "name": "fragile",
    "function_name": service.function_name,
    "instrumented": True,
    "natural_error_rate": settings.natural_error_rate,
    "false_alarms_per_year": settings.false_alarms_per_year,
    "remedies": [{"kind": RemedyKind.ENVIRONMENT, "variable": "FAILURE_RATE", "value": "0"}],
}
if settings.traffic is Traffic.ALIAS and service.alias_name is not None:
    # A published version's environment is frozen: incidents are recorded and told, not healed.
    target["alias"] = service.alias_name
    target["remedies"] = []
    pulumi.log.warn("traffic is `alias`: the healer watches and tells people, and changes nothing")

healer = Healer(
    "healer",
    {
        "targets": [target],
        "ledger_name": ledger_name,
        "mode": settings.mode,
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
pulumi.export("alarmNames", healer.alarm_names)
pulumi.export("failureRate", settings.failure_rate)
pulumi.export("mode", settings.mode.value)
