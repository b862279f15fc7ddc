"""Checks by rehearsal: the healer makes the calls of an incident; those that would change, IAM simulates."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from selfheal.cli.doctor.check import Check, State
from selfheal.cli.doctor.deployment import DEPLOY
from selfheal.cli.doctor.stack import Deployed
from selfheal.cli.doctor.statement import missing
from selfheal.cli.operator.aws_access import PatientSource
from selfheal.functions.healer.rehearsal import is_denied
from selfheal.functions.healer.target import Remedy, Target
from selfheal.functions.shared.contract import (
    BREAKER_TABLE,
    HEALER_TIMEOUT_SECONDS,
    REHEARSE_EVENT,
    REMEDIES,
    breaker_key,
)

LEADING_KEYS = "dynamodb:LeadingKeys"

GRANT = (
    "Add the statement to the role's policy and its boundary. `up` grants it: if `pulumi refresh` and "
    "`pulumi up` do not put it back, a policy of your organisation denies it, and its owner has to add it."
)


def check_rehearsal(clients: PatientSource, deployed: Deployed, *, tell: bool) -> Iterator[Check]:
    """Have the healer rehearse, and look at what was denied to it."""
    name, what = "healer.rehearsal", "calls of an incident"
    event = json.dumps({**REHEARSE_EVENT, **({"tell": True} if tell else {})})
    patient = clients.patient(HEALER_TIMEOUT_SECONDS + 10)
    answer = patient.get("lambda").invoke(FunctionName=deployed.healer, Payload=event.encode())
    text = answer["Payload"].read().decode("utf-8", "replace")
    if answer.get("FunctionError"):
        do = "Its log group says why. It fails likewise in an incident."
        yield Check(name, what, State.FAIL, f"the healer failed: {text[:500]}", do)
        return
    try:
        calls: list[Mapping[str, Any]] = json.loads(text)["calls"]
    except (KeyError, TypeError, ValueError):
        found = "the healer that is deployed does not know how to rehearse"
        yield Check(name, what, State.FAIL, found, f"It is an earlier one. {DEPLOY}")
        return
    good = sorted({str(call["call"]) for call in calls if call["ok"]})
    bad = [call for call in calls if not call["ok"]]
    for call in bad:
        yield _failed(call, deployed)
    if not bad:
        yield Check(name, what, State.OK, f"{len(calls)} calls, all allowed: {', '.join(good)}")


def _failed(call: Mapping[str, Any], deployed: Deployed) -> Check:
    action, on, target = str(call["call"]), str(call["on"]), call.get("target")
    said = str(call.get("said", ""))
    of = f" for target {target}" if target else ""
    if not is_denied(str(call["code"])):
        found = f"{action} on {on}{of}: {call['code']}: {said}"
        return Check("healer.rehearsal", "calls of an incident", State.FAIL, found, _mend(str(call["code"])))
    keys = [each.replace("#rehearsal", "#*") for each in call.get("keys", ())]
    statement = missing(action, on, keys, said, deployed)
    found = f"{action} on {on}{of} is denied: {said}"
    return Check("healer.rehearsal", "calls of an incident", State.FAIL, found, GRANT, statement)


def _mend(code: str) -> str:
    if code == "EnvironmentUnreadable":
        return "Name the function's key as the target's environment_key_arn, and deploy."
    if code == "ResourceNotFound":
        return "Deploy what is missing, or remove the target or the remedy."
    return "Mend what it names; see docs/failures.md. Until then the healer applies no remedy there."


@dataclass(frozen=True)
class Write:
    """A call that would change something of a target."""

    action: str
    resource: str
    """Its ARN."""
    target: str
    context: Mapping[str, str] = field(default_factory=dict[str, str])
    """Condition keys that AWS would set, with their values."""


def check_writes(clients: PatientSource, deployed: Deployed) -> Iterator[Check]:
    """Have IAM simulate what the remedies would change: role, boundary and the organisation's policies."""
    name, what, role = "remedies.writes", "calls that change targets", str(deployed.function.get("Role", ""))
    if deployed.is_observing:
        yield Check(name, what, State.OK, "none: in mode observe the role may change nothing")
        return
    pairs = [(target, remedy) for target in deployed.targets for remedy in target.remedies]
    asked = [each for pair in pairs for each in _writes(*pair, clients, deployed)]
    denied = [(each, told) for each in asked if (told := _simulated(clients, role, each)) != "allowed"]
    for each, told in denied:
        keys = [each.context[LEADING_KEYS]] if LEADING_KEYS in each.context else []
        statement = missing(each.action, each.resource, keys, "", deployed)
        found = f"{each.action} on {each.resource} for target {each.target}: {told}"
        yield Check(name, what, State.FAIL, found, GRANT, statement)
    if not denied:
        actions = ", ".join(sorted({each.action for each in asked}))
        yield Check(name, what, State.OK, f"IAM would allow {actions}" if actions else "none")


def _simulated(clients: PatientSource, role: str, write: Write) -> str:
    """Return IAM's decision, such as `allowed` or `implicitDeny`."""
    entries = [
        {
            "ContextKeyName": key,
            "ContextKeyType": "stringList" if key == LEADING_KEYS else "string",
            "ContextKeyValues": [value],
        }
        for key, value in write.context.items()
    ]
    answer = clients.get("iam").simulate_principal_policy(
        PolicySourceArn=role,
        ActionNames=[write.action],
        ResourceArns=[write.resource],
        ContextEntries=entries,
    )
    return str(answer["EvaluationResults"][0]["EvalDecision"])


def _writes(target: Target, remedy: Remedy, clients: PatientSource, deployed: Deployed) -> Iterator[Write]:
    """Yield what a remedy calls to change something. The healer itself rehearses overrides."""
    function = deployed.arn("lambda", f"function:{target.function}")
    for call in REMEDIES[remedy.kind]["writes"]:
        for action in call["actions"]:
            if call["on"] == "mapping":
                mapping = deployed.arn("lambda", f"event-source-mapping:{remedy.name}")
                yield Write(action, mapping, target.name, {"lambda:FunctionArn": function})
            elif call["on"] == "circuit":
                live = clients.get("lambda").get_function_configuration(FunctionName=target.function)
                table = live.get("Environment", {}).get("Variables", {}).get(BREAKER_TABLE, "none")
                keys = {LEADING_KEYS: breaker_key(remedy.name)["pk"]["S"]}
                yield Write(action, deployed.arn("dynamodb", f"table/{table}"), target.name, keys)
            elif call["on"] != "override":
                yield Write(action, function, target.name)
