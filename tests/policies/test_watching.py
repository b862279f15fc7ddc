"""What alarms watch: by metrics, dimensions and queries as CloudWatch reads them."""

from typing import Any

import pytest
from selfheal_policies.queries import queries_in

from tests.policies.mutations.alarms import filtered, mutes, scheduled
from tests.policies.support.changes import drop, put
from tests.policies.support.healers import healer
from tests.policies.support.references import Ref, Unknown
from tests.policies.support.scene import RULES, Scene, physical

ORDERS, MEDIC = physical("orders"), physical("medic")
ERRORS = 'SELECT SUM(Errors) FROM "AWS/Lambda"'
EXACT = 'SELECT SUM(Errors) FROM SCHEMA("AWS/Lambda", FunctionName, Resource)'
AGE = 'SELECT MAX(ApproximateAgeOfOldestMessage) FROM SCHEMA("AWS/SQS", QueueName)'
FOUND = '{AWS/Lambda,FunctionName} MetricName="Errors"'


def seen(scene: Scene, alarm: str = "errors") -> tuple[set[str], set[str], list[str]]:
    """Return the names of what an alarm watches by name and among others, and why it watches nothing."""
    graph = scene.graph()
    [found] = [each for each in graph.alarms if each.name == alarm]
    sight = graph.wiring.watching.sight(found)

    def names(keys: frozenset[str]) -> set[str]:
        return {graph.index.by_urn[key].name if key in graph.index.by_urn else key for key in keys}

    return names(sight.named), names(sight.wide), [problem for _, problem in sight.problems]


def on(**properties: Any) -> Scene:
    """Return a careful healer whose alarm is on another metric."""
    scene = healer(Scene())
    put("errors", **properties)(scene)
    return scene


def asking(expression: str) -> Scene:
    scene = healer(Scene())
    drop("errors", "dimensions")(scene)
    put("errors", metricQueries=[{"id": "q", "expression": expression, "returnData": True}])(scene)
    put("orders", tags={"team": "shop"})(scene)
    return scene


@pytest.mark.parametrize(
    ("query", "named", "wide"),
    [
        (ERRORS, set[str](), {"orders", "medic"}),
        ('SELECT SUM(Errors) FROM SCHEMA("AWS/Lambda")', set[str](), {"orders", "medic"}),
        (f"{ERRORS} WHERE FunctionName = '{ORDERS}'", {"orders"}, set[str]()),
        (f"{ERRORS.lower()[:6]}{ERRORS[6:]} where FunctionName != '{MEDIC}'", set[str](), {"orders"}),
        (
            f"{ERRORS} WHERE FunctionName='{ORDERS}' OR FunctionName='{MEDIC}'",
            {"orders", "medic"},
            set[str](),
        ),
        (f"{ERRORS} WHERE FunctionName NOT IN ('x', '{MEDIC}') LIMIT 5", set[str](), {"orders"}),
        (f"{ERRORS} WHERE tag.\"team\" = 'shop'", set[str](), {"orders"}),
        (f"{ERRORS} WHERE tag.team = 'other'", set[str](), set[str]()),
        (f"{EXACT} WHERE Resource='{ORDERS}:live'", {"orders"}, set[str]()),
        (f"{ERRORS} WHERE FunctionName = 'far'", {"function:far"}, set[str]()),
        (f"{AGE} WHERE QueueName = '{physical('orders-dead')}'", {"orders-dead", "orders"}, set[str]()),
        ("SELECT SUM(Paid) FROM Shop", set[str](), set[str]()),
        ("SELECT", set[str](), set[str]()),
        (f"SUM(SEARCH('{FOUND} FunctionName=\"{ORDERS}\"', 'Sum', 60))", {"orders"}, set[str]()),
        (f"SEARCH('{FOUND}', 'Sum', 60)", set[str](), {"orders", "medic"}),
        ("m1 / m2", set[str](), set[str]()),
    ],
)
def test_what_a_query_selects(query: str, named: set[str], wide: set[str]) -> None:
    assert seen(asking(query)) == (named, wide, [])


