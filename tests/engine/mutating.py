"""The mutation table's own changes, made to the program while the real engine runs it.

A `LiveScene` has what a change needs of a `Scene`: it finds a resource, and what is put, dropped or written
into its document is done by a stack transformation when the program registers it.
"""

import copy
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi.runtime import register_stack_transformation

from tests.policies.mutations import behaviour, rights, wiring
from tests.policies.support.recording import arn
from tests.policies.support.references import Ref

TABLE = {each.name: each for each in (*wiring.TABLE, *rights.TABLE, *behaviour.TABLE)}


@dataclass
class LiveItem:
    """One resource of the program."""

    scene: "LiveScene"
    name: str

    def put(self, *path: str | int, to: Any) -> "LiveItem":
        self._edit(lambda props: _put(props, [_snake(path[0]), *path[1:]], self.scene.resolved(to)))
        return self

    def drop(self, name: str) -> "LiveItem":
        self._edit(lambda props: props.pop(_snake(name)))
        return self

    def document(self, change: Callable[[list[dict[str, Any]]], Any], key: str = "policy") -> "LiveItem":
        def rewrite(text: str) -> Any:
            document = json.loads(text)
            change(document["Statement"])
            return pulumi.Output.json_dumps(self.scene.resolved(document))

        def edit(props: dict[str, Any]) -> None:
            props[_snake(key)] = pulumi.Output.from_input(props[_snake(key)]).apply(rewrite)

        self._edit(edit)
        return self

    def _edit(self, change: Callable[[dict[str, Any]], Any]) -> None:
        self.scene.edits.setdefault(self.name, []).append(change)


@dataclass
class LiveScene:
    """The running program, as the changes of the table see it."""

    edits: dict[str, list[Callable[[dict[str, Any]], Any]]] = field(default_factory=dict[str, Any])
    registered: dict[str, tuple[str, Any]] = field(default_factory=dict[str, tuple[str, Any]])
    done: set[str] = field(default_factory=set[str])

    def find(self, name: str) -> LiveItem:
        return LiveItem(self, name)

    def transform(
        self, args: pulumi.ResourceTransformationArgs
    ) -> pulumi.ResourceTransformationResult | None:
        if not args.type_.startswith("aws:"):  # a component may have the name of its function
            return None
        self.registered[args.name] = (args.type_, args.resource)
        changes = self.edits.get(args.name)
        if not changes:
            return None
        props = dict(args.props)
        for change in changes:
            change(props)
        self.done.add(args.name)
        return pulumi.ResourceTransformationResult(props, args.opts)

    def resolved(self, value: Any) -> Any:
        """Return a value with references replaced by outputs of resources that are registered by then."""
        if isinstance(value, Ref):
            type_, resource = self.registered[value.target]
            return (
                pulumi.Output.concat(arn(type_, ""), resource.name)
                if value.attribute == "text"
                else resource.arn
            )
        if isinstance(value, Mapping):
            return {key: self.resolved(item) for key, item in value.items()}
        return [self.resolved(item) for item in value] if isinstance(value, list) else value


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
