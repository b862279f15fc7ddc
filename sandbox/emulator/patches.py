"""Replaces the functions of ministack that behave otherwise than AWS. Each replacement names its AWS source.

The replaced functions are private, so a start fails with any other version of ministack than the one they
were read in, and if one of them is missing.
"""

import os
import threading
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from selfheal.sandbox.emulator import simulation
from selfheal.sandbox.emulator.alarm_api import math_kept, no_evaluation, query_as_json
from selfheal.sandbox.emulator.deliveries import Deliveries
from selfheal.sandbox.emulator.distributions import Distributions
from selfheal.sandbox.emulator.documents import Documents, extension_published
from selfheal.sandbox.emulator.enforcement import (
    batches_as_single,
    lambda_actions,
    resources_named,
    with_condition_keys,
)
from selfheal.sandbox.emulator.faults import EmulatorFaults
from selfheal.sandbox.emulator.fis import Fis
from selfheal.sandbox.emulator.integration_roles import IntegrationRoles
from selfheal.sandbox.emulator.invocation_faults import injected, shortened
from selfheal.sandbox.emulator.leading_keys import key_schema, tables_with_keys, transactions_with_keys
from selfheal.sandbox.emulator.mapping_checks import MappingChecks
from selfheal.sandbox.emulator.metrics import logs_and_metrics, throttles_only
from selfheal.sandbox.emulator.queue_metrics import QueueMetrics
from selfheal.sandbox.emulator.rest_apis import RestApis
from selfheal.sandbox.emulator.rest_patches import apply_patch
from selfheal.sandbox.emulator.stream_failures import FailureDestination
from selfheal.sandbox.emulator.stream_metrics import StreamMetrics
from selfheal.sandbox.emulator.streams import shards_read
from selfheal.sandbox.emulator.workers import (
    busy_spared,
    crash_named,
    raised_as_error,
    raising_survived,
    retired_ended,
    started_alone,
    time_left,
)
from selfheal.sandbox.emulator.workflows import delays_bounded, retriers_checked, throttles_named

VERSION = "1.5.33"
"""The ministack whose private functions are replaced here. Read them again before you change this."""

