"""What AWS refuses of event source mappings and of messages, and ministack accepts.

Sources: Lambda developer guide, "Creating and configuring an Amazon SQS event source mapping" and "Lambda
parameters for Amazon Kinesis Data Streams event source mappings"; API reference of SQS, SendMessage. The
texts are those that AWS answers.
"""

from collections.abc import Callable, Mapping
from typing import Any

_MAX_DELAY = 900

_STREAM_DEFAULTS: Mapping[str, Any] = {
    "BatchSize": 100,
    "BisectBatchOnFunctionError": False,
    "MaximumRecordAgeInSeconds": -1,
    "MaximumRetryAttempts": -1,
    "ParallelizationFactor": 1,
}
"""Ministack has a batch size of 10 for streams and does not show the others."""


class MappingChecks:
    """Replaces functions of ministack's Lambda; `functions` and `sqs` are modules."""

    def __init__(self, functions: Any, sqs: Any) -> None:
        """Look functions and queues up in these modules."""
        self._functions, self._sqs = functions, sqs

    def creating(self, create: Callable[..., Any]) -> Callable[..., Any]:
        """Return the replacement of `_create_esm`."""

        def created(data: dict[str, Any]) -> Any:
            source = data.get("EventSourceArn", "")
            if ":kinesis:" in source:
                data = {**_STREAM_DEFAULTS, **data}
            name = data.get("FunctionName", "")
            return self._refusal(source, name) or self._existing(source, name) or create(data)

        return created

    def updating(self, update: Callable[..., Any]) -> Callable[..., Any]:
        """Return the replacement of `_update_esm`."""

        def updated(mapping_id: str, data: dict[str, Any]) -> Any:
            mapping = self._functions._esms.get(mapping_id)  # noqa: SLF001
            if mapping and "FunctionName" in data:
                refusal = self._refusal(mapping["EventSourceArn"], data["FunctionName"])
                if refusal is not None:
                    return refusal
            return update(mapping_id, data)

        return updated

    def _refusal(self, source: str, function: str) -> Any:
        """Return AWS's refusal of a queue whose messages reappear before the function has to be done."""
        queue = self._sqs._queue_by_arn(source) if ":sqs:" in source else None  # noqa: SLF001
        config = self._config(function)
        if queue is None or config is None:
            return None
        visibility = int(queue["attributes"].get("VisibilityTimeout", 30))
        if visibility >= int(config["Timeout"]):
            return None
        return self._functions.error_response_json(
            "InvalidParameterValueException",
            f"Queue visibility timeout: {visibility} seconds is less than Function timeout: "
            f"{config['Timeout']} seconds",
            400,
        )

    def _existing(self, source: str, function: str) -> Any:
        """Return AWS's refusal of a second mapping of the same queue to the same function."""
        name, qualifier, error = self._functions._resolve_existing_esm_function(function)  # noqa: SLF001
        for mapping in [] if error or ":sqs:" not in source else self._functions._esms.values():  # noqa: SLF001
            if (mapping["EventSourceArn"], mapping["FunctionName"]) == (source, name) and (
                mapping.get("Qualifier") == qualifier
            ):
                return self._functions.error_response_json(
                    "ResourceConflictException",
                    f'An event source mapping with SQS arn (" {source} ") and function (" {name} ") already '
                    f"exists. Please update or delete the existing mapping with UUID {mapping['UUID']}",
                    409,
                )
        return None

    def _config(self, function: str) -> dict[str, Any] | None:
        name, qualifier, error = self._functions._resolve_existing_esm_function(function)  # noqa: SLF001
        if error:
            return None  # ministack says what is wrong
        return self._functions._get_func_record_for_qualifier(name, qualifier)[1]  # noqa: SLF001

    def sending(self, send: Callable[..., Any]) -> Callable[..., Any]:
        """Return the replacement of `_act_send_message`, for single messages and for batches."""

        def sent(data: dict[str, Any], url: str) -> Any:
            delay = data.get("DelaySeconds")
            if delay is not None and not 0 <= int(delay) <= _MAX_DELAY:
                raise self._sqs._Err(  # noqa: SLF001
                    "InvalidParameterValue",
                    f"Value {delay} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 "
                    f"and <= {_MAX_DELAY}.",
                )
            return send(data, url)

        return sent