def test_a_prometheus_query_selects_by_its_labels() -> None:
    query = f'sum({{"__name__"="Errors", "@aws.namespace"="AWS/Lambda", "FunctionName"="{ORDERS}"}}) > 0'
    scene = on(evaluationCriteria={"promqlCriteria": {"query": query}})
    scene.find("errors").drop("dimensions")
    assert seen(scene) == ({"orders"}, set(), [])
    [found] = queries_in(query)
    assert (found.namespace, found.metric) == ("AWS/Lambda", "Errors")


@pytest.mark.parametrize(
    ("properties", "part"),
    [
        ({"dimensions": {"FunctionName": "arn:aws:lambda:us-east-1:1:function:x"}}, "is an ARN"),
        ({"dimensions": {"FunctionName": "x:live"}}, "has no qualifier"),
        ({"dimensions": {"FunctionName": "x", "Resource": "y:live"}}, 'is "x:<alias or version>"'),
        ({"dimensions": {"FunctionName": "x", "Team": "y"}}, "the dimensions FunctionName and Team"),
        ({"dimensions": {"Resource": "x:live"}}, "but one with the dimensions FunctionName and Resource"),
        ({"dimensions": {"functionname": "x"}}, 'is "FunctionName", not "functionname"'),
        ({"dimensions": {"QueueName": "https://sqs.us-east-1.amazonaws.com/1/x"}}, "is a URL"),
        (
            {"dimensions": {"QueueName": "x", "FunctionName": "y"}, "namespace": "AWS/SQS"},
            "AWS/SQS has no metric",
        ),
        ({"dimensions": {}, "namespace": "AWS/SQS", "metricName": "SentMessageSize"}, "with no dimension"),
        ({"dimensions": {"Stage": "x"}, "namespace": "AWS/ApiGateway"}, "AWS/ApiGateway has no metric"),
        ({"dimensions": {"StateMachineArn": "x"}, "namespace": "AWS/States"}, "is an ARN, not"),
        ({"dimensions": {"FunctionName": "x"}, "namespace": "aws/Lambda"}, 'is "AWS/Lambda"'),
        (
            {"dimensions": {"FunctionName": "x"}, "namespace": "AWS/Lambda", "metricName": "throttle"},
            'is "Throttles", not "throttle"',
        ),
        ({"dimensions": {"FunctionName": Ref("orders")}}, "not known at preview, though the name"),
        (
            {"dimensions": {"FunctionName": Ref("orders", "name"), "Resource": Ref("orders")}},
            "value of Resource",
        ),
    ],
)
def test_why_an_alarm_watches_nothing(properties: dict[str, Any], part: str) -> None:
    named, wide, [problem] = seen(on(**properties))
    assert part in problem
    assert (named, wide) == (set(), set())


@pytest.mark.parametrize(
    ("properties", "named"),
    [
        (
            {"dimensions": {"FunctionName": ORDERS, "Resource": f"{ORDERS}:live", "ExecutedVersion": "3"}},
            {"orders"},
        ),
        ({"dimensions": {"FunctionName": ORDERS, "Resource": ORDERS}}, {"orders"}),
        ({"dimensions": {"function_name": ORDERS}, "namespace": "LambdaInsights"}, {"orders"}),
        ({"dimensions": {"FunctionName": ORDERS, "Team": "x"}, "namespace": "Shop"}, {"orders"}),
        (
            {"dimensions": {"FunctionName": ORDERS}, "namespace": "AWS/Lambda", "metricName": "NewOne"},
            {"orders"},
        ),
        ({"dimensions": {"Resource": "/orders", "Stage": "x", "ApiName": "y", "Method": "GET"}}, set[str]()),
        ({"dimensions": Unknown(("orders",))}, {"orders"}),
        ({"dimensions": {"QueueName": physical("medic-dead")}}, {"medic-dead", "medic"}),
        ({"dimensions": {"TopicName": physical("wake")}}, {"wake"}),
    ],
)
def test_what_an_alarm_watches_by_its_dimensions(properties: dict[str, Any], named: set[str]) -> None:
    assert seen(on(**properties)) == (named, set(), [])


