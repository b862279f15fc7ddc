"""The mutation table's own changes, made to the program while the real engine runs it.

A `LiveScene` has what a change needs of `tests.support.policy_scene.Scene`: it finds a resource, and what is
put, dropped or written into its document is done by a stack transformation when the program registers it.
"""

import copy
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi.runtime import register_stack_transformation

from tests.policies.mutations import behaviour, items, scope, wiring
from tests.support.policy_scene import token

TABLE = {each.name: each for table in (wiring, scope, items, behaviour) for each in table.TABLE}

Key = tuple[str, str]
"""Type and logical name of a resource."""

_ARNS = {
    "aws:lambda/function:Function": "arn:aws:lambda:us-east-1:000000000000:function:",
    "aws:dynamodb/table:Table": "arn:aws:dynamodb:us-east-1:000000000000:table/",
}
"""What stands before a resource's name."""


@dataclass(frozen=True)
class Reference:
    """Another resource, which is known once the program has registered it."""

    scene: "LiveScene"
    key: Key
    text: bool
    """Whether its ARN as text, known at preview, is meant, and not its output."""

    def resolve(self) -> Any:
        resource = self.scene.registered[self.key]
        if self.text:
            return pulumi.Output.concat(_ARNS[self.key[0]], resource.name)
        return resource.arn


@dataclass
class LiveItem:
    """One resource of the program."""

    scene: "LiveScene"
    key: Key

    def put(self, *path: str | int, to: Any) -> "LiveItem":
        self._edit(lambda props: _put(props, [_snake(path[0]), *path[1:]], resolved(to)))
        return self

    def drop(self, name: str) -> "LiveItem":
        self._edit(lambda props: props.pop(_snake(name)))
        return self

    def document(self, change: Callable[[list[dict[str, Any]]], Any], key: str = "policy") -> "LiveItem":
        def rewrite(text: str) -> Any:
            document = json.loads(text)
            change(document["Statement"])
            return pulumi.Output.json_dumps(resolved(document))

        def edit(props: dict[str, Any]) -> None:
            props[_snake(key)] = pulumi.Output.from_input(props[_snake(key)]).apply(rewrite)

        self._edit(edit)
        return self

    def _edit(self, change: Callable[[dict[str, Any]], Any]) -> None:
        self.scene.edits.setdefault(self.key, []).append(change)


@dataclass
class LiveScene:
    """The running program, as the changes of the table see it."""

    edits: dict[Key, list[Callable[[dict[str, Any]], Any]]] = field(default_factory=dict[Key, Any])
    registered: dict[Key, Any] = field(default_factory=dict[Key, Any])
    done: set[Key] = field(default_factory=set[Key])

    def find(self, type_: str, name: str) -> LiveItem:
        return LiveItem(self, (token(type_), name))

    def ref(self, item: LiveItem) -> Reference:
        return Reference(self, item.key, text=False)

    def text(self, item: LiveItem) -> Reference:
        return Reference(self, item.key, text=True)

    def transform(
        self, args: pulumi.ResourceTransformationArgs
    ) -> pulumi.ResourceTransformationResult | None:
        key = (args.type_, args.name)
        self.registered[key] = args.resource
        changes = self.edits.get(key)
        if not changes:
            return None
        props = dict(args.props)
        for change in changes:
            change(props)
        self.done.add(key)
        return pulumi.ResourceTransformationResult(props, args.opts)


def mutate(names: list[str]) -> LiveScene:
    """Have the program written unsafely in these ways; `check` it when it has run."""
    scene: Any = LiveScene()
    for name in names:
        TABLE[name].change(scene)
    register_stack_transformation(scene.transform)
    return scene


def check(scene: LiveScene) -> None:
    """Fail if a change had nothing to change: the program was then not mutated at all."""
    assert scene.edits.keys() == scene.done, scene.edits.keys() - scene.done


def resolved(value: Any) -> Any:
    """Return a value with references replaced by the outputs that they stand for."""
    if isinstance(value, Reference):
        return value.resolve()
    if isinstance(value, Mapping):
        return {key: resolved(item) for key, item in value.items()}
    return [resolved(item) for item in value] if isinstance(value, list) else value


def _put(props: dict[str, Any], path: list[Any], value: Any) -> None:
    *parents, last = path
    target: Any = props
    for name in parents:
        target[name] = _plain(target[name])
        target = target[name]
    target[last] = value


def _plain(value: Any) -> dict[str, Any]:
    """Return an object of the program's as a copy that can be changed: a mapping, or an Args class."""
    return copy.copy(dict(value)) if isinstance(value, Mapping) else dict(vars(value))


def _snake(name: Any) -> str:
    return re.sub(r"([A-Z])", lambda found: f"_{found[1].lower()}", str(name))
