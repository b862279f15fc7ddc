"""The README's table of idle costs counts what the stacks really register, and adds up."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.program.test_program import run
from tests.support.pulumi_mocks import Deployment

pytestmark = pytest.mark.slow

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
MINUTE = "rate(1 minute)"
HEADING = "| what | price of one | small | orders | orders with analytics |"

STACKS: dict[str, tuple[str, dict[str, str]]] = {
    "small": ("prod", {}),
    "orders": ("orders", {}),
    "orders with analytics": ("orders", {"analytics": "true"}),
}
"""Name of the stack, and changes of its configuration."""


def rows() -> list[list[str]]:
    """Return the cells below the table's heading."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    _, _, table = text.partition(f"{HEADING}\n")
    lines = table.partition("\n\n")[0].splitlines()[1:]
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in lines]


def metrics(deployment: Deployment, *, quick: bool) -> int:
    """Return how many metrics the alarms with periods of less, or not less, than a minute read."""
    return sum(
        (metric["period"] < 60) is quick for alarm in deployment.of(ALARM) for metric in read_by(alarm.inputs)
    )


def read_by(alarm: Any) -> list[Any]:
    """Return the metrics of an alarm, each with its period."""
    return [query["metric"] for query in alarm.get("metricQueries", ()) if "metric" in query] or [alarm]


def own_metrics(deployment: Deployment) -> int:
    """Return how many metrics of ours are written while nobody calls: one by what wakes each breaker."""
    return len(
        {
            alarm.inputs["dimensions"]["FunctionName"]
            for alarm in deployment.of(ALARM)
            if alarm.inputs.get("metricName") == "OutageAge"
        }
    )


def minutely(deployment: Deployment) -> int:
    rules = deployment.of("aws:cloudwatch/eventRule:EventRule")
    return sum(rule.inputs.get("scheduleExpression") == MINUTE for rule in rules)


def polled(deployment: Deployment) -> int:
    mappings = deployment.of("aws:lambda/eventSourceMapping:EventSourceMapping")
    return sum(each.inputs["eventSourceArn"].startswith("arn:aws:sqs:") for each in mappings)


def shards(deployment: Deployment) -> int:
    return sum(int(each.inputs["shardCount"]) for each in deployment.of("aws:kinesis/stream:Stream"))


COUNTS: dict[str, Callable[[Deployment], int]] = {
    "metrics of alarms, periods of 60 s and more": lambda found: metrics(found, quick=False),
    "metrics of alarms, periods of 10 s": lambda found: metrics(found, quick=True),
    "dashboards": lambda found: len(found.of("aws:cloudwatch/dashboard:Dashboard")),
    "metrics of our own that are written when idle (`OutageAge`)": own_metrics,
    "secrets": lambda found: len(found.of("aws:secretsmanager/secret:Secret")),
    "functions that a schedule runs each minute": minutely,
    "healers: a DescribeAlarms each minute": lambda found: len(found.of("selfheal:index:Healer")),
    "queues that a mapping polls": polled,
    "shards": shards,
    "CloudFront distributions": lambda found: len(found.of("aws:cloudfront/distribution:Distribution")),
}


@pytest.mark.parametrize("stack", STACKS)
def test_the_table_counts_what_a_stack_registers(stack: str) -> None:
    name, changes = STACKS[stack]
    deployment = run(name, changes=changes)
    column = 2 + list(STACKS).index(stack)
    said = {row[0]: int(row[column]) for row in rows()[:-1]}
    assert said == {what: count(deployment) for what, count in COUNTS.items()}


@pytest.mark.parametrize("stack", STACKS)
def test_the_sum_is_the_sum(stack: str) -> None:
    *parts, total = rows()
    column = 2 + list(STACKS).index(stack)
    assert f"**{sum(float(row[1]) * int(row[column]) for row in parts):.2f}**" == total[column]


@pytest.mark.parametrize("stack", STACKS)
def test_nothing_else_costs_money_while_idle(stack: str) -> None:
    name, changes = STACKS[stack]
    types = {each.type for each in run(name, changes=changes).resources}
    assert not [each for each in types if re.match(r"aws:(kms|wafv2|rds|ec2|lb)/", each)]
    tables = run(name, changes=changes).of("aws:dynamodb/table:Table")
    assert {each.inputs["billingMode"] for each in tables} == {"PAY_PER_REQUEST"}
