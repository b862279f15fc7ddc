"""Experiment templates of AWS FIS: what is accepted, and which faults one stands for. Pure functions.

Source: AWS FIS user guide, "Experiment template components" and "AWS FIS Actions reference". Durations must
be from one minute to 12 hours, as the reference says of most actions; of Lambda's it gives no range.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from selfheal.sandbox.emulator.invocation_faults import Action, InvocationFault

AUTOMATION = "aws:ssm:start-automation-execution"
"""The action that runs a document of Systems Manager. The emulator runs none."""

FUNCTION = "aws:lambda:function"
"""The type of target that can be selected."""

SHORTEST_SECONDS = 60.0
LONGEST_SECONDS = 12 * 3600.0
MOST_ARNS = 5
"""Of one target."""

OPTIONS = {"accountTargeting": "single-account", "emptyTargetResolutionMode": "fail"}
"""What an experiment's options are if a template does not say."""

_FIELDS = frozenset(
    {"description", "roleArn", "stopConditions", "targets", "actions", "tags", "logConfiguration"}
    | {"experimentOptions"}
)
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_MODE = re.compile(r"ALL|COUNT\([1-9]\d*\)|PERCENT\(([1-9]\d?|100)\)")
_NAME = re.compile(r"[\w-]{1,64}", re.ASCII)
_ALARM = re.compile(r"arn:aws[\w-]*:cloudwatch:[^:]+:\d{12}:alarm:.+")
_FUNCTION_ARN = re.compile(r"(arn:aws[\w-]*:lambda:[^:]+:\d{12}:function:[\w-]+)(?::([\w$-]+))?")
_BOOLEAN = re.compile("true|false")


class TemplateError(ValueError):
    """A template is not accepted; the text says why."""


def _at_most(least: int, most: int) -> Callable[[str], bool]:
    return lambda text: text.isascii() and text.isdigit() and least <= int(text) <= most


def _is_duration(text: str) -> bool:
    return SHORTEST_SECONDS <= seconds_of(text) <= LONGEST_SECONDS


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


_PERCENTAGE = ("a whole number from 1 to 100", _at_most(1, 100))
_LASTS = ("an ISO 8601 duration from PT1M to PT12H", _is_duration)
_PREVENTS = ("true or false", lambda text: bool(_BOOLEAN.fullmatch(text)))
_COMMON = {"duration": _LASTS, "invocationPercentage": _PERCENTAGE}

_PARAMETERS: Mapping[str, Mapping[str, tuple[str, Callable[[str], bool]]]] = {
    Action.DELAY: {
        **_COMMON,
        "startupDelayMilliseconds": ("a whole number from 0 to 900000", _at_most(0, 900_000)),
    },
    Action.ERROR: {**_COMMON, "preventExecution": _PREVENTS},
    Action.RESPONSE: {
        **_COMMON,
        "preventExecution": _PREVENTS,
        "statusCode": ("a whole number from 0 to 999", _at_most(0, 999)),
        "contentTypeHeader": ("text", bool),
    },
    AUTOMATION: {
        "documentArn": ("the ARN of a document", lambda text: text.startswith("arn:")),
        "documentVersion": ("text", bool),
        "documentParameters": ("a JSON object", _is_json),
        "maxDuration": _LASTS,
    },
}
"""By action, its parameters: what each must be."""

_REQUIRED: Mapping[str, frozenset[str]] = {
    Action.DELAY: frozenset({"duration"}),
    Action.ERROR: frozenset({"duration"}),
    Action.RESPONSE: frozenset({"duration", "statusCode", "contentTypeHeader"}),
    AUTOMATION: frozenset({"documentArn", "maxDuration"}),
}


def seconds_of(duration: str) -> float:
    """Return the seconds of an ISO 8601 duration of days, hours, minutes and seconds; 0 for anything else."""
    found = _DURATION.fullmatch(duration)
    return (
        sum(int(n or 0) * s for n, s in zip(found.groups(), (86400, 3600, 60, 1), strict=True))
        if found
        else 0.0
    )


def checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a template with its defaults. Raises TemplateError if AWS or the emulator cannot take it."""
    if unknown := given.keys() - _FIELDS:
        raise TemplateError(f"the emulator's templates have no {', '.join(sorted(unknown))}")
    template: dict[str, Any] = {"targets": {}, "tags": {}, **given}
    template["experimentOptions"] = {**OPTIONS, **(given.get("experimentOptions") or {})}
    if not 0 < len(str(template.get("description") or "")) <= 512:  # noqa: PLR2004
        raise TemplateError("description must have 1 to 512 characters")
    if not re.fullmatch(r"arn:aws[\w-]*:iam::\d{12}:role/.+", str(template.get("roleArn"))):
        raise TemplateError(f"roleArn must be the ARN of a role, got {template.get('roleArn')!r}")
    if template["experimentOptions"]["accountTargeting"] != "single-account":
        raise TemplateError(
            "the emulator runs experiments in a single account: set accountTargeting to single-account"
        )
    _check_stop_conditions(template.get("stopConditions") or [])
    for name, target in template["targets"].items():
        _check_target(name, target)
    _check_actions(template.get("actions") or {}, template["targets"])
    if not template.get("logConfiguration"):
        template.pop("logConfiguration", None)  # an empty one takes it away
    else:
        _check_log(template["logConfiguration"])
    return template


def windows(actions: Mapping[str, Any], start: float) -> dict[str, tuple[float, float]]:
    """Return when each action begins and ends: at the start, or once those that it names have ended.

    Raises TemplateError if they wait for each other.
    """
    found: dict[str, tuple[float, float]] = {}
    while len(found) < len(actions):
        ready = {
            name: max((found[other][1] for other in action.get("startAfter") or []), default=start)
            for name, action in actions.items()
            if name not in found and all(other in found for other in action.get("startAfter") or [])
        }
        if not ready:
            raise TemplateError(
                f"actions wait for each other: {', '.join(sorted(actions.keys() - found.keys()))}"
            )
        for name, begins in ready.items():
            found[name] = (begins, begins + _length(actions[name].get("parameters") or {}))
    return found


def faults_of(
    actions: Mapping[str, Any], functions: Mapping[str, frozenset[tuple[str, str | None]]], start: float
) -> list[InvocationFault]:
    """Return the faults of a template's actions on Lambda; `functions` are those selected, by target."""
    times = windows(actions, start)
    return [
        _fault(action, functions[action["targets"]["Functions"]], *times[name])
        for name, action in actions.items()
        if action["actionId"] in list(Action)
    ]


def split_arn(arn: str) -> tuple[str, str | None]:
    """Return a function's ARN without qualifier, and the qualifier. Raises TemplateError for others."""
    found = _FUNCTION_ARN.fullmatch(arn)
    if not found:
        raise TemplateError(f"resourceArns must be ARNs of Lambda functions, got {arn!r}")
    return found[1], found[2]


def _length(parameters: Mapping[str, str]) -> float:
    return seconds_of(parameters.get("duration") or parameters["maxDuration"])


def _fault(
    action: Mapping[str, Any], functions: frozenset[tuple[str, str | None]], begins: float, ends: float
) -> InvocationFault:
    parameters: Mapping[str, str] = action["parameters"]
    return InvocationFault(
        Action(action["actionId"]),
        functions,
        begins,
        ends,
        percent=float(parameters.get("invocationPercentage", "100")),
        delay_seconds=int(parameters.get("startupDelayMilliseconds", "1000")) / 1000,
        prevents=parameters.get("preventExecution") == "true",
        status_code=int(parameters.get("statusCode", "200")),
        content_type=parameters.get("contentTypeHeader", ""),
    )


