"""What may wake the healer. A wake-up is only a nudge: what it says is never believed."""

from typing import Any, cast

from selfheal.functions.shared.contract import OPERATOR_EVENT, SCHEDULE_EVENT


def wake_of(event: Any, topic_arn: str) -> str | None:
    """Name what woke the healer, or None for an event to drop.

    Allowed are `{"wake": "schedule"}` and `{"wake": "operator"}`, sent by those who may invoke the function,
    and a notification of the healer's own topic. Any other shape is dropped, whatever it claims.

    Args:
        event: Anything at all.
        topic_arn: The healer's own topic.

    """
    if not isinstance(event, dict):
        return None
    fields = cast("dict[str, Any]", event)
    if fields in (SCHEDULE_EVENT, OPERATOR_EVENT):
        return fields["wake"]
    records = fields.get("Records")
    if not isinstance(records, list) or not records:
        return None
    own = all(_is_from(record, topic_arn) for record in cast("list[Any]", records))
    return "topic" if own else None


def _is_from(record: Any, topic_arn: str) -> bool:
    if not isinstance(record, dict):
        return False
    fields = cast("dict[str, Any]", record)
    notification = fields.get("Sns")
    return (
        fields.get("EventSource") == "aws:sns"
        and isinstance(notification, dict)
        and cast("dict[str, Any]", notification).get("TopicArn") == topic_arn
    )
