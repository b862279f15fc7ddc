"""A rule of EventBridge that waits for events: which states of which alarms its pattern admits.

Source of the events: "Alarm events and EventBridge" (CloudWatch User Guide).
"""

from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from selfheal_policies import arns, patterns
from selfheal_policies.index import Node
from selfheal_policies.links import STATES
from selfheal_policies.places import NOWHERE, Place
from selfheal_policies.resources import Resource
from selfheal_policies.values import ABSENT, UNKNOWN, get

_STATE_CHANGES = ["CloudWatch Alarm State Change", "CloudWatch Alarm Contributor State Change"]
_ANYTHING = patterns.ANY


@dataclass(frozen=True)
class EventRule:
    """A rule that waits for events, as far as its pattern is known."""

    resource: Resource
    pattern: Any
    """Its data, or UNKNOWN."""
    bus: str
    """Key of its bus."""
    origins: tuple[Node, ...]
    """Of a pattern that is not known, the alarms that it depends on."""
    states: frozenset[str]
    """Of an alarm, those that it may pass on; none if it passes on no alarm."""
    about_others: bool
    """Whether its pattern is not known, and comes from resources none of which is an alarm."""

    def passes_on(self, alarm: str | None, place: Place) -> frozenset[str]:
        """Return the states of an alarm that it passes on; None stands for a name that is not known."""
        if not patterns.may_match(self.pattern, _change(_ANYTHING, alarm, place)):
            return frozenset()
        return frozenset(
            state for state in self.states if patterns.may_match(self.pattern, _change(state, alarm, place))
        )

    @property
    def of_every_alarm(self) -> bool:
        """Whether it makes no difference which alarm it is."""
        return not patterns.has_field(self.pattern, ("alarmName", "resources", "configuration"))

    @property
    def of_own_events(self) -> bool:
        """Whether it may match what a program puts on its bus."""
        if self.pattern is UNKNOWN:
            return not (self.origins or self.about_others)
        return patterns.may_match(self.pattern, {**ANY_EVENT, "source": _own_source})

    @property
    def names_alarms(self) -> bool:
        """Whether it names alarms as what it wants: on a bus of its own, somebody means to feed it."""
        return patterns.named(get(self.pattern, "source"), "aws.cloudwatch") or any(
            patterns.named(get(self.pattern, "detail-type"), each) for each in _STATE_CHANGES
        )

    def names_only(self, known: frozenset[str]) -> bool:
        """Return whether it names alarms in full, and all of them are among these names."""
        names = [*patterns.texts(get(self.pattern, "detail", "alarmName"))] or [
            arn.rpartition(":alarm:")[2] for arn in patterns.texts(get(self.pattern, "resources"))
        ]
        return bool(names) and known.issuperset(names)


_EVENT = ("account", "detail-type", "id", "region", "resources", "source", "time", "version")
ANY_EVENT: dict[str, Any] = dict.fromkeys((*_EVENT, "detail"), _ANYTHING)
"""An event of which nothing is known."""


def states_passed(pattern: Any) -> frozenset[str]:
    """Return the states of alarms that a pattern may match; none if it matches no alarm."""
    return frozenset(state for state in STATES if patterns.may_match(pattern, _change(state)))


def _own_source(matcher: Any) -> str:
    """Return a source that a program may use, as close as can be to what a matcher wants."""
    wanted = patterns.inner(matcher)
    return "" if wanted.startswith("aws.") or get(matcher, "anything-but") is not ABSENT else wanted


def _change(state: Any, alarm: str | None = None, place: Place = NOWHERE) -> dict[str, Any]:
    """Return the event of a change of an alarm's state."""
    value = state if isinstance(state, str) else list(STATES)
    return dict.fromkeys(_EVENT, _ANYTHING) | {
        "source": "aws.cloudwatch",
        "detail-type": _STATE_CHANGES,
        "resources": _ANYTHING if alarm is None else lambda matcher: _arn_like(matcher, alarm, place),
        "detail": {
            "alarmName": _ANYTHING if alarm is None else alarm,
            "alarmContributor": _ANYTHING,
            "configuration": _ANYTHING,
            "muteDetail": _ANYTHING,
            "previousState": dict.fromkeys(("reason", "reasonData", "timestamp", "value"), _ANYTHING),
            "state": {
                **dict.fromkeys(("reason", "reasonData", "timestamp", "evaluationState"), _ANYTHING),
                **dict.fromkeys(("actionsSuppressedBy", "actionsSuppressedReason"), _ANYTHING),
                "value": value,
            },
        },
    }


def _arn_like(matcher: Any, name: str, place: Place) -> str:
    """Return what an alarm's ARN may be, as far as account and region can be read in a matcher."""
    known = ["arn", "aws", "cloudwatch", "region", "account"]
    written = patterns.inner(matcher)
    meant = arns.parse_arn(written)
    if meant and not place.may_hold(meant):
        return ""
    parts = written.split(":")
    if parts[0] == "arn":
        known = [part or other for part, other in zip_longest(parts[:5], known, fillvalue="")]
    return ":".join((*known, "alarm", name))
