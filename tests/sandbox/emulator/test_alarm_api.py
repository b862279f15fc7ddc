"""Alarms over the Query protocol and the metrics of an alarm on math, without an emulator."""

from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from botocore.model import OperationModel
from botocore.parsers import QueryParser
from botocore.serialize import QuerySerializer
from botocore.session import Session

from selfheal.sandbox.emulator.alarm_api import math_kept, query_as_json, structured, to_xml

ALARM: dict[str, Any] = {
    "AlarmName": "a",
    "ActionsEnabled": False,
    "AlarmActions": ["arn:1", "arn:2"],
    "EvaluationPeriods": 2,
    "Threshold": 0.05,
    "ComparisonOperator": "GreaterThanThreshold",
    "AlarmDescription": "a < b & c",
    "Metrics": [
        {"Id": "rate", "Expression": "e / r", "ReturnData": True},
        {
            "Id": "e",
            "ReturnData": False,
            "MetricStat": {
                "Metric": {
                    "Namespace": "selfheal",
                    "MetricName": "Errors",
                    "Dimensions": [{"Name": "FunctionName", "Value": "f"}],
                },
                "Period": 10,
                "Stat": "Sum",
            },
        },
    ],
}


def _operation(name: str) -> OperationModel:
    return Session().get_service_model("cloudwatch").operation_model(name)


def test_flat_parameters_become_what_was_sent() -> None:
    """botocore's own serializer of the protocol writes; we read it back."""
    model = _operation("PutMetricAlarm")
    sent: Any = QuerySerializer().serialize_to_request(ALARM, model)["body"]
    assert structured(model.input_shape, {key: str(value) for key, value in sent.items()}, "") == ALARM


def test_xml_is_read_back_by_botocore() -> None:
    shape: Any = _operation("DescribeAlarms").output_shape
    answer = {"MetricAlarms": [{**ALARM, "StateUpdatedTimestamp": 1_700_000_000}], "CompositeAlarms": []}
    body = f"<R><DescribeAlarmsResult>{to_xml(shape, answer)}</DescribeAlarmsResult></R>"
    shape.serialization["resultWrapper"] = (
        "DescribeAlarmsResult"  # where the protocol is not the model's first
    )
    response = {"body": body.encode(), "headers": {}, "status_code": 200}
    parsed: Any = QueryParser().parse(response, shape)
    alarm = parsed["MetricAlarms"][0]
    assert alarm.pop("StateUpdatedTimestamp").timestamp() == 1_700_000_000
    assert alarm == ALARM


def _handler(status: int, body: bytes, seen: list[Any]) -> Any:
    def handle(params: Any, request: Any, is_cbor: bool, is_json: bool = False) -> Any:
        seen.append((params, request, is_cbor, is_json))
        return status, {}, body

    return handle


def _xml(status: int, root: str, inner: str) -> tuple[int, dict[str, str], bytes]:
    return status, {}, f"<{root}>{inner}</{root}>".encode()


def _error(code: str, message: str, status: int) -> tuple[int, dict[str, str], bytes]:
    return status, {}, f"{code}: {message}".encode()


def test_query_goes_by_way_of_json() -> None:
    seen: list[Any] = []
    put = query_as_json("PutMetricAlarm", _handler(200, b"{}", seen), _xml, _error)
    status, _, body = put({"AlarmName": ["a"], "Threshold": ["0.5"], "Action": ["PutMetricAlarm"]}, {}, False)
    assert seen == [({}, {"AlarmName": "a", "Threshold": 0.5}, False, True)]
    assert status == 200
    assert fromstring(body).tag == "PutMetricAlarmResponse"


def test_a_refusal_is_answered_in_the_callers_protocol() -> None:
    put = query_as_json("PutMetricAlarm", _handler(400, b'{"__type":"X","message":"no"}', []), _xml, _error)
    assert put({"AlarmName": ["a"]}, {}, False) == (400, {}, b"X: no")


@pytest.mark.parametrize(("is_cbor", "is_json"), [(True, False), (False, True)])
def test_other_protocols_pass_through(is_cbor: bool, is_json: bool) -> None:
    seen: list[Any] = []
    describe = query_as_json("DescribeAlarms", _handler(200, b"as it is", seen), _xml, _error)
    assert describe({}, {"AlarmNames": ["a"]}, is_cbor, is_json)[2] == b"as it is"
    assert seen == [({}, {"AlarmNames": ["a"]}, is_cbor, is_json)]


def test_a_refused_alarm_changes_nothing() -> None:
    before = {"a": {"AlarmName": "a"}}
    math_kept(_handler(400, b"", []), before)({}, ALARM, True)
    assert before == {"a": {"AlarmName": "a"}}
