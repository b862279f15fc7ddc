"""What does something to alarms is known: every property of an alarm, and every type that takes alarms."""

import re
from collections.abc import Iterator
from inspect import signature
from pathlib import Path
from typing import Any

import botocore.session
import pulumi_aws
import pytest
from selfheal_policies import types
from selfheal_policies.silencing import PROPERTIES, TYPES, Effect

PROVIDER = Path(pulumi_aws.__file__).parent
OPERATIONS = {
    "PutMetricAlarm": types.ALARM,
    "PutCompositeAlarm": types.COMPOSITE_ALARM,
    "PutLogAlarm": types.LOG_ALARM,
    "PutAlarmMuteRule": types.MUTE_RULE,
}
"""Calls of CloudWatch's API that make an alarm, or something that silences one, to the type that does it."""

RESOURCE = re.compile(r'@pulumi\.type_token\("([^"]+)"\)\s*\nclass (\w+)\(')
INPUT = re.compile(r"^class (\w+)Args:(.*?)(?=^class |\Z)", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"def (\w*alarm\w*)\(self\)", re.IGNORECASE)


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(each.capitalize() for each in rest)


def given(class_: Any) -> set[str]:
    """Return the inputs of a resource of the provider."""
    return {camel(name) for name in signature(class_.__init__).parameters} - {"Self", "self"}


def taking_alarms() -> Iterator[str]:
    """Yield the types of the provider that have an input, or a part of one, whose name has `alarm` in it."""
    for folder in PROVIDER.iterdir():
        parts = folder / "_inputs.py"
        found = INPUT.findall(parts.read_text()) if parts.exists() else []
        nested = [name for name, body in found if "alarm" in name.lower() or NAMED.search(body)]
        for path in folder.glob("*.py") if folder.is_dir() else ():
            text = path.read_text()
            for token, name in RESOURCE.findall(text):
                own = INPUT.search(text)
                inside = [each for each in nested if each.startswith(name)]
                if (own and NAMED.search(own[2])) or inside or "Alarm" in name:
                    yield token


def api(operation: str) -> set[str]:
    """Return the parameters of a call of CloudWatch's API, as the provider spells them."""
    model: Any = botocore.session.get_session().get_service_model("cloudwatch")
    names: list[str] = list(model.operation_model(operation).input_shape.members)
    return {name[0].lower() + name[1:] for name in (each.replace("OKActions", "OkActions") for each in names)}


@pytest.mark.parametrize(
    "class_", [pulumi_aws.cloudwatch.MetricAlarmArgs, pulumi_aws.cloudwatch.CompositeAlarmArgs]
)
def test_what_every_property_of_an_alarm_does_is_known(class_: Any) -> None:
    assert given(class_) - PROPERTIES.keys() == set()


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if OPERATIONS[each] in types.ALARMS])
def test_what_every_parameter_of_an_alarm_does_is_known(operation: str) -> None:
    assert api(operation) - PROPERTIES.keys() == set()


def test_no_property_is_there_that_neither_the_provider_nor_the_api_has() -> None:
    alarms = (pulumi_aws.cloudwatch.MetricAlarmArgs, pulumi_aws.cloudwatch.CompositeAlarmArgs)
    known = set[str]().union(*(given(each) for each in alarms), *(api(each) for each in OPERATIONS))
    assert PROPERTIES.keys() - known == set()


def test_every_call_that_makes_an_alarm_or_silences_one_is_known() -> None:
    model: Any = botocore.session.get_session().get_service_model("cloudwatch")
    assert {each for each in model.operation_names if each.startswith("Put") and "Alarm" in each} == set(
        OPERATIONS
    )
    for type_ in set(OPERATIONS.values()) - set(types.ALARMS):
        assert TYPES[type_] is Effect.SWITCHES


@pytest.mark.slow
def test_every_type_that_takes_alarms_is_known() -> None:
    # Of log alarms the provider has no resource yet: when it has, its token is the one that is expected.
    assert set(taking_alarms()) - {types.LOG_ALARM} == {*TYPES, types.ALARM, types.COMPOSITE_ALARM}
