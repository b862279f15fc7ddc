"""EventBridge rules and state machines: which alarms a rule matches, and which functions a machine calls."""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any, cast

from selfheal_policies import arns, types
from selfheal_policies.index import NAMED, Index, Node, Unresolved
from selfheal_policies.places import Place
from selfheal_policies.resources import Resource
from selfheal_policies.values import ABSENT, UNKNOWN, entries, get, parsed, text

STATES = frozenset({"ALARM", "OK", "INSUFFICIENT_DATA"})
"""States of an alarm."""


_FUNCTION_ARN = re.compile(r"arn:[\w-]+:lambda:[\w-]*:\d*:function:[\w-]+(?::[\w$-]+)?")


def alarms_of_rule(index: Index, rule: Resource) -> Iterator[tuple[Resource, frozenset[str]]]:
    """Return the alarms of this stack whose changes a rule matches, each with the states that it passes on.

    A pattern that is not known matches the alarms that it depends on; if it depends on none, it is reported
    as unresolved.
    """
    value = rule.get("eventPattern")
    if value is ABSENT:
        return
    pattern = parsed(value)
    if pattern is UNKNOWN:
        origins = index.origins(rule, "eventPattern", (arns.ALARM,))
        if not origins:
            index.unresolved.append(Unresolved(rule, "eventPattern"))
        yield from ((node.resource, STATES) for node in origins if node.resource)
        return
    if not _accepts(get(pattern, "source"), "aws.cloudwatch") or not _accepts(
        get(pattern, "detail-type"), "CloudWatch Alarm State Change"
    ):
        return
    states = frozenset(state for state in STATES if _accepts(get(pattern, "detail", "state", "value"), state))
    for alarm in index.of(*types.ALARMS):
        name = text(alarm.get(NAMED[alarm.type][1]))
        # A bus holds the events of its own region; where others are sent to it, a rule there says so.
        if index.are_apart(rule, alarm):
            continue
        if _names(pattern, name if isinstance(name, str) else "", index.place(alarm)):
            yield alarm, states


def functions_of_machine(index: Index, machine: Resource) -> Iterator[Node]:
    """Return the functions that a state machine's definition calls."""
    definition = machine.get("definition")
    if definition is UNKNOWN:
        yield from index.origins(machine, "definition", (arns.FUNCTION,))
        return
    found: dict[str, Node] = {}
    for key, value in _leaves(parsed(definition), ""):
        names = [value] if key == "FunctionName" and value else []
        for name in (*names, *_FUNCTION_ARN.findall(value)):
            node = index.literal(name, arns.FUNCTION, machine)
            found.setdefault(node.key, node)
    yield from found.values()


def _leaves(value: Any, key: str) -> Iterator[tuple[str, str]]:
    todo: list[tuple[str, Any]] = [(key, value)]
    while todo:
        name, each = todo.pop()
        if isinstance(each, str):
            yield name, each
        elif isinstance(each, dict):
            todo += cast("dict[str, Any]", each).items()
        elif isinstance(each, list):
            todo += [(name, entry) for entry in cast("list[Any]", each)]


def _names(pattern: Any, name: str, place: Place) -> bool:
    resources, by_name = get(pattern, "resources"), get(pattern, "detail", "alarmName")
    if by_name is not ABSENT and not _accepts(by_name, name):
        return False
    if resources is ABSENT:
        return True
    return any(
        _accepts([matcher], candidate)
        for matcher in entries(resources)
        for candidate in _candidates(matcher, name, place)
    )


def _candidates(matcher: Any, name: str, place: Place) -> list[str]:
    """Return texts that an alarm's ARN may be, as far as account and region can be read in the matcher."""
    written = matcher if isinstance(matcher, str) else ""
    meant = arns.parse_arn(written or str(get(matcher, "prefix") or get(matcher, "wildcard")))
    if meant and not place.may_hold(meant):
        return []
    if isinstance(matcher, dict):
        written = next((each for _, each in _leaves(matcher, "")), "")
    if ":alarm:" not in written:
        return [written + name]
    return [written.split(":alarm:", 1)[0] + ":alarm:" + name]


def _accepts(matchers: Any, value: str) -> bool:
    """Return whether a field of an event pattern accepts a value; one that is left out accepts any.

    A matcher that is unknown, or not among those below, is taken to accept: a link too many is safer than
    one too few.
    """
    if matchers is ABSENT:
        return True
    return any(_matches(matcher, value) for matcher in entries(matchers))


def _matches(matcher: Any, value: str) -> bool:
    if isinstance(matcher, str):
        return matcher == value
    for key, test in (("prefix", str.startswith), ("suffix", str.endswith), ("wildcard", fnmatchcase)):
        wanted = get(matcher, key)
        if isinstance(wanted, str):
            return test(value, wanted)
    excluded = get(matcher, "anything-but")
    if isinstance(excluded, (str, list)):
        return not any(isinstance(each, str) and each == value for each in entries(excluded))
    return True
