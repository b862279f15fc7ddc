"""What AWS publishes: which metrics, under which dimensions, and what a dimension names.

CloudWatch treats each combination of dimensions as a metric of its own, and tells upper from lower case: an
alarm with one dimension too many or too few, or with an ARN where the metric has a name, never gets data
("Metrics" and "Dimensions" in "Metrics concepts" of the CloudWatch user guide).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from selfheal_policies import arns
from selfheal_policies.resources import Resource
from selfheal_policies.values import ABSENT, UNKNOWN, Missing, entries, get, text

LAMBDA, SQS, API = "AWS/Lambda", "AWS/SQS", "AWS/ApiGateway"

NAMES: Mapping[str, str] = {
    "BucketName": arns.BUCKET,
    "EventBusName": arns.BUS,
    "EventSourceMappingUUID": arns.MAPPING,
    "FunctionName": arns.FUNCTION,
    "LambdaFunctionArn": arns.FUNCTION,
    "LogGroupName": arns.LOG_GROUP,
    "QueueName": arns.QUEUE,
    "Resource": arns.FUNCTION,
    "RuleName": arns.RULE,
    "StateMachineArn": arns.MACHINE,
    "StreamName": arns.STREAM,
    "TableName": arns.TABLE,
    "TopicName": arns.TOPIC,
    "function_name": arns.FUNCTION,
}
"""Dimension to the kind of what it names. `Resource` is function:alias, `function_name` Lambda Insights'."""

NAMES_LOWER = {name.lower(): kind for name, kind in NAMES.items()}
"""The same for dimensions in the wrong case, which name nothing, and say what was meant."""

APIS = ("ApiName", "ApiId")
"""Dimensions that name an API: of REST APIs by name, of HTTP and WebSocket APIs by id."""

OWNERS: Mapping[str, str] = {
    "FunctionName": LAMBDA,
    "QueueName": SQS,
    "ApiName": API,
    "ApiId": API,
    "StateMachineArn": "AWS/States",
    "TableName": "AWS/DynamoDB",
    "TopicName": "AWS/SNS",
    "RuleName": "AWS/Events",
    "StreamName": "AWS/Kinesis",
    "LogGroupName": "AWS/Logs",
}
"""Dimension to the namespace whose it is, for a metric whose own namespace is not known."""

_OWNERS = {name.lower(): owner for name, owner in OWNERS.items()} | {"resource": LAMBDA}


def _words(*names: str) -> frozenset[str]:
    return frozenset(word for each in names for word in each.split())


def _sets(*names: str) -> tuple[frozenset[str], ...]:
    return tuple(_words(each) for each in names)


PUBLISHED: Mapping[str, tuple[frozenset[str], ...]] = {
    # "Viewing metrics for Lambda functions": by function name, resource, executed version, across all;
    # "Types of metrics for Lambda functions": of event source mappings by their UUID.
    LAMBDA: _sets(
        "",
        "FunctionName",
        "FunctionName Resource",
        "ExecutedVersion FunctionName Resource",
        "EventSourceMappingUUID",
        "EventSourceMappingUUID FunctionName",
    ),
    # "Available CloudWatch metrics for Amazon SQS": the only dimension is QueueName.
    SQS: _sets("QueueName"),
    # "Amazon API Gateway dimensions and metrics", and the pages on metrics of HTTP and of WebSocket APIs.
    API: _sets(
        "ApiName",
        "ApiName Stage",
        "ApiName Method Resource Stage",
        "ApiId",
        "ApiId Stage",
        "ApiId Method Resource Stage",
        "ApiId Route Stage",
    ),
}
"""Namespace to the combinations of dimensions under which it has metrics. Others are not judged."""