USED: Mapping[str, tuple[str, ...]] = {
    "cloudwatch": (
        *("_evaluate_alarm", "_evaluate_all_alarms", "_put_metric_alarm", "_describe_alarms"),
        *("_alarms", "_composite_alarms", "_store_datum", "_xml", "_error", "_dims_key", "_metric_bucket"),
    ),
    "cloudfront": (
        *("_fetch_from_origin", "_origin_connect_target", "_origin_request_headers", "OriginUnreachable"),
        *("_multidict_from_pairs", "_create_distribution", "_update_distribution"),
    ),
    "lambda_svc": (
        *("_emit_lambda_metrics", "_emit_lambda_logs", "_esms", "_execute_function_warm"),
        *("_poll_kinesis", "_iter_all_esms", "get_account_id"),
        *("_dispatch_esm_batch", "_kinesis_positions", "_execute_function", "_apply_filter_criteria"),
        *("_create_esm", "_update_esm", "_resolve_existing_esm_function", "error_response_json"),
        *("_get_func_record_for_qualifier", "_cross_account_read_blocked", "_get_func_record_for_ref"),
        "release_worker",
    ),
    "iam_actions": (
        *("extract_resource_arn", "extract_iam_action", "dynamodb_resource_arns"),
        *("dynamodb_transaction_checks", "_match_rest_action", "_BOTOCORE_SERVICE_MAP"),
        *("_action_from_query", "_action_from_target", "access_denied_response", "SERVICE_TO_IAM_NAMESPACE"),
    ),
    "iam": ("_roles", "_extract_simulate_params", "_build_simulate_results_real", "_p"),
    "iam_evaluator": (
        *("enforce", "EvalContext", "evaluate", "_gather_role_policies", "_permissions_boundary"),
        "pin_request_origin",
    ),
    "dynamodb": ("_tables",),
    "lambda_runtime": (
        *("_PYTHON_WORKER_SCRIPT", "Worker", "_workers", "_lock", "kill_workers", "release_worker"),
    ),
    "apigateway_v1": (
        *("_execute_in_scope", "_invoke_sqs_v1", "_render_request_template_v1", "_vtl_util"),
        *("_check_request_validation", "_gateway_error_response", "_header_ci", "_vtl_split_args"),
        *("_apply_patch", "_vtl_value", "_vtl_str", "_model_schema", "_resolve_schema_ref"),
        *("_service_integration_response", "find_api_scope", "handle_execute"),
    ),
    "concurrency": ("spawn_background",),
    "responses": (
        *("request_scope", "get_region", "get_account_id", "error_response_json", "json_response"),
        *("AccountRegionScopedDict", "_service_model", "_BOTOCORE_NAME"),
    ),
    "eventbridge": (
        *("_invoke_target", "_put_targets", "_pattern_event_view", "_apply_input_transformer"),
        *("_event_buses", "error_response_json", "_replays"),
    ),
    "kinesis": ("_streams", "_resolve_stream_by_arn", "put_record_internal"),
    "s3": ("handle_request",),
    "sns": ("publish_internal", "_topics"),
    "sqs": (
        *("_queue_by_arn", "queue_delay", "_md5_msg_attrs", "_ensure_msg_fields", "_queues_lock"),
        *("esm_wake", "_get_q", "_queues", "_act_send_message", "_HANDLERS", "_Err"),
        "_dispatch",
    ),
    "router": ("SERVICE_PATTERNS",),
    "ssm": ("handle_request", "get_state", "load_persisted_state", "reset", "_public_parameter"),
    "app": (
        *("SERVICE_HANDLERS", "SERVICE_REGISTRY", "_lazy_handler", "_loaded_modules", "_state_map"),
        *("_handle_post_body_shortcuts", "_dispatch_service_request"),
    ),
    "stepfunctions": (
        *("_resolve_state_machine_arn", "_find_matching_retrier", "_validate_definition_jsonata"),
        *("_call_lambda", "_ExecutionError"),
    ),
}
"""By module, everything of ministack that is replaced, called or read here."""


_CORE = {"concurrency", "iam_actions", "iam_evaluator", "lambda_runtime", "responses", "router"}

PACKAGES: Mapping[str, str] = {
    module: "" if module == "app" else ".core" if module in _CORE else ".services" for module in USED
}
"""By module, the package of ministack that it is in."""


def patch(modules: Mapping[str, Any]) -> None:
    """Replace the functions. `modules` holds those that `USED` names.

    Raises RuntimeError for another version of ministack, and names everything that is missing.
    """
    if (installed := version("ministack")) != VERSION:
        raise RuntimeError(
            f"the sandbox corrects private functions of ministack {VERSION}; installed is {installed}. "
            "Install the version pinned in requirements-dev.txt."
        )
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
    _alarms(modules["cloudwatch"])
    _functions(modules["lambda_svc"], modules["lambda_runtime"], modules["cloudwatch"])
    _permissions(modules)
    _mappings(modules)
    _rules(modules)
    _workflows(modules["stepfunctions"])
    _rest_apis(modules["apigateway_v1"])
    _distributions(modules)
    _queue_metrics(modules)
    _documents(modules)
    _faults(modules)


def _alarms(cloudwatch: Any) -> None:
    xml, error = cloudwatch._xml, cloudwatch._error  # noqa: SLF001
    put = math_kept(cloudwatch._put_metric_alarm, cloudwatch._alarms)  # noqa: SLF001
    describe = cloudwatch._describe_alarms  # noqa: SLF001
    _replace(
        cloudwatch,
        _evaluate_alarm=no_evaluation,
        _evaluate_all_alarms=no_evaluation,
        _put_metric_alarm=query_as_json("PutMetricAlarm", put, xml, error),
        _describe_alarms=query_as_json("DescribeAlarms", describe, xml, error),
    )


