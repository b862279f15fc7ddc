"""What a link is: something passes from one node to another."""

from dataclasses import dataclass

from selfheal_policies.index import Node
from selfheal_policies.resources import Resource

STATES = frozenset({"ALARM", "OK", "INSUFFICIENT_DATA"})
"""States of an alarm."""

ACTIONS = {"alarmActions": "ALARM", "okActions": "OK", "insufficientDataActions": "INSUFFICIENT_DATA"}
"""Property of an alarm to the state in which it does what the property names."""

HUB = "hub"
"""Kind of a node that stands for many: each of them has one link to it, instead of one to each other end."""


@dataclass(frozen=True)
class Link:
    """A notification or invocation that passes from `source` to `target`."""

    source: str
    """Key of a node."""
    target: Node
    via: Resource
    """The resource that makes the link: the one to change."""
    kind: str
    """By what is wired: action, subscription, https (to an address of this stack), permission,
    mapping, event, event-target, definition or pipe.

    By what somebody who was woken does next (see relays.py): publish, send, put, start, invoke, destination,
    dead-letter, notification, log or receive (a queue that is read without a mapping).
    """
    states: frozenset[str] = STATES
    """States of an alarm that are passed on."""
