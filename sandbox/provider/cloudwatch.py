"""CloudWatch and its logs: metric alarms, dashboards, log groups."""

from typing import Any

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.provider.names import from_aws, same_names, to_aws
from selfheal.sandbox.provider.spec import FLAG, JSON, LOCAL, MAP, VALUE, Kind, Props, Spec, values

# --- metric alarms ------------------------------------------------------------------------------------------

_ALARM = {
    **same_names(
        "alarmDescription", "actionsEnabled", "alarmActions", "insufficientDataActions", "metricName",
        "namespace", "statistic", "period", "unit", "evaluationPeriods", "datapointsToAlarm", "threshold",
        "comparisonOperator", "treatMissingData",
    ),
    "name": "AlarmName",
    "okActions": "OKActions",
    "extendedStatistic": "ExtendedStatistic",
    "thresholdMetricId": "ThresholdMetricId",
    "evaluateLowSampleCountPercentiles": "EvaluateLowSampleCountPercentile",
}  # fmt: skip
_QUERY = same_names("id", "accountId", "expression", "label", "period", "returnData")
_METRIC: dict[str, Kind] = {**values("metricName", "namespace", "period", "stat", "unit"), "dimensions": MAP}


def _put_alarm(clients: Clients, inputs: Props) -> str:
    # PutMetricAlarm replaces an alarm of the same name; the AWS provider creates with it as well.
    arguments = to_aws(inputs, _ALARM)
    if inputs.get("dimensions"):
        arguments["Dimensions"] = _pairs(inputs["dimensions"])
    if inputs.get("metricQueries"):
        arguments["Metrics"] = [_query(q) for q in inputs["metricQueries"]]
    clients.get("cloudwatch").put_metric_alarm(**arguments)  # replaces everything but the state
    return str(inputs["name"])


