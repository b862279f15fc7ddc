"""A CloudWatch in memory: DescribeAlarms, GetMetricData and SetAlarmState as a boto3 client has them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any


class FakeCloudWatch:
    """Holds alarms and datapoints; fails on demand."""

    def __init__(self) -> None:
        self.alarms: dict[str, dict[str, Any]] = {}
        self.points: dict[str, list[tuple[float, float]]] = {}
        self.set_calls: list[dict[str, Any]] = []
        self.reads: list[dict[str, Any]] = []
        self.failing: dict[str, Exception] = {}  # by operation, or by metric name

    def add(self, name: str, **alarm: Any) -> None:
        base = {
            "AlarmName": name,
            "Namespace": "n",
            "MetricName": name,
            "Dimensions": [],
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 1.0,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
            "StateValue": "INSUFFICIENT_DATA",
            "StateReason": "Unchecked: Initial alarm creation",
        }
        self.alarms[name] = base | alarm

    def state(self, name: str) -> str:
        return str(self.alarms[name]["StateValue"])

    def get_paginator(self, operation: str) -> "_Paginator":
        return _Paginator(self, operation)

    def describe_alarms(self) -> Iterator[dict[str, Any]]:
        for alarm in self.alarms.values():  # a page each
            yield {"MetricAlarms": [dict(alarm)]}

    def get_metric_data(self, **arguments: Any) -> Iterator[dict[str, Any]]:
        self.reads.append(arguments)
        start, end = arguments["StartTime"].timestamp(), arguments["EndTime"].timestamp()
        for query in arguments["MetricDataQueries"]:
            stat = query["MetricStat"]
            name, period = stat["Metric"]["MetricName"], stat["Period"]
            if name in self.failing:
                raise self.failing[name]
            sums: dict[float, float] = {}
            for at, value in self.points.get(name, []):
                if start <= at < end:
                    sums[at // period * period] = sums.get(at // period * period, 0.0) + value
            yield {
                "MetricDataResults": [
                    {
                        "Id": query["Id"],
                        "Timestamps": [datetime.fromtimestamp(at, UTC) for at in sums],
                        "Values": list(sums.values()),
                        "StatusCode": "Complete",
                    }
                ]
            }

    def set_alarm_state(self, **arguments: Any) -> None:
        if "set_alarm_state" in self.failing:
            raise self.failing["set_alarm_state"]
        self.set_calls.append(arguments)
        alarm = self.alarms[arguments["AlarmName"]]
        alarm["StateValue"] = arguments["StateValue"]
        alarm["StateReason"] = arguments["StateReason"]


class _Paginator:
    def __init__(self, client: FakeCloudWatch, operation: str) -> None:
        self.client, self.operation = client, operation

    def paginate(self, **arguments: Any) -> Iterator[dict[str, Any]]:
        if self.operation in self.client.failing:
            raise self.client.failing[self.operation]
        if self.operation == "describe_alarms":
            assert arguments == {"AlarmTypes": ["MetricAlarm"]}
            return self.client.describe_alarms()
        return self.client.get_metric_data(**arguments)
