"""Entry of the emulator's own process: ministack, with eleven functions replaced.

Run by `sandbox.emulator` and never imported in its process: importing ministack reads the environment.
Its standard input is a pipe held by the parent: when that closes, for whatever reason, the process saves its
state and ends, so that a killed parent leaves no orphan.
"""

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from selfheal.sandbox.emulator.alarm_api import math_kept, no_evaluation, query_as_json
from selfheal.sandbox.emulator.enforcement import lambda_actions, resources_named, with_condition_keys
from selfheal.sandbox.emulator.leading_keys import key_schema, tables_with_keys, transactions_with_keys
from selfheal.sandbox.emulator.metrics import logs_and_metrics, throttles_only

NEEDED = {
    "cloudwatch": (
        "_evaluate_alarm",
        "_evaluate_all_alarms",
        "_put_metric_alarm",
        "_describe_alarms",
        "_store_datum",  # these three are called, not replaced
        "_xml",
        "_error",
    ),
    "lambda_svc": ("_emit_lambda_metrics", "_emit_lambda_logs"),
    "iam_actions": (
        "extract_resource_arn",
        "extract_iam_action",
        "dynamodb_resource_arns",
        "dynamodb_transaction_checks",
        "_match_rest_action",  # called, not replaced
    ),
    "iam_evaluator": ("enforce",),
}
"""The functions this rests on. A ministack that lacks one must fail at once, not run half patched."""

_GRACE_SECONDS = 8.0


STORES = {
    "dynamodb": ("_tables",),
    "lambda_svc": ("_esms",),
    "iam_actions": ("_BOTOCORE_SERVICE_MAP",),
}
"""The data this reads, or adds to."""


def patch(modules: Mapping[str, ModuleType]) -> None:
    """Replace the eleven functions; `modules` is by the names of `NEEDED` and `STORES`.

    Raises RuntimeError naming everything that this ministack lacks.
    """
    missing = [
        f"{module}.{name}"
        for module, names in NEEDED.items()
        for name in names
        if not callable(getattr(modules[module], name, None))
    ]
    missing += [
        f"{module}.{name}"
        for module, names in STORES.items()
        for name in names
        if not hasattr(modules[module], name)
    ]
    if missing:
        raise RuntimeError(
            f"this version of ministack has no {', '.join(missing)}: the sandbox rests on them, and its "
            "metrics, alarms and permissions would be wrong without. Install the version pinned in "
            "requirements-dev.txt."
        )
    _patch_metrics(modules["cloudwatch"], modules["lambda_svc"])
    _patch_permissions(modules)


def _patch_metrics(metrics: Any, functions: Any) -> None:
    store, xml, error = metrics._store_datum, metrics._xml, metrics._error  # noqa: SLF001
    put = math_kept(metrics._put_metric_alarm, metrics._alarms)  # noqa: SLF001
    describe = metrics._describe_alarms  # noqa: SLF001
    replacements: dict[str, Callable[..., Any]] = {
        "_evaluate_alarm": no_evaluation,
        "_evaluate_all_alarms": no_evaluation,
        "_put_metric_alarm": query_as_json("PutMetricAlarm", put, xml, error),
        "_describe_alarms": query_as_json("DescribeAlarms", describe, xml, error),
    }
    for name, function in replacements.items():
        setattr(metrics, name, function)
    functions._emit_lambda_metrics = throttles_only(store)  # noqa: SLF001
    functions._emit_lambda_logs = logs_and_metrics(functions._emit_lambda_logs, store)  # noqa: SLF001


def _patch_permissions(modules: Mapping[str, Any]) -> None:
    actions, evaluator = modules["iam_actions"], modules["iam_evaluator"]
    schema = key_schema(modules["dynamodb"]._tables)  # noqa: SLF001
    actions._BOTOCORE_SERVICE_MAP["lambda"] = ["lambda"]  # noqa: SLF001  (which routes it looks actions up in)
    replacements: dict[str, Callable[..., Any]] = {
        "extract_resource_arn": resources_named(actions.extract_resource_arn),
        "extract_iam_action": lambda_actions(actions.extract_iam_action, actions._match_rest_action),  # noqa: SLF001
        "dynamodb_resource_arns": tables_with_keys(actions.dynamodb_resource_arns, schema),
        "dynamodb_transaction_checks": transactions_with_keys(actions.dynamodb_transaction_checks, schema),
    }
    for name, function in replacements.items():
        setattr(actions, name, function)
    evaluator.enforce = with_condition_keys(evaluator.enforce, modules["lambda_svc"]._esms)  # noqa: SLF001


def end_with_parent() -> None:
    """Wait until the parent closes our standard input, then end this process and the workers of its group."""
    with contextlib.suppress(OSError):
        while os.read(0, 1024):
            pass
    os.kill(os.getpid(), signal.SIGTERM)  # saves the state, if asked to persist it
    time.sleep(_GRACE_SECONDS)
    end_group()


def end_group() -> None:
    """End this process and the function workers it started, at once."""
    if os.getpgrp() == os.getpid():  # not when a person runs this file inside the group of a shell
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(1)


def main() -> None:
    """Patch ministack and serve until a signal or the parent's end."""
    from ministack import app  # noqa: PLC0415  (reads the environment when imported)
    from ministack.core import iam_actions, iam_evaluator  # noqa: PLC0415
    from ministack.services import cloudwatch, dynamodb, lambda_svc  # noqa: PLC0415

    patch(
        {
            "cloudwatch": cloudwatch,
            "dynamodb": dynamodb,
            "iam_actions": iam_actions,
            "iam_evaluator": iam_evaluator,
            "lambda_svc": lambda_svc,
        }
    )
    threading.Thread(target=end_with_parent, name="end-with-parent", daemon=True).start()
    sys.argv[1:] = []
    try:
        app.main()
    finally:
        end_group()


if __name__ == "__main__":
    main()
