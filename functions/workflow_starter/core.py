"""What the starter says to the workflow, and what it makes of the workflow's end. Pure functions."""

import json
import re
from collections.abc import Mapping
from typing import Any

from selfheal.functions.shared.batch import MOST_ATTRIBUTES, TEXT_LENGTH, PoisonError, Record, RefusedError

MOST_BYTES = 255 * 1024
"""The largest input. Step Functions takes 256 KiB at every step, and a failure adds its reason. Source: Step
Functions developer guide, "Quotas"."""

LETTER_ATTRIBUTES = ("origin", "target", "reason")
"""What a letter says. The workflow sets them."""

REFUSED = ("CircuitOpen", "RefusedError")
"""Errors of a task that does not try now: its circuit is open, or it says so itself."""

REFUSED_SECONDS = 30.0
"""When a refused message comes again if the error does not say."""

# As `CircuitOpen` of functions/shared/breaker says it, which a test compares; a RefusedError may, too.
_AGAIN = re.compile(r"try again in (\d+(?:\.\d+)?) s")


class WorkflowError(Exception):
    """The workflow could not bring the message to an end: neither done, nor a letter, nor refused."""


def execution_input(record: Record) -> str:
    """Return the workflow's input: the record as the task gets it, and what a letter keeps of its attributes.

    The record is whole but for the receipt handle, because it is not for the task to delete the message.
    Attributes of binary type are not kept: a workflow cannot send them.

    Raises:
        PoisonError: when the message is too large for a workflow.

    """
    passed = {name: value for name, value in record.items() if name != "receiptHandle"}
    text = json.dumps({"record": passed, "attributes": _kept(record)}, ensure_ascii=False)
    if (size := len(text.encode())) > MOST_BYTES:
        raise PoisonError(
            f"the message is {size:,} bytes as input of the workflow, which takes {MOST_BYTES:,}: send large "
            "data by reference"
        )
    return text


def judged(answer: Mapping[str, Any]) -> bool:
    """Return whether a workflow that succeeded did so by sending a letter.

    Args:
        answer: Of StartSyncExecution.

    Raises:
        RefusedError: when the task does not try now, for example because its circuit is open.
        WorkflowError: when it ended in any other way.

    """
    status = answer["status"]
    if status == "SUCCEEDED":
        return json.loads(answer["output"])["letter"] is True
    error, cause = str(answer.get("error") or "no error"), str(answer.get("cause") or "no cause")
    if status == "FAILED" and error in REFUSED:
        raise RefusedError(f"the task does not try now: {error}", _seconds(cause))
    raise WorkflowError(f"the workflow is {status}: {error}: {cause[:TEXT_LENGTH]}")


def _kept(record: Record) -> dict[str, dict[str, str]]:
    kept = {
        name: {"DataType": str(value["dataType"]), "StringValue": str(value["stringValue"])}
        for name, value in record.get("messageAttributes", {}).items()
        if value.get("stringValue") is not None
    }
    own = [(name, value) for name, value in kept.items() if name not in LETTER_ATTRIBUTES]
    said = dict(own[: MOST_ATTRIBUTES - len(LETTER_ATTRIBUTES)])
    # A letter of a letter keeps the first origin.
    return said | ({"origin": kept["origin"]} if kept.keys() >= set(LETTER_ATTRIBUTES) else {})


def _seconds(cause: str) -> float:
    found = _AGAIN.search(cause)
    return max(1.0, float(found[1])) if found else REFUSED_SECONDS
