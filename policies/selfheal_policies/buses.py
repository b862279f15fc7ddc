"""Event buses: which one something is on, and the policies that let others put events there.

Nobody can put an event whose source begins with "aws." by themselves: others send the changes of their own
alarms, by a rule whose target is the bus. Source: EventBridge user guide, "Sending and receiving events
between AWS accounts" and "Permissions for event buses".
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from selfheal_policies import arns, types
from selfheal_policies.documents import Document, parse
from selfheal_policies.index import Index
from selfheal_policies.resources import Resource
from selfheal_policies.values import ABSENT, UNKNOWN, get, text

DEFAULT_BUS = "bus:default"
"""Key of the bus on which the events of AWS services arrive."""

PUT = "events:PutEvents"


class Buses:
    """The event buses of one stack."""

    def __init__(self, index: Index) -> None:
        """Follow nothing yet."""
        self._index = index

    def of(self, holder: Resource) -> str:
        """Return the key of the bus that a rule is on, or that a policy is attached to.

        What nobody can tell at preview counts as the default bus: there the alarms arrive.
        """
        nodes = self._index.follow_quietly(holder, "eventBusName", (arns.BUS,))
        bus = nodes[0].key if nodes else DEFAULT_BUS
        # A rule on the default bus of another region is one there: it hears the alarms of that region.
        return DEFAULT_BUS if bus.partition("@")[0] == DEFAULT_BUS else bus

    @cached_property
    def policies(self) -> Mapping[str, list[tuple[Resource, Document]]]:
        """The policies of each bus, by its key, with what holds them; permissions as statements."""
        found: dict[str, list[tuple[Resource, Document]]] = {}
        for policy in self._index.of(types.EVENT_BUS_POLICY):
            found.setdefault(self.of(policy), []).append((policy, parse(policy.get("policy"))))
        for permission in self._index.of(types.EVENT_PERMISSION):
            found.setdefault(self.of(permission), []).append((permission, _document(permission)))
        return found

    @cached_property
    def fed(self) -> frozenset[str]:
        """Keys of the buses on which others may put events; when in doubt, they may."""
        return frozenset(
            bus for bus, held in self.policies.items() if any(_lets_put(document) for _, document in held)
        )


def _lets_put(document: Document) -> bool:
    return bool(document.problem) or any(each.covers(PUT, if_unknown=True) for each in document.allowing)


def _document(permission: Resource) -> Document:
    action, principal = text(permission.get("action")), text(permission.get("principal"))
    condition = permission.get("condition")
    operator, key, value = (text(get(condition, name)) for name in ("type", "key", "value"))
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Action": PUT if action is ABSENT else action,
        "Principal": "*" if principal == "*" else {"AWS": principal},
        "Resource": "*",
    }
    if condition is UNKNOWN:
        statement["Condition"] = UNKNOWN
    elif isinstance(operator, str) and isinstance(key, str):
        statement["Condition"] = {operator: {key: value}}
    return parse({"Statement": [statement]})