def _check_stop_conditions(conditions: list[Mapping[str, Any]]) -> None:
    if not conditions:
        raise TemplateError("stopConditions must have at least one, whose source may be none")
    for condition in conditions:
        source, value = condition.get("source"), condition.get("value")
        if source not in {"none", "aws:cloudwatch:alarm"}:
            raise TemplateError(
                f"the source of a stop condition must be none or aws:cloudwatch:alarm, got {source!r}"
            )
        if source != "none" and not _ALARM.fullmatch(str(value)):
            raise TemplateError(f"the value of a stop condition must be the ARN of an alarm, got {value!r}")


def _check_target(name: str, target: Mapping[str, Any]) -> None:
    if not _NAME.fullmatch(name):
        raise TemplateError(
            f"the name of a target must be 1 to 64 letters, digits, '-' and '_', got {name!r}"
        )
    if target.get("resourceType") != FUNCTION:
        raise TemplateError(f"target {name}: the emulator has {FUNCTION}, got {target.get('resourceType')!r}")
    if target.get("resourceTags") or target.get("filters") or target.get("parameters"):
        raise TemplateError(f"target {name}: the emulator selects by resourceArns only")
    if not 1 <= len(arns := target.get("resourceArns") or []) <= MOST_ARNS:
        raise TemplateError(f"target {name}: resourceArns must be 1 to {MOST_ARNS}, got {len(arns)}")
    for arn in arns:
        split_arn(arn)
    if not _MODE.fullmatch(str(target.get("selectionMode"))):
        raise TemplateError(
            f"target {name}: selectionMode must be ALL, COUNT(n) or PERCENT(n), got "
            f"{target.get('selectionMode')!r}"
        )


def _check_actions(actions: Mapping[str, Any], targets: Mapping[str, Any]) -> None:
    if not actions:
        raise TemplateError("actions must have at least one")
    for name, action in actions.items():
        if not _NAME.fullmatch(name):
            raise TemplateError(
                f"the name of an action must be 1 to 64 letters, digits, '-' and '_', got {name!r}"
            )
        _check_parameters(name, action.get("actionId"), action.get("parameters") or {})
        given = action.get("targets") or {}
        if action["actionId"] == AUTOMATION and given:
            raise TemplateError(f"action {name}: {AUTOMATION} has no targets")
        if action["actionId"] != AUTOMATION and (
            given.keys() != {"Functions"} or given["Functions"] not in targets
        ):
            raise TemplateError(
                f"action {name}: targets must be Functions with the name of a target, got {dict(given)}"
            )
        if unknown := set(action.get("startAfter") or []) - actions.keys():
            raise TemplateError(f"action {name}: startAfter names no action: {', '.join(sorted(unknown))}")
    windows(actions, 0.0)


def _check_parameters(name: str, action: object, parameters: Mapping[str, str]) -> None:
    if not isinstance(action, str) or action not in _PARAMETERS:
        raise TemplateError(
            f"action {name}: the emulator has {', '.join(sorted(_PARAMETERS))}, got {action!r}"
        )
    if missing := _REQUIRED[action] - parameters.keys():
        raise TemplateError(f"action {name}: {action} needs {', '.join(sorted(missing))}")
    for key, text in parameters.items():
        if key not in _PARAMETERS[action]:
            raise TemplateError(
                f"action {name}: {action} has {', '.join(sorted(_PARAMETERS[action]))}, got {key}"
            )
        allowed, holds = _PARAMETERS[action][key]
        if not holds(text):
            raise TemplateError(f"action {name}: {key} must be {allowed}, got {text!r}")


def _check_log(log: Mapping[str, Any]) -> None:
    if log.get("logSchemaVersion") not in {1, 2}:
        raise TemplateError(f"logSchemaVersion must be 1 or 2, got {log.get('logSchemaVersion')!r}")
    group = (log.get("cloudWatchLogsConfiguration") or {}).get("logGroupArn")
    if group is not None and not group.endswith(":*"):
        raise TemplateError(f"logGroupArn must be the ARN of a log group and end with ':*', got {group!r}")
