"""Corrects PutMetricAlarm and DescribeAlarms, and switches ministack's own evaluation of alarms off.

A handler of ministack takes `(params, request, is_cbor, is_json)`: the flat parameters of the Query protocol,
or the structured request of the two newer ones. It returns `(status, headers, body)`.
"""

import json
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, cast
from xml.sax.saxutils import escape

from botocore.session import Session

Handler = Callable[..., tuple[int, dict[str, str], bytes]]
"""Handles one operation in ministack."""

_ONLY_WITHOUT_MATH = (
    "MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Unit", "Dimensions",
)  # fmt: skip
_DROPPED = ("Metrics", "ThresholdMetricId", "EvaluateLowSampleCountPercentile")


def no_evaluation(*_: Any) -> None:
    """Evaluate nothing, in place of `_evaluate_alarm` and `_evaluate_all_alarms`.

    Ministack evaluates alarms inside PutMetricData and PutMetricAlarm, and ignores dimensions, M of N,
    missing data and metric math. `sandbox.alarms` evaluates them instead; two evaluators would overrule each
    other.
    """


def math_kept(original: Handler, alarms: MutableMapping[str, dict[str, Any]]) -> Handler:
    """Return the replacement of `_put_metric_alarm`, which keeps the `Metrics` of an alarm on metric math.

    Ministack drops them and fills in a statistic and a period. The alarm could then not be evaluated, and
    every refresh would find drift.
    """

    def put(
        params: dict[str, Any], request: dict[str, Any], is_cbor: bool, is_json: bool = False
    ) -> tuple[int, dict[str, str], bytes]:
        answer = original(params, request, is_cbor, is_json)
        alarm = alarms.get(request.get("AlarmName", ""))
        if answer[0] != HTTPStatus.OK or alarm is None:
            return answer
        alarm.update({key: request[key] for key in _DROPPED if request.get(key) is not None})
        for key in _ONLY_WITHOUT_MATH if request.get("Metrics") else ():
            alarm.pop(key, None)
        return answer

    return put


def query_as_json(
    operation: str,
    handler: Handler,
    xml: Callable[[int, str, str], tuple[int, dict[str, str], bytes]],
    error: Callable[[str, str, int], tuple[int, dict[str, str], bytes]],
) -> Handler:
    """Return a handler that serves the Query protocol by the handler of the JSON protocol.

    The Terraform AWS provider 5 uses the Query protocol. There ministack ignores an alarm's metrics and
    leaves actions, dimensions, statistic and period out of its description, so that every plan would find
    drift.
    """
    model: Any = Session().get_service_model("cloudwatch").operation_model(operation)

    def handle(
        params: dict[str, Any], request: dict[str, Any], is_cbor: bool, is_json: bool = False
    ) -> tuple[int, dict[str, str], bytes]:
        if is_cbor or is_json:
            return handler(params, request, is_cbor, is_json)
        flat = {key: str(value[0] if isinstance(value, list) else value) for key, value in params.items()}
        status, _, body = handler({}, structured(model.input_shape, flat, "") or {}, False, True)
        answer = json.loads(body)
        if status != HTTPStatus.OK:
            return error(str(answer.get("__type")), str(answer.get("message")), status)
        inner = "" if model.output_shape is None else to_xml(model.output_shape, answer)
        return xml(status, f"{operation}Response", f"<{operation}Result>{inner}</{operation}Result>")

    return handle


def structured(shape: Any, flat: Mapping[str, str], at: str) -> Any:
    """Return the value at a prefix of flat Query parameters, typed by botocore's shape; None if absent."""
    if shape.type_name == "structure":
        members = {
            name: structured(member, flat, f"{at}.{name}" if at else name)
            for name, member in shape.members.items()
        }
        return {name: value for name, value in members.items() if value is not None} or None
    if shape.type_name == "list":
        values: list[Any] = []
        while (value := structured(shape.member, flat, f"{at}.member.{len(values) + 1}")) is not None:
            values.append(value)
        return values or None
    text = flat.get(at)
    if text is None:
        return None
    convert = {"integer": int, "double": float, "boolean": lambda t: t == "true"}.get(shape.type_name, str)
    return convert(text)


def to_xml(shape: Any, value: Any) -> str:
    """Return the Query protocol's XML of a value, without the element around it."""
    if shape.type_name == "structure":
        members = cast("Mapping[str, Any]", value)
        return "".join(
            f"<{name}>{to_xml(member, members[name])}</{name}>"
            for name, member in shape.members.items()
            if members.get(name) is not None
        )
    if shape.type_name == "list":
        return "".join(f"<member>{to_xml(shape.member, member)}</member>" for member in value)
    if shape.type_name == "timestamp":
        return datetime.fromtimestamp(float(value), tz=UTC).isoformat()
    return escape(str(value).lower() if isinstance(value, bool) else str(value))