_METRICS = {
    LAMBDA: _words(
        "AsyncEventAge AsyncEventsDropped AsyncEventsReceived ClaimedAccountConcurrency ConcurrentExecutions "
        "DeadLetterErrors DeletedEventCount DestinationDeliveryFailures DroppedEventCount Duration Errors "
        "FailedInvokeEventCount FilteredOutEventCount Invocations InvokedEventCount IteratorAge OffsetLag "
        "OnFailureDestinationDeliveredEventCount OversizedRecordCount PolledEventCount "
        "PostRuntimeExtensionsDuration ProvisionedConcurrencyInvocations "
        "ProvisionedConcurrencySpilloverInvocations ProvisionedConcurrencyUtilization "
        "ProvisionedConcurrentExecutions ProvisionedPollers RecursiveInvocationsDropped Throttles "
        "UnreservedConcurrentExecutions"
    ),
    SQS: _words(
        "ApproximateAgeOfOldestMessage ApproximateNumberOfMessagesDelayed "
        "ApproximateNumberOfMessagesNotVisible ApproximateNumberOfMessagesVisible NumberOfEmptyReceives "
        "NumberOfMessagesDeleted NumberOfMessagesReceived NumberOfMessagesSent SentMessageSize"
    ),
}
"""Metrics whose near misses are told from what AWS may add."""

FAILURES: Mapping[str, frozenset[str]] = {
    LAMBDA: _words(
        "AsyncEventsDropped DeadLetterErrors DestinationDeliveryFailures DroppedEventCount Errors "
        "FailedInvokeEventCount RecursiveInvocationsDropped Throttles"
    ),
    API: frozenset({"4XXError", "5XXError", "4xx", "5xx"}),
}
"""Counts of failures: 0 when all is well, and nothing at all while nobody calls."""

COUNTED = frozenset({*PUBLISHED, "AWS/DynamoDB", "AWS/Events", "AWS/Kinesis", "AWS/SNS", "AWS/States"})
"""Namespaces whose metrics are counts, sizes and times: none is ever below 0."""

_URLS = ("arn:", "http://", "https://")


@dataclass(frozen=True)
class Metric:
    """One metric, or one query, that an alarm is on."""

    key: str
    """The alarm's property that says it, by which dependencies are known."""
    given_namespace: str | Missing
    name: str | Missing
    dimensions: Any
    """Names to values; UNKNOWN or ABSENT."""
    statistic: str | Missing = ABSENT
    expression: str | Missing = ABSENT
    """A query of Metrics Insights, a SEARCH, or PromQL, which selects metrics by itself."""

    @property
    def namespace(self) -> str | Missing:
        """Its namespace; where it is not known, the one that its dimensions belong to."""
        if self.given_namespace is not ABSENT or not isinstance(self.dimensions, dict):
            return self.given_namespace
        names = {name.lower() for name in cast("dict[str, Any]", self.dimensions)}
        return next((owner for name, owner in _OWNERS.items() if name in names), ABSENT)

    @property
    def pairs(self) -> dict[str, Any]:
        """Its dimensions, as far as they are known, without those that were left out."""
        if not isinstance(self.dimensions, dict):
            return {}
        return {
            key: value for key, value in cast("dict[str, Any]", self.dimensions).items() if value is not None
        }

    @property
    def fails(self) -> bool:
        """Whether it counts failures."""
        return isinstance(self.namespace, str) and self.name in FAILURES.get(self.namespace, ())

    def problem(self) -> str:
        """Return why CloudWatch never has data for it, as a sentence; empty if it may."""
        if self.expression is not ABSENT or self.dimensions is UNKNOWN or not isinstance(self.namespace, str):
            return ""
        return self._misnamed(self.namespace) or self._mismatched(self.namespace) or self._misread()

    def _misnamed(self, namespace: str) -> str:
        """Return which of its names AWS writes otherwise."""
        lower = {each.lower(): each for each in (*PUBLISHED, *COUNTED)}
        right = lower.get(namespace.lower(), namespace)
        if right != namespace:
            return f'the namespace is "{right}", not "{namespace}"'
        known = _METRICS.get(namespace, frozenset[str]())
        near = {each.lower().rstrip("s"): each for each in known}
        if isinstance(self.name, str) and self.name not in known:
            meant = near.get(self.name.lower().rstrip("s"))
            if meant:
                return f'the metric is "{meant}", not "{self.name}"'
        words = {word.lower(): word for each in PUBLISHED.get(namespace, ()) for word in each}
        for key in self.pairs:
            meant = words.get(key.lower(), key)
            if meant != key:
                return f'the dimension is "{meant}", not "{key}"'
        return ""

    def _mismatched(self, namespace: str) -> str:
        """Return that there is no metric with just these dimensions."""
        given, published = frozenset(self.pairs), PUBLISHED.get(namespace, ())
        vocabulary = frozenset[str]().union(*published)
        if not published or given in published or (given and not given & vocabulary):
            return ""
        if self.name is ABSENT and not given:
            return ""
        near = max(published, key=lambda each: (len(each & given), -len(each ^ given)))
        return f"{namespace} has no metric with {_dimensions(given)}, but one with {_dimensions(near)}"

    def _misread(self) -> str:
        """Return which value is none that the metric has."""
        for key, value in self.pairs.items():
            if isinstance(value, str) and value and (key in NAMES or key in APIS):
                problem = _value_problem(key, value, self.namespace)
                if problem:
                    return problem
        resource, function = text(self.pairs.get("Resource")), text(self.pairs.get("FunctionName"))
        if not isinstance(resource, str) or not isinstance(function, str) or self.namespace != LAMBDA:
            return ""
        if resource.split(":", 1)[0] != function:
            return f'Resource is "{function}:<alias or version>", not "{resource}"'
        return ""