def _read_alarm(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
    api = clients.get("cloudwatch")
    found = api.describe_alarms(AlarmNames=[id_], AlarmTypes=["MetricAlarm"])["MetricAlarms"]
    if not found:
        return None
    live = found[0]
    return {
        **from_aws(live, _ALARM),
        "dimensions": _map(live.get("Dimensions", [])),
        "metricQueries": [_read_query(q) for q in live.get("Metrics", [])],
        "arn": live["AlarmArn"],
    }


def _query(query: Props) -> dict[str, Any]:
    result = to_aws(query, _QUERY)
    metric = query.get("metric")
    if metric:
        result["MetricStat"] = {
            "Metric": {
                **to_aws(metric, same_names("namespace", "metricName")),
                "Dimensions": _pairs(metric.get("dimensions") or {}),
            },
            **to_aws(metric, same_names("period", "stat", "unit")),
        }
    # The API defaults to true, the AWS provider to false.
    result["ReturnData"] = bool(query.get("returnData"))
    return result


def _read_query(query: dict[str, Any]) -> Props:
    result = from_aws(query, _QUERY)
    stat = query.get("MetricStat")
    if stat:
        result["metric"] = {
            **from_aws(stat["Metric"], same_names("namespace", "metricName")),
            "dimensions": _map(stat["Metric"].get("Dimensions", [])),
            **from_aws(stat, same_names("period", "stat", "unit")),
        }
    return result


def _pairs(dimensions: dict[str, str]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in dimensions.items()]


def _map(dimensions: list[dict[str, str]]) -> dict[str, str]:
    return {d["Name"]: d["Value"] for d in dimensions}


METRIC_ALARM = Spec(
    inputs={
        **values(*_ALARM),
        "alarmActions": [VALUE],
        "okActions": [VALUE],
        "insufficientDataActions": [VALUE],
        "dimensions": MAP,
        "metricQueries": [{**values(*_QUERY), "returnData": FLAG, "metric": _METRIC}],
    },
    required=frozenset({"comparisonOperator", "evaluationPeriods"}),
    computed=frozenset({"arn"}),
    name="name",
    identity=frozenset({"name"}),
    replace=frozenset({"name"}),
    defaults={"actionsEnabled": True, "treatMissingData": "missing"},
    create=_put_alarm,
    read=_read_alarm,
    update=lambda clients, _id, _old, new: _put_alarm(clients, new),
    delete=lambda clients, id_, _: clients.get("cloudwatch").delete_alarms(AlarmNames=[id_]),
)

# --- dashboards ---------------------------------------------------------------------------------------------


def _put_dashboard(clients: Clients, inputs: Props) -> str:
    # PutDashboard replaces a dashboard of the same name; the AWS provider creates with it as well.
    clients.get("cloudwatch").put_dashboard(
        DashboardName=inputs["dashboardName"], DashboardBody=inputs["dashboardBody"]
    )
    return str(inputs["dashboardName"])


DASHBOARD = Spec(
    inputs={"dashboardName": VALUE, "dashboardBody": JSON},
    required=frozenset({"dashboardName", "dashboardBody"}),
    computed=frozenset({"dashboardArn"}),
    identity=frozenset({"dashboardName"}),
    replace=frozenset({"dashboardName"}),
    create=_put_dashboard,
    read=lambda clients, id_, _: from_aws(
        clients.get("cloudwatch").get_dashboard(DashboardName=id_),
        same_names("dashboardName", "dashboardBody", "dashboardArn"),
    ),
    update=lambda clients, _id, _old, new: _put_dashboard(clients, new),
    delete=lambda clients, id_, _: clients.get("cloudwatch").delete_dashboards(DashboardNames=[id_]),
)

# --- log groups ---------------------------------------------------------------------------------------------


def _create_log_group(clients: Clients, inputs: Props) -> str:
    api = clients.get("logs")
    arguments = {"logGroupName": inputs["name"]}
    arguments |= {key: inputs[key] for key in ("kmsKeyId", "logGroupClass") if inputs.get(key)}
    # Refused if it exists, for example because its function ran before; so it is on AWS.
    api.create_log_group(**arguments)
    return str(inputs["name"])


def _read_log_group(clients: Clients, id_: str, inputs: Props) -> Props | None:  # noqa: ARG001
    pages = clients.get("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix=id_)
    live = next((g for page in pages for g in page["logGroups"] if g["logGroupName"] == id_), None)
    if live is None:
        return None
    return {
        "name": live["logGroupName"],
        "retentionInDays": live.get("retentionInDays") or 0,
        "kmsKeyId": live.get("kmsKeyId"),
        "logGroupClass": live.get("logGroupClass", "STANDARD"),
        "arn": live["arn"].removesuffix(":*"),
    }


def _set_retention(clients: Clients, id_: str, inputs: Props) -> None:
    """Set how long events are kept; 0 days (the default) is for ever."""
    api = clients.get("logs")
    if inputs.get("retentionInDays"):
        api.put_retention_policy(logGroupName=id_, retentionInDays=inputs["retentionInDays"])
    else:
        api.delete_retention_policy(logGroupName=id_)


def _delete_log_group(clients: Clients, id_: str, inputs: Props) -> None:
    if not inputs.get("skipDestroy"):
        clients.get("logs").delete_log_group(logGroupName=id_)


LOG_GROUP = Spec(
    inputs={**values("name", "retentionInDays", "kmsKeyId", "logGroupClass"), "skipDestroy": LOCAL},
    computed=frozenset({"arn"}),
    name="name",
    name_limit=512,
    identity=frozenset({"name"}),
    replace=frozenset({"name", "kmsKeyId", "logGroupClass"}),
    defaults={"retentionInDays": 0, "skipDestroy": False},
    unset={"logGroupClass": "STANDARD"},
    create=_create_log_group,
    complete=_set_retention,
    read=_read_log_group,
    update=lambda clients, id_, _, new: _set_retention(clients, id_, new),
    delete=_delete_log_group,
)
