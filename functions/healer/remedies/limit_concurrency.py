"""Remedy `limit_concurrency`: the reserved concurrency of a function, which is also its upper limit.

Reads and writes: GetFunctionConcurrency, PutFunctionConcurrency and DeleteFunctionConcurrency, and
    GetFunctionConfiguration to detect deployments.
Value before: the reservation as a whole number; None when the function had none.
Already applied: the reservation has the remedy's value.
Reverts: by reserving the value before, or by deleting the reservation if there was none.
Concurrency guarantee: AWS has no revision here. The target's lease, which is at least as long as the healer's
    timeout, keeps two runs of the healer apart. Changes by others are detected by a read immediately before
    the write and a comparison after it: "ChangedMeanwhile" when either differs. Only a change between that
    read and the write can be overwritten unnoticed: milliseconds, or seconds when AWS is slow.
"""

from selfheal.functions.healer.aws import Aws
from selfheal.functions.healer.live import Live
from selfheal.functions.healer.remedies.common import CHANGED_MEANWHILE, GONE, NOT_FOUND, attempt, find, look
from selfheal.functions.healer.target import Setting, Target


def read(aws: Aws, target: Target, setting: Setting) -> Live:
    """Read the reservation. Its value is None if there is none."""
    del setting  # a function has one reservation
    seen = look(aws, target)
    if seen is None:
        return GONE
    found = find(aws.lambda_.get_function_concurrency, FunctionName=target.function)
    if found is None:
        return GONE
    reserved = found.get("ReservedConcurrentExecutions")
    return Live(None if reserved is None else str(reserved), "", seen)


def write(aws: Aws, target: Target, setting: Setting, live: Live, value: str | None) -> str | None:
    """Set the reservation, or delete it if the value is None, between two reads.

    Raises:
        ValueError: when the value is not a whole number.

    """
    if value is not None and not value.isdecimal():
        raise ValueError(f"{target.function}: the concurrency is a whole number, got {value!r}")
    before = read(aws, target, setting)
    if not before.exists:
        return NOT_FOUND
    if before.value != live.value:
        return CHANGED_MEANWHILE
    refused = (
        attempt(aws.lambda_.delete_function_concurrency, FunctionName=target.function)
        if value is None
        else attempt(
            aws.lambda_.put_function_concurrency,
            FunctionName=target.function,
            ReservedConcurrentExecutions=int(value),
        )
    )
    if refused is not None:
        return refused
    after = read(aws, target, setting)
    return None if after.exists and after.value == value else CHANGED_MEANWHILE