def metrics_of(alarm: Resource) -> list[Metric]:
    """Return the metrics and queries on which a metric alarm depends."""
    queries = entries(alarm.get("metricQueries"))
    found = [_of_query(each) for each in _used(queries)]
    prom = alarm.get("evaluationCriteria", "promqlCriteria", "query")
    if alarm.get("evaluationCriteria") is not ABSENT:
        query = prom if isinstance(prom, str) else UNKNOWN
        found.append(Metric("evaluationCriteria", ABSENT, ABSENT, ABSENT, expression=query))
    if not queries and not found:
        statistic = text(alarm.get("statistic"))
        found.append(
            Metric(
                "dimensions",
                text(alarm.get("namespace")),
                text(alarm.get("metricName")),
                alarm.get("dimensions"),
                statistic if statistic is not ABSENT else text(alarm.get("extendedStatistic")),
            )
        )
    return found


def _of_query(query: Any) -> Metric:
    expression = UNKNOWN if query is UNKNOWN else get(query, "expression")
    if expression is not ABSENT and get(query, "metric") is ABSENT:
        return Metric("metricQueries", ABSENT, ABSENT, ABSENT, expression=text(expression))
    metric = get(query, "metric")
    return Metric(
        "metricQueries",
        text(get(metric, "namespace")),
        text(get(metric, "metricName")),
        UNKNOWN if metric is UNKNOWN else get(metric, "dimensions"),
        text(get(metric, "stat")),
    )


def _used(queries: list[Any]) -> list[Any]:
    """Return the queries of which the watched one is made; all if it is not clear which is watched."""
    if any(query is UNKNOWN or get(query, "id") is UNKNOWN for query in queries):
        return queries
    by_id = {get(query, "id"): query for query in queries if isinstance(get(query, "id"), str)}
    todo = [key for key, query in by_id.items() if get(query, "returnData") in (True, "true")]
    if len(by_id) != len(queries) or not todo:
        return queries
    used: dict[str, Any] = {}
    while todo:
        key = todo.pop()
        if key in used:
            continue
        used[key] = by_id[key]
        expression = get(by_id[key], "expression")
        if expression is UNKNOWN or (isinstance(expression, str) and "METRICS(" in expression.upper()):
            return queries
        if isinstance(expression, str):
            todo += words(expression) & by_id.keys()
    return [query for query in queries if get(query, "id") in used]


def words(expression: str) -> set[str]:
    """Return the names in an expression of metric math."""
    return set("".join(each if each.isalnum() or each == "_" else " " for each in expression).split())


def _dimensions(names: frozenset[str]) -> str:
    return f"the dimensions {' and '.join(sorted(names))}" if names else "no dimension"


def _value_problem(key: str, value: str, namespace: str | Missing) -> str:
    """Return why no metric has this value of a dimension."""
    if namespace not in COUNTED and namespace != "AWS/Logs":
        return ""
    if key == "Resource" and namespace != LAMBDA:
        return ""
    if key.endswith("Arn"):
        return "" if value.startswith("arn:") else f'{key} is an ARN, not "{value}"'
    if value.startswith(_URLS):
        return f'{key} is a name, and "{value}" is {"an ARN" if value.startswith("arn:") else "a URL"}'
    if key == "FunctionName" and ":" in value:
        return f'FunctionName has no qualifier, and is "{value}": that is a value of Resource beside it'
    return ""
