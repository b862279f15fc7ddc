"""Remedy `pause_consumer`: whether an event source mapping feeds the function; its source keeps what waits.

Reads and writes: GetEventSourceMapping and UpdateEventSourceMapping by UUID, and GetFunctionConfiguration to
    see deployments. The update names no function: naming one would point the mapping to it.
Value before: "Enabled" or "Disabled".
Already applied: the mapping is disabled, or on its way there.
Reverts: by enabling it again. What waits is then delivered, as far as the source still keeps it.
Concurrency guarantee: AWS has no revision here. Two runs of ours exclude each other by the target's lease,
    which is at least as long as the healer's timeout. Against anyone else there is a read immediately before
    the write and a comparison after: "ChangedMeanwhile" when either differs. Only a change
    between that read and the write can be overwritten unseen: milliseconds, or seconds when AWS is slow.

Records in flight are still processed for a while after AWS says Disabled, so errors do not end at once.
"""

from selfheal.functions.healer.aws import Aws
from selfheal.functions.healer.live import Live
from selfheal.functions.healer.remedies.common import CHANGED_MEANWHILE, GONE, NOT_FOUND, attempt, find, look
from selfheal.functions.healer.target import Setting, Target

ENABLED, DISABLED = "Enabled", "Disabled"

# What a state is or leads to. AWS does not tell what Creating and Updating lead to; a mapping is enabled
# unless someone paused it. They are not settled, so nothing is to be decided by that value.
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
"""Where an ARN has it: arn:aws:lambda:region:account:function:name, and perhaps an alias."""


def read(aws: Aws, target: Target, setting: Setting) -> Live:
    """Read the mapping's state.

    A mapping that feeds another function by now counts as gone: it is not this target's.

    Raises:
        ValueError: when AWS tells of a state that is not known here.

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
    return Live(_HEADING_FOR[state], "", seen, settled=state in (ENABLED, DISABLED))


def write(aws: Aws, target: Target, setting: Setting, live: Live, value: str | None) -> str | None:
    """Enable or disable the mapping, between two reads. It does not wait until AWS is done.

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
    refused = attempt(aws.lambda_.update_event_source_mapping, UUID=setting.name, Enabled=value == ENABLED)
    if refused is not None:
        return refused
    after = read(aws, target, setting)
    return None if after.exists and after.value == value else CHANGED_MEANWHILE
