"""Replaces the functions of ministack that behave otherwise than AWS. Each replacement names its AWS source.

The replaced functions are private, so a start fails if the installed ministack lacks one of them.
"""

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from selfheal.sandbox.emulator.alarm_api import math_kept, no_evaluation, query_as_json
from selfheal.sandbox.emulator.enforcement import lambda_actions, resources_named, with_condition_keys
from selfheal.sandbox.emulator.leading_keys import key_schema, tables_with_keys, transactions_with_keys
from selfheal.sandbox.emulator.metrics import logs_and_metrics, throttles_only
from selfheal.sandbox.emulator.rest_api import apply_patch

USED: Mapping[str, tuple[str, ...]] = {
    "cloudwatch": (
        *("_evaluate_alarm", "_evaluate_all_alarms", "_put_metric_alarm", "_describe_alarms"),
        *("_alarms", "_store_datum", "_xml", "_error"),
    ),
    "lambda_svc": ("_emit_lambda_metrics", "_emit_lambda_logs", "_esms"),
    "iam_actions": (
        *("extract_resource_arn", "extract_iam_action", "dynamodb_resource_arns"),
        *("dynamodb_transaction_checks", "_match_rest_action", "_BOTOCORE_SERVICE_MAP"),
    ),
    "iam_evaluator": ("enforce",),
    "dynamodb": ("_tables",),
    "apigateway_v1": ("_apply_patch",),
}
"""By module, everything of ministack that is replaced, called or read here."""


def patch(modules: Mapping[str, ModuleType]) -> None:
    """Replace the functions. `modules` holds those that `USED` names.

    Raises RuntimeError, which names everything that is missing, for another version of ministack.
    """
    missing = [
        f"{module}.{name}"
        for module, names in USED.items()
        for name in names
        if not hasattr(modules[module], name)
    ]
    if missing:
        raise RuntimeError(
            f"this version of ministack has no {', '.join(missing)}: without them, metrics, alarms and "
            "permissions of the sandbox would be wrong. Install the version pinned in requirements-dev.txt."
        )
    cloudwatch: Any = modules["cloudwatch"]
    functions: Any = modules["lambda_svc"]
    actions: Any = modules["iam_actions"]
    evaluator: Any = modules["iam_evaluator"]
    dynamodb: Any = modules["dynamodb"]
    store, xml, error = cloudwatch._store_datum, cloudwatch._xml, cloudwatch._error  # noqa: SLF001
    put = math_kept(cloudwatch._put_metric_alarm, cloudwatch._alarms)  # noqa: SLF001
    describe = cloudwatch._describe_alarms  # noqa: SLF001
    _replace(
        cloudwatch,
        _evaluate_alarm=no_evaluation,
        _evaluate_all_alarms=no_evaluation,
        _put_metric_alarm=query_as_json("PutMetricAlarm", put, xml, error),
        _describe_alarms=query_as_json("DescribeAlarms", describe, xml, error),
    )
    _replace(
        functions,
        _emit_lambda_metrics=throttles_only(store),
        _emit_lambda_logs=logs_and_metrics(functions._emit_lambda_logs, store),  # noqa: SLF001
    )
    schema = key_schema(dynamodb._tables)  # noqa: SLF001
    actions._BOTOCORE_SERVICE_MAP["lambda"] = ["lambda"]  # noqa: SLF001  (the routes that name its actions)
    _replace(
        actions,
        extract_resource_arn=resources_named(actions.extract_resource_arn),
        extract_iam_action=lambda_actions(actions.extract_iam_action, actions._match_rest_action),  # noqa: SLF001
        dynamodb_resource_arns=tables_with_keys(actions.dynamodb_resource_arns, schema),
        dynamodb_transaction_checks=transactions_with_keys(actions.dynamodb_transaction_checks, schema),
    )
    _replace(modules["apigateway_v1"], _apply_patch=apply_patch)
    _replace(evaluator, enforce=with_condition_keys(evaluator.enforce, functions._esms))  # noqa: SLF001


def _replace(module: object, **functions: Callable[..., Any]) -> None:
    for name, function in functions.items():
        setattr(module, name, function)
