"""Five points on which a rule is tested, and what the tables of the rules have in common.

Compliant, violating, not applicable, unknown at preview, configured otherwise.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from tests.policies.support.changes import Change, document, nothing, put, several
from tests.policies.support.healers import healer
from tests.policies.support.scene import Scene

POINTS = ("compliant", "violating", "not applicable", "unknown at preview", "configured otherwise")

Told = tuple[Change, str]
"""A change, and a part of the one finding that it causes; empty for none."""


def careful() -> Scene:
    """Return the stack of a careful healer."""
    return healer(Scene())


class Case(NamedTuple):
    """What is changed in a stack that is as it should be, and a part of a rule's finding: empty for none."""

    rule: str
    point: str
    change: Change
    part: str = ""
    config: dict[str, Any] | None = None
    start: Callable[[], Scene] = careful
    """Makes the stack before the change."""

    def scene(self) -> Scene:
        """Return the stack after the change."""
        scene = self.start()
        self.change(scene)
        return scene


def five(
    rule: str,
    *,
    fine: list[Change],
    wrong: list[Told],
    unknown: list[Told],
    configured: list[tuple[Change, dict[str, Any], str]],
    elsewhere: list[Change] | None = None,
    start: Callable[[], Scene] = careful,
) -> list[Case]:
    """Return the cases of a rule. What is wrong with a healer does not matter with a notifier."""
    spared = [several(change, notifying) for change, _ in wrong] if elsewhere is None else elsewhere
    compliant, violating, not_applicable, hidden, otherwise = POINTS
    cases = [
        *(Case(rule, compliant, change) for change in (nothing, *fine)),
        *(Case(rule, violating, *told) for told in wrong),
        *(Case(rule, not_applicable, change) for change in spared),
        *(Case(rule, hidden, *told) for told in unknown),
        *(Case(rule, otherwise, change, part, config) for change, config, part in configured),
    ]
    return [case._replace(start=start) for case in cases]


def each(part: str, *changes: Change) -> list[Told]:
    """Return changes that all cause the same finding."""
    return [(change, part) for change in changes]


def notifying(scene: Scene) -> None:
    """Take from the functions all that changes something: what an alarm reaches now is a notifier."""
    for item in list(scene.items):
        if item.type.endswith(("Policy:RolePolicy", "policy:Policy")):
            item.put("policy", to=document({"Action": ["logs:PutLogEvents"], "Resource": "*"}))
        if item.type.endswith(("Attachment", "Exclusive")):
            scene.remove(item.name)
        for key in ("inlinePolicies", "managedPolicyArns"):
            if key in item.inputs.properties:
                item.drop(key)


def data(statement: dict[str, Any]) -> Change:
    """Give the policy as data and not as text, as some SDKs allow: then single entries can be unknown."""
    return put("medic-rights", policy={"Statement": [{"Effect": "Allow", **statement}]})
