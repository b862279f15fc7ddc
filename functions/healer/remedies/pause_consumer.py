"""Remedy `pause_consumer`: whether an event source mapping is enabled. Its source keeps the waiting events.

Reads and writes: GetEventSourceMapping and UpdateEventSourceMapping by UUID, and GetFunctionConfiguration to
    detect deployments. The update names no function, because that would point the mapping to it.
Value before: "Enabled" or "Disabled".
Already applied: the mapping is disabled or being disabled.
Reverts: by enabling it again. Waiting events are then delivered, if the source still has them.
Concurrency guarantee: AWS has no revision here. The target's lease, which is at least as long as the healer's
    timeout, keeps two runs of the healer apart. Changes by others are detected by a read immediately before
    the write and a comparison after it: "ChangedMeanwhile" when either differs. Only a change between that
    read and the write can be overwritten unnoticed: milliseconds, or seconds when AWS is slow.

Where the function calls through a circuit, its circuit breaker owns the mapping and would switch it on again,
or keep it off: the remedy is refused, and `force_breaker` is the one to declare. The sign is the function's
environment, which every read has anyway; if that is unreadable the remedy is refused too. A pause that stands
already can still be reverted.

Records in flight are still processed for a while after the state is Disabled, so errors do not end at once.
"""

from selfheal.functions.healer.aws import Aws
from selfheal.functions.healer.live import Configuration, Live
from selfheal.functions.healer.remedies.common import CHANGED_MEANWHILE, GONE, NOT_FOUND, attempt, find, look
from selfheal.functions.healer.states import Reason
from selfheal.functions.healer.target import Setting, Target
from selfheal.functions.shared.contract import BREAKER_TABLE, CIRCUIT

ENABLED, DISABLED = "Enabled", "Disabled"

# The value that each state is, or changes to. AWS does not document it for Creating and Updating; Enabled is
# assumed. These states are not settled, so no decision depends on the value.
_HEADING_FOR = {
    "Creating": ENABLED,
    "Enabling": ENABLED,
    ENABLED: ENABLED,
    "Updating": ENABLED,
    "Disabling": DISABLED,
    DISABLED: DISABLED,
    "Deleting": DISABLED,
}
_FUNCTION_NAME = 6
"""Position in an ARN: arn:aws:lambda:region:account:function:name, perhaps followed by an alias."""


def read(aws: Aws, target: Target, setting: Setting) -> Live:
    """Read the mapping's state.

    A mapping of another function counts as gone, because it does not belong to the target.

    Raises:
        ValueError: when AWS returns an unknown state.

    """
    seen = look(aws, target)
    if seen is None:
        return GONE
    mapping = find(aws.lambda_.get_event_source_mapping, UUID=setting.name)
    if mapping is None or str(mapping["FunctionArn"]).split(":")[_FUNCTION_NAME] != target.function:
        return GONE
    state = str(mapping["State"])
    if state not in _HEADING_FOR:
        raise ValueError(f"{target.name}: {setting} is in the unknown state {state!r}")
    settled = state in (ENABLED, DISABLED)
    return Live(_HEADING_FOR[state], "", seen, settled=settled, obstacle=_owner(seen))


def write(aws: Aws, target: Target, setting: Setting, live: Live, value: str | None) -> str | None:
    """Enable or disable the mapping, between two reads. This does not wait until AWS is done.

    Raises:
        ValueError: when the value is neither "Enabled" nor "Disabled".

    """
    if value not in (ENABLED, DISABLED):
        raise ValueError(f"{target.name}: {setting} is {ENABLED} or {DISABLED}, not {value!r}")
    before = read(aws, target, setting)
    if not before.exists:
        return NOT_FOUND
    if before.value != live.value or not before.settled:
        return CHANGED_MEANWHILE
    if value == DISABLED and before.obstacle is not None:
        return before.obstacle
    refused = attempt(aws.lambda_.update_event_source_mapping, UUID=setting.name, Enabled=value == ENABLED)
    if refused is not None:
        return refused
    after = read(aws, target, setting)
    return None if after.exists and after.value == value else CHANGED_MEANWHILE


def _owner(seen: Configuration) -> Reason | None:
    """Return why the mapping must not be paused: a circuit breaker owns it, or may."""
    if not seen.readable:
        return Reason.CONFIGURATION_UNREADABLE
    return Reason.BREAKER_OWNS if {BREAKER_TABLE, CIRCUIT} & seen.variables.keys() else None
