"""What runs cannot handle: the alarm on the healer's errors rings at once, and why is told if it lasts.

An alarm's text is fixed, and while it rings it tells of nothing new. So each target that cannot be handled is
remembered in the item that all targets share, and told of in our own words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from selfheal.functions.healer.aws import Aws
from selfheal.functions.healer.clock import iso, parse_iso
from selfheal.functions.healer.deadlines import WITHIN
from selfheal.functions.healer.ledger import LostRaceError
from selfheal.functions.healer.publication import about_the_healer
from selfheal.functions.healer.readings import Fleet, Trouble


def report(aws: Aws, fleet: Fleet, failures: Mapping[str, str], now: datetime, every: timedelta) -> None:
    """Remember what could not be handled, and tell people of what lasts.

    Args:
        aws: The clients.
        fleet: The shared item, as this run has read it.
        failures: What could not be handled and why, by target.
        now: The time.
        every: How often people are reminded.

    Raises:
        botocore.exceptions.ClientError: when the ledger or the topic refuses. A later run tells it.

    """
    known = {name: fleet.trouble.get(name, Trouble(iso(now))) for name in sorted(failures)}
    due = [name for name, each in known.items() if _is_due(each, now, every)]
    told = {name: replace(each, told=iso(now)) if name in due else each for name, each in known.items()}
    if told == fleet.trouble:
        return
    try:
        aws.ledger.write_trouble(fleet, told)
    except LostRaceError:
        return
    if not due:
        return
    try:
        told_of = [{"target": name, "since": known[name].since, "why": failures[name]} for name in due]
        title = f"[selfheal] not handled: {', '.join(due)}"
        notice = about_the_healer(title, _text(told_of), "not-handled", due, {"not_handled": told_of})
        aws.sns.publish(TopicArn=aws.escalation_topic, **notice)
    except Exception:
        aws.ledger.write_trouble(replace(fleet, trouble=told), known)
        raise


def lasts(fleet: Fleet, name: str, now: datetime) -> bool:
    """Return whether a target could not be handled for so long that people take over."""
    trouble = fleet.trouble.get(name)
    return trouble is not None and now >= parse_iso(trouble.since) + WITHIN


def _is_due(trouble: Trouble, now: datetime, every: timedelta) -> bool:
    if trouble.told is not None:
        return now >= parse_iso(trouble.told) + every
    return now >= parse_iso(trouble.since) + WITHIN


def _text(due: Sequence[Mapping[str, str]]) -> str:
    lines = [f"- {each['target']}, since {each['since']}: {each['why']}" for each in due]
    return "\n".join(
        [
            "The healer cannot handle the following, and applies no remedy there. Every run tries again.",
            *lines,
            "Next: mend what is named. Until then this is repeated, and the alarm on its errors rings.",
        ]
    )
