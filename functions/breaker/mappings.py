"""Reads and changes event source mappings.

Mappings are looked up by function and queue: one that a deployment replaced has another UUID.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from botocore.exceptions import ClientError

from selfheal.functions.breaker.control import Change, Mapping, MappingState
from selfheal.functions.shared.log import log

BUSY = ("ResourceInUseException", "ResourceConflictException")
"""AWS is changing the mapping: the next run tries again."""
GONE = "ResourceNotFoundException"


@dataclass(frozen=True)
class Consumer:
    """A function that calls through the breaker, and the queue that feeds it."""

    function: str
    """Name."""
    source_arn: str
    maximum_concurrency: int
    """Of its mapping when the circuit is closed, 2 to 1,000."""


def parse_consumers(text: str) -> list[Consumer]:
    """Return the consumers in a JSON list of objects with the fields of `Consumer`.

    Raises:
        ValueError: when a MaximumConcurrency is out of AWS's range.
        TypeError: when a field is missing or unknown.

    """
    consumers = [Consumer(**each) for each in json.loads(text)]
    for each in consumers:
        if not 2 <= each.maximum_concurrency <= 1000:  # noqa: PLR2004 - AWS's range
            raise ValueError(
                f"maximum_concurrency of {each.function} must be from 2 to 1000, "
                f"got {each.maximum_concurrency}"
            )
    return consumers


def read(client: Any, consumers: Iterable[Consumer]) -> list[Mapping]:
    """Return the mappings of all consumers.

    Raises:
        ValueError: when a mapping is in a state that is none of SQS mappings'.

    """
    return [mapping for consumer in consumers for mapping in _of(client, consumer)]


def _of(client: Any, consumer: Consumer) -> Iterable[Mapping]:
    pages = client.get_paginator("list_event_source_mappings").paginate(
        FunctionName=consumer.function, EventSourceArn=consumer.source_arn
    )
    for page in pages:
        for raw in page["EventSourceMappings"]:
            yield Mapping(
                raw["UUID"],
                MappingState(raw["State"]),
                (raw.get("ScalingConfig") or {}).get("MaximumConcurrency"),
                consumer.maximum_concurrency,
            )


def change(client: Any, changes: Sequence[Change]) -> list[str]:
    """Change mappings and return the ids of those that AWS accepted; the others are for the next run.

    Each is tried: that one is busy must not keep the next running into a dead dependency.
    """
    done: list[str] = []
    for each in changes:
        arguments: dict[str, Any] = {"UUID": each.id}
        if each.enabled is not None:
            arguments["Enabled"] = each.enabled
        if each.concurrency is not None:
            arguments["ScalingConfig"] = {"MaximumConcurrency": each.concurrency}
        try:
            client.update_event_source_mapping(**arguments)
        except ClientError as error:
            response = cast("dict[str, Any]", error.response)
            code = response["Error"]["Code"]
            if code not in (*BUSY, GONE):
                raise
            log("info", "mapping not changed yet", mapping=each.id, error=code)
        else:
            done.append(each.id)
    return done