def _functions(functions: Any, runtime: Any, cloudwatch: Any) -> None:
    store = cloudwatch._store_datum  # noqa: SLF001
    _replace(
        functions,
        _emit_lambda_metrics=throttles_only(store),
        _emit_lambda_logs=logs_and_metrics(functions._emit_lambda_logs, store),  # noqa: SLF001
        _execute_function_warm=crash_named(raised_as_error(functions._execute_function_warm)),  # noqa: SLF001
    )
    script = raising_survived(runtime._PYTHON_WORKER_SCRIPT)  # noqa: SLF001
    kill, lock = runtime.kill_workers, runtime._lock  # noqa: SLF001
    released = retired_ended(runtime.release_worker, kill, lock)
    _replace(runtime, _PYTHON_WORKER_SCRIPT=time_left(script), kill_workers=busy_spared(kill, lock))
    _replace(runtime, release_worker=released)
    _replace(functions, release_worker=released)


def _mappings(modules: Mapping[str, Any]) -> None:
    functions, sqs = modules["lambda_svc"], modules["sqs"]
    destination = FailureDestination(sqs, modules["sns"], modules["s3"])
    metrics = StreamMetrics(modules["cloudwatch"]._store_datum)  # noqa: SLF001
    scope = modules["responses"].request_scope
    checks = MappingChecks(functions, sqs)
    _replace(
        functions,
        _poll_kinesis=shards_read(functions, modules["kinesis"], destination, metrics, scope),
        _create_esm=checks.creating(functions._create_esm),  # noqa: SLF001
        _update_esm=checks.updating(functions._update_esm),  # noqa: SLF001
    )
    _replace(sqs, _act_send_message=checks.sending(sqs._act_send_message))  # noqa: SLF001
    sqs._HANDLERS["SendMessage"] = sqs._act_send_message  # noqa: SLF001


def _rules(modules: Mapping[str, Any]) -> None:
    events, deliveries = modules["eventbridge"], Deliveries(modules)
    _replace(
        events,
        _invoke_target=deliveries.invoking(events._invoke_target),  # noqa: SLF001
        _put_targets=deliveries.policies_checked(events._put_targets),  # noqa: SLF001
    )


def _workflows(workflows: Any) -> None:
    error = workflows._ExecutionError  # noqa: SLF001
    _replace(
        workflows,
        _find_matching_retrier=delays_bounded(workflows._find_matching_retrier),  # noqa: SLF001
        _validate_definition_jsonata=retriers_checked(workflows._validate_definition_jsonata),  # noqa: SLF001
        _call_lambda=throttles_named(workflows._call_lambda, error),  # noqa: SLF001
    )


def _rest_apis(gateway: Any) -> None:
    apis = RestApis(gateway)
    _replace(
        gateway,
        _execute_in_scope=apis.remembered(gateway._execute_in_scope),  # noqa: SLF001
        _invoke_sqs_v1=apis.with_context(gateway._invoke_sqs_v1),  # noqa: SLF001
        _render_request_template_v1=apis.rendered(gateway._render_request_template_v1),  # noqa: SLF001
        _vtl_util=apis.escaping(gateway._vtl_util),  # noqa: SLF001
        _check_request_validation=apis.validated(gateway._check_request_validation),  # noqa: SLF001
        _gateway_error_response=apis.explained(gateway._gateway_error_response),  # noqa: SLF001
        _service_integration_response=apis.mapped(gateway._service_integration_response),  # noqa: SLF001
    )


def _distributions(modules: Mapping[str, Any]) -> None:
    cloudfront, edge = modules["cloudfront"], Distributions(modules)
    _replace(
        cloudfront,
        _fetch_from_origin=edge.fetched(cloudfront._fetch_from_origin),  # noqa: SLF001
        _create_distribution=edge.certified(cloudfront._create_distribution),  # noqa: SLF001
        _update_distribution=edge.certified(cloudfront._update_distribution),  # noqa: SLF001
    )


def _queue_metrics(modules: Mapping[str, Any]) -> None:
    sqs = modules["sqs"]
    metrics = QueueMetrics(sqs, modules["cloudwatch"], modules["responses"].request_scope)
    _replace(sqs, _get_q=metrics.used(sqs._get_q))  # noqa: SLF001
    threading.Thread(target=metrics.run, name="queue-metrics", daemon=True).start()


