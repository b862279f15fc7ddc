"""What may be changed in a scene, in the words of the tables: small functions that are put together."""

from collections.abc import Callable
from typing import Any

from tests.policies.support.references import Json, Ref, Unknown

Change = Callable[[Any], object]
"""Changes a `Scene`, or the running program of the tests on the real engine, which has `find` as well."""

OURS = ("healer-policy", "healer-boundary")
THEIRS = ("medic-rights", "medic-limit")
"""Of a healer, the policy and the boundary, which says the same."""


def nothing(_: Any) -> None:
    """Leave the scene as it is."""


def put(name: str, /, **properties: Any) -> Change:
    return lambda scene: [scene.find(name).put(key, to=value) for key, value in properties.items()]


def drop(name: str, *keys: str) -> Change:
    return lambda scene: [scene.find(name).drop(key) for key in keys]


def add(type_: str, name: str, /, **properties: Any) -> Change:
    return lambda scene: scene.add(type_, name, **properties)


def remove(*names: str) -> Change:
    return lambda scene: scene.remove(*names)


def hide(name: str, key: str, *origins: str) -> Change:
    """Make a property unknown that the program gave, from outputs of these resources."""
    return put(name, **{key: Unknown(origins)})


def compute(name: str, **properties: Any) -> Change:
    """Set outputs that the program left out."""
    return lambda scene: [scene.find(name).compute(key, value) for key, value in properties.items()]


def variables(name: str, **values: Any) -> Change:
    """Set variables of a function's environment."""
    return lambda scene: [
        scene.find(name).put("environment", "variables", key, to=value) for key, value in values.items()
    ]


def several(*changes: Change) -> Change:
    return lambda scene: [change(scene) for change in changes]


def document(*statements: dict[str, Any]) -> Json:
    """Return an IAM document of statements, which allow unless they say otherwise."""
    return Json({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]})


def statements(change: Callable[[list[dict[str, Any]]], Any], *names: str, key: str = "policy") -> Change:
    """Change the statements of the documents of these resources."""
    return lambda scene: [scene.find(name).document(change, key) for name in names]


def grant(*more: dict[str, Any], to: tuple[str, ...] = THEIRS) -> Change:
    """Add statements to a healer's policy, and to its boundary, as a program does that derives both."""
    return statements(lambda held: held.extend({"Effect": "Allow", **each} for each in more), *to)


def allow(action: str | list[str], resource: Any, to: tuple[str, ...] = THEIRS) -> Change:
    return grant({"Action": action, "Resource": resource}, to=to)


def text(name: str, suffix: str = "") -> Ref:
    """Return a reference to the ARN of a resource as text, known at preview in either spelling."""
    return Ref(name, "text", suffix)
