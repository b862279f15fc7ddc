"""Checks of what `up` deployed: ledger, healer, people, alarms, budget and the targets' timeouts."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from selfheal.cli.doctor.check import Check, State
from selfheal.cli.doctor.stack import Deployed
from selfheal.cli.operator.aws_access import ClientSource
from selfheal.functions.healer.clock import parse_iso
from selfheal.functions.healer.incident import BUDGET_WINDOW
from selfheal.functions.healer.items import UnreadableItemError
from selfheal.functions.healer.ledger import Ledger

DEPLOY = "Deploy the stack: `pulumi up`."
REFRESH = "`pulumi refresh`, then `pulumi up`, puts back what somebody changed."
AT_A_TIME = 100
"""Names that DescribeAlarms takes (CloudWatch API reference)."""


def check_ledger(clients: ClientSource, table: str) -> Iterator[Check]:
    """Look at the table."""
    client = clients.get("dynamodb")
    described = client.describe_table(TableName=table)["Table"]
    status = str(described["TableStatus"])
    do = "" if status == "ACTIVE" else "Wait until it is ACTIVE; without it no remedy is applied."
    yield Check("ledger.table", "ledger", State.FAIL if do else State.OK, f"{table} is {status}", do)
    protected = bool(described.get("DeletionProtectionEnabled"))
    yield Check(
        "ledger.protected",
        "ledger's protection",
        State.OK if protected else State.WARN,
        "DynamoDB refuses to delete it" if protected else "anybody who may delete tables can delete it",
        "" if protected else "Set protectLedger to true, unless the stack is one to throw away.",
    )
    backups = client.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    recovery = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
    on = recovery == "ENABLED"
    yield Check(
        "ledger.recovery",
        "ledger's backups",
        State.OK if on else State.WARN,
        f"point-in-time recovery is {recovery or 'not known'}",
        "" if on else REFRESH,
    )


def check_healer(deployed: Deployed) -> Iterator[Check]:
    """Look at what `up` wrote into the ledger, and at the function that it names."""
    what = "deployment item"
    if not deployed.item:
        yield Check(
            "ledger.deployment", what, State.FAIL, "the ledger has none: no healer is deployed", DEPLOY
        )
    else:
        said = (
            f"mode {deployed.item.get('mode', {}).get('S')}, targets {', '.join(deployed.alarms) or 'none'}"
        )
        yield Check("ledger.deployment", what, State.OK, said)
    what = "healer's function"
    if not deployed.healer:
        yield Check(
            "healer.function", what, State.FAIL, deployed.problem, "Deploy, or name it with --healer."
        )
        return
    if deployed.problem:
        gone = "ResourceNotFound" in deployed.problem
        do = DEPLOY if gone else "Allow yourself lambda:GetFunctionConfiguration on it."
        yield Check(
            "healer.function",
            what,
            State.FAIL if gone else State.UNKNOWN,
            f"{deployed.healer}: {deployed.problem}",
            do,
        )
        return
    state, update = deployed.function.get("State", "Active"), deployed.function.get("LastUpdateStatus")
    found = f"{deployed.healer} is {state}, its last update {update or 'Successful'}"
    runs = state in ("Active", "Inactive") and update in (None, "Successful", "InProgress")
    why = deployed.function.get("StateReason") or deployed.function.get("LastUpdateStatusReason") or ""
    do = "" if runs else f"Mend what AWS names, then deploy: {why or 'no reason given'}"
    yield Check("healer.function", what, State.OK if runs else State.FAIL, found, do)


def check_schedule(clients: ClientSource, deployed: Deployed) -> Iterator[Check]:
    """Look at whether a rule wakes the healer each minute, also when no alarm does."""
    name, what, client = "healer.schedule", "healer's schedule", clients.get("events")
    rules = client.list_rule_names_by_target(TargetArn=deployed.function["FunctionArn"])["RuleNames"]
    states = {rule: str(client.describe_rule(Name=rule)["State"]) for rule in rules}
    if "ENABLED" in states.values():
        yield Check(name, what, State.OK, ", ".join(states))
        return
    found = ", ".join(f"{rule} is {state}" for rule, state in states.items()) or "no rule invokes it"
    do = f"{REFRESH} Until then only alarms wake it, and nothing is verified or reverted between them."
    yield Check(name, what, State.FAIL, found, do)


def check_people(clients: ClientSource, deployed: Deployed) -> Iterator[Check]:
    """Look at who would be told."""
    name, what, topic = (
        "people.subscriptions",
        "who is told",
        deployed.environment.get("ESCALATION_TOPIC_ARN"),
    )
    if not topic:
        yield Check(name, what, State.UNKNOWN, "the healer's topic is not known", "See healer.function.")
        return
    pages = clients.get("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    found = [each for page in pages for each in page["Subscriptions"]]
    pending = [
        each for each in found if each["SubscriptionArn"] in ("PendingConfirmation", "pending confirmation")
    ]
    confirmed = len(found) - len(pending)
    if not found:
        do = f"Name escalationEmails and deploy, or subscribe what your people use to {topic}."
        yield Check(name, what, State.WARN, "nobody: the topic has no subscription", do)
    elif pending:
        ends = ", ".join(f"{each['Protocol']} {each['Endpoint']}" for each in pending)
        do = "Whoever owns it has to confirm, within 3 days of the message; then subscribe it again."
        yield Check(name, what, State.WARN, f"{confirmed} confirmed; pending: {ends}", do)
    else:
        yield Check(name, what, State.OK, f"{confirmed} confirmed subscriptions")


def describe(clients: ClientSource, names: list[str]) -> dict[str, Mapping[str, Any]]:
    """Return metric alarms by name, as CloudWatch describes them."""
    client, found = clients.get("cloudwatch"), dict[str, Mapping[str, Any]]()
    for start in range(0, len(names), AT_A_TIME):
        pages = client.get_paginator("describe_alarms").paginate(
            AlarmNames=names[start : start + AT_A_TIME], AlarmTypes=["MetricAlarm"]
        )
        found |= {alarm["AlarmName"]: alarm for page in pages for alarm in page["MetricAlarms"]}
    return found


def check_alarms(clients: ClientSource, deployed: Deployed) -> Iterator[Check]:
    """Look at whether each alarm is there, and would wake the healer."""
    names = [name for of in deployed.alarms.values() for name in of]
    found, topic = describe(clients, names), deployed.environment.get("TOPIC_ARN")
    missing = [name for name in names if name not in found]
    if missing or not names:
        said = f"missing: {', '.join(missing)}" if missing else "the ledger names none"
        yield Check("alarms.exist", "alarms", State.FAIL, said, REFRESH)
    else:
        yield Check("alarms.exist", "alarms", State.OK, f"{len(names)} are there")
    silent = [name for name, alarm in found.items() if not alarm.get("ActionsEnabled")]
    deaf = [name for name, alarm in found.items() if topic and topic not in alarm.get("AlarmActions", [])]
    if silent or deaf:
        said = "; ".join(
            f"{what}: {', '.join(those)}"
            for what, those in (("actions are off", silent), ("not to the healer's topic", deaf))
            if those
        )
        do = f"`aws cloudwatch enable-alarm-actions --alarm-names {' '.join(silent)}`. " if silent else ""
        yield Check("alarms.actions", "alarms' actions", State.FAIL, said, do + REFRESH)
    elif found:
        yield Check("alarms.actions", "alarms' actions", State.OK, "all wake the healer")
    unwell = [f"{name} {alarm['StateValue']}" for name, alarm in found.items() if alarm["StateValue"] != "OK"]
    if unwell:
        do = "`selfheal incidents` says what the healer does. A new alarm has no data for some minutes."
        yield Check("alarms.state", "alarms' states", State.WARN, ", ".join(unwell), do)
    elif found:
        yield Check("alarms.state", "alarms' states", State.OK, "all OK")


def check_mutes(clients: ClientSource, deployed: Deployed) -> Iterator[Check]:
    """Look at whether a rule of CloudWatch mutes an alarm: its actions, and so the healer, are then still."""
    muted: list[str] = []
    for name in (name for of in deployed.alarms.values() for name in of):
        answer = clients.get("cloudwatch").list_alarm_mute_rules(
            AlarmName=name, Statuses=["ACTIVE", "SCHEDULED"]
        )
        rules = answer.get("AlarmMuteRuleSummaries", [])
        muted += [f"{name} by {each['AlarmMuteRuleArn']} ({each['Status']})" for each in rules]
    if muted:
        do = "End the rule: until then the healer sees these alarms by its schedule, within a minute."
        yield Check("alarms.mute", "alarm mute rules", State.WARN, "; ".join(muted), do)
    else:
        yield Check("alarms.mute", "alarm mute rules", State.OK, "none mutes them")


def check_budget(clients: ClientSource, table: str, deployed: Deployed) -> Iterator[Check]:
    """Look at the budget of the day and the override of the mode."""
    ledger, now = Ledger(clients.get("dynamodb"), table), datetime.now(UTC)
    fleet = ledger.read_fleet()
    if fleet.problem:
        yield Check("ledger.fleet", "shared item", State.FAIL, fleet.problem, "Mend it as it says.")
        return
    used = sum(parse_iso(each) > now - BUDGET_WINDOW for each in fleet.acts)
    budget = int(deployed.item.get("budget", {}).get("N", 0))
    do = (
        ""
        if used < budget
        else "Find out why so many were needed. It refills as the acts grow older than a day."
    )
    found = f"{used} of {budget} remediations used in 24 h"
    yield Check("healer.budget", "budget", State.WARN if do else State.OK, found, do)
    try:
        override = ledger.read_mode()
    except UnreadableItemError as error:
        do = "Set it again: `selfheal mode observe`. Until then the healer only observes."
        yield Check("healer.mode", "override of the mode", State.FAIL, str(error), do)
        return
    if override.mode is None:
        yield Check("healer.mode", "override of the mode", State.OK, "none")
    else:
        found = f"{override.mode}, by {override.by} at {override.at} ({override.why})"
        do = "`selfheal mode clear`, when the healer may do again what was deployed."
        yield Check("healer.mode", "override of the mode", State.WARN, found, do)


def check_timeouts(clients: ClientSource, deployed: Deployed) -> Iterator[Check]:
    """Look at whether no target runs longer than was declared: that is how late its errors are counted."""
    longer: list[str] = []
    for target in deployed.targets:
        live = clients.get("lambda").get_function_configuration(FunctionName=target.function)
        seconds = int(live.get("Timeout", 3))
        if seconds > target.timeout:
            longer.append(f"{target.name}: {seconds} s, declared {target.timeout} s")
    if longer:
        do = "Declare it as the target's timeout_seconds and deploy: its alarms look back too short a time."
        yield Check("targets.timeout", "targets' timeouts", State.WARN, "; ".join(longer), do)
    else:
        found = f"{len(deployed.targets)} targets, none longer than declared"
        yield Check("targets.timeout", "targets' timeouts", State.OK, found)