def _documents(modules: Mapping[str, Any]) -> None:
    ssm, documents = modules["ssm"], Documents(modules)
    _replace(
        ssm,
        handle_request=documents.answering(ssm.handle_request),
        get_state=documents.saved(ssm.get_state),
        load_persisted_state=documents.loaded(ssm.load_persisted_state),
        reset=documents.forgotten(ssm.reset),
        _public_parameter=extension_published(ssm._public_parameter, modules["responses"].get_region),  # noqa: SLF001
    )


def _faults(modules: Mapping[str, Any]) -> None:
    app, functions, runtime = modules["app"], modules["lambda_svc"], modules["lambda_runtime"]
    fis, faults = Fis(modules), EmulatorFaults(modules)
    modules["router"].SERVICE_PATTERNS["fis"] = {"credential_scope": "fis"}
    app.SERVICE_REGISTRY["fis"] = {"module": "fis"}
    app._loaded_modules["fis"] = fis  # noqa: SLF001
    app._state_map["fis"] = "fis"  # noqa: SLF001
    app.SERVICE_HANDLERS["fis"] = app._lazy_handler("fis")  # noqa: SLF001
    for name, handler in list(app.SERVICE_HANDLERS.items()):
        app.SERVICE_HANDLERS[name] = faults.throttling(name, handler)
    meets = fis.experiments.meets
    _replace(app, _handle_post_body_shortcuts=faults.controlled(app._handle_post_body_shortcuts))  # noqa: SLF001
    _replace(functions, _execute_function_warm=injected(functions._execute_function_warm, meets))  # noqa: SLF001
    _replace(runtime.Worker, invoke=shortened(started_alone(runtime.Worker.invoke)))
    threading.Thread(target=fis.experiments.run, name="experiments", daemon=True).start()


def _permissions(modules: Mapping[str, Any]) -> None:
    actions, evaluator = modules["iam_actions"], modules["iam_evaluator"]
    schema = key_schema(modules["dynamodb"]._tables)  # noqa: SLF001
    for service in ("lambda", "fis"):
        actions._BOTOCORE_SERVICE_MAP[service] = [service]  # noqa: SLF001  (the routes that name its actions)
    actions.SERVICE_TO_IAM_NAMESPACE["fis"] = "fis"
    _replace(
        actions,
        extract_resource_arn=resources_named(actions.extract_resource_arn),
        extract_iam_action=batches_as_single(
            lambda_actions(actions.extract_iam_action, actions._match_rest_action)  # noqa: SLF001
        ),
        dynamodb_resource_arns=tables_with_keys(actions.dynamodb_resource_arns, schema),
        dynamodb_transaction_checks=transactions_with_keys(actions.dynamodb_transaction_checks, schema),
    )
    _replace(modules["apigateway_v1"], _apply_patch=apply_patch)
    if os.environ.get("AUTH") == "true":
        roles, gateway, sqs = IntegrationRoles(modules), modules["apigateway_v1"], modules["sqs"]
        _replace(gateway, _invoke_sqs_v1=roles.remembered(gateway._invoke_sqs_v1))  # noqa: SLF001
        _replace(sqs, _dispatch=roles.judged(sqs._dispatch))  # noqa: SLF001
    mappings = modules["lambda_svc"]._esms  # noqa: SLF001
    _replace(
        evaluator,
        enforce=with_condition_keys(evaluator.enforce, mappings),
        evaluate=simulation.evaluated(evaluator.evaluate),
    )
    iam = modules["iam"]
    _replace(
        iam,
        _extract_simulate_params=simulation.reading(iam._extract_simulate_params, iam._p),  # noqa: SLF001
        _build_simulate_results_real=simulation.ended(iam._build_simulate_results_real),  # noqa: SLF001
    )


def _replace(owner: object, **replacements: object) -> None:
    for name, replacement in replacements.items():
        setattr(owner, name, replacement)