def test_a_name_that_is_made_up_later_is_a_name() -> None:
    scene = on(dimensions={"FunctionName": Unknown(("orders",))})
    scene.find("orders").put("name", to=Unknown())
    assert seen(scene) == ({"orders"}, set(), [])


def test_only_what_the_alarm_is_made_of_is_watched() -> None:
    def query(id_: str, function: str, **more: Any) -> dict[str, Any]:
        return {"id": id_, "metric": {"dimensions": {"FunctionName": function}}, "returnData": False, **more}

    held = [query("m1", ORDERS), query("m2", MEDIC), {"id": "e", "expression": "m1 * 2", "returnData": True}]
    scene = on(metricQueries=held)
    scene.find("errors").drop("dimensions")
    assert seen(scene) == ({"orders"}, set(), [])
    held[2]["expression"] = "SUM(METRICS())"
    scene.find("errors").put("metricQueries", to=held)
    assert seen(scene) == ({"orders", "medic"}, set(), [])


def test_a_log_alarm_watches_who_writes_the_lines() -> None:
    scene = healer(Scene())
    scene.add(
        "cloudwatch.LogAlarm",
        "lines",
        alarmActions=[Ref("wake"), Ref("people")],
        okActions=[Ref("wake"), Ref("people")],
        scheduledQueryConfiguration={"logGroupIdentifiers": [Ref("medic-logs", "name")]},
    )
    named, _, _ = seen(scene, "lines")
    assert named == {"medic-logs", "medic"}
    assert (
        "wakes healer medic"
        in scene.findings(["cloudwatch-alarm-healer-health"])["cloudwatch-alarm-healer-health"][0]
    )


WEIRD: tuple[Any, ...] = (
    *(Unknown(), None, "", "x", "{}", 0, -1, True, [], {}, [None], [{}], [[]], {"x": None}, {"": ["x"]}),
    *("SELECT FROM", "SELECT SUM( FROM SCHEMA( WHERE = AND", "SEARCH('", '{"="}', "ALARM("),
)
PARTS = {
    "errors": (
        ("namespace",),
        ("metricName",),
        ("dimensions",),
        ("dimensions", "FunctionName"),
        ("metricQueries",),
        ("threshold",),
        ("comparisonOperator",),
        ("treatMissingData",),
        ("evaluationCriteria",),
        ("evaluationCriteria", "promqlCriteria"),
        ("warmUpConfiguration",),
        ("warmUpConfiguration", "warmUpPeriodDurationInMinutes"),
        ("evaluationWindow",),
    ),
    "either": (("alarmRule",), ("actionsSuppressor",), ("actionsSuppressor", "alarm")),
    "nights": (("muteTargets",), ("muteTargets", "alarmNames")),
    "failed-lines": (("logGroupName",), ("metricTransformation",), ("metricTransformation", "dimensions")),
    "each-hour": (("target",), ("target", "arn"), ("target", "input"), ("state",)),
}


@pytest.mark.slow
@pytest.mark.parametrize("value", WEIRD, ids=repr)
def test_no_value_makes_a_rule_on_alarms_crash(value: Any) -> None:
    rules = [name for name in RULES if name.startswith(("cloudwatch-a", "lambda-healer-w", "events-"))]
    for name, paths in PARTS.items():
        for path in paths:
            for given in (value, [{"id": value, "expression": value, "metric": value}]):
                scene = healer(Scene(), "composite alarm")
                mutes("errors")(scene)
                filtered("medic-logs")(scene)
                scheduled("DISABLED")(scene)
                scene.find(name).put(*path, to=given)
                scene.findings(rules)
