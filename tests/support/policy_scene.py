"""A recording that may be changed: what a program registers if someone writes it a little differently."""

import copy
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from selfheal.sandbox.provider.table import TABLE
from selfheal.sandbox.provider.wire import UNKNOWN
from selfheal.sandbox.pulumi.deployer import STACK_TYPE, make_urn
from tests.support.policy_client import Analyzed, Pack, Violation
from tests.support.policy_recording import Recorder, answered, arn, known

SUFFIX = "0a1b2c3"
"""Of the physical names of what a mutation adds."""


class Spelling(StrEnum):
    """How a program refers to another resource."""

    RESOURCE = "resource"
    """Through its output: unknown at preview, with the dependency."""
    LITERAL = "literal"
    """As text that a person wrote: known, without any dependency."""


@dataclass(frozen=True)
class Ref:
    """A reference to a resource, as it arrives."""

    value: str
    urn: str | None


@dataclass
class Item:
    """One resource of a scene."""

    scene: "Scene"
    inputs: Analyzed
    outputs: Analyzed

    @property
    def urn(self) -> str:
        return self.inputs.urn

    @property
    def name(self) -> str:
        """The physical name, known at preview."""
        return str(self.outputs.properties.get("name", ""))

    def get(self, *path: str | int) -> Any:
        """Return an input, as a copy."""
        value: Any = self.inputs.properties
        for key in path:
            value = value[key]
        return copy.deepcopy(value)

    def put(self, *path: str | int, to: Any) -> "Item":
        """Set an input, and the output of that name. References in it become dependencies of the property."""
        value, needs = _plain(to)
        top = str(path[0])
        if len(path) > 1:
            needs |= set(self.inputs.property_dependencies.get(top, ()))
        self._edit(lambda properties: _put(properties, path, value), top, needs)
        return self

    def drop(self, key: str) -> "Item":
        """Leave a top-level input out."""
        self._edit(lambda properties: properties.pop(key, None), key, set())
        return self

    def document(self, change: Callable[[list[dict[str, Any]]], Any], key: str = "policy") -> "Item":
        """Change the statements of an IAM document."""
        document = json.loads(self.get(key))
        change(document["Statement"])
        text = json.dumps(document)
        self._edit(
            lambda properties: properties.__setitem__(key, text),
            key,
            set(self.inputs.property_dependencies.get(key, ())),
        )
        return self

    def _edit(self, change: Callable[[dict[str, Any]], Any], key: str, needs: set[str]) -> None:
        for side in ("inputs", "outputs"):
            item: Analyzed = getattr(self, side)
            properties = copy.deepcopy(item.properties)
            change(properties)
            by_property = {**item.property_dependencies, key: tuple(sorted(needs))}
            everything = {urn for urns_ in by_property.values() for urn in urns_}
            changed = replace(
                item,
                properties=properties,
                property_dependencies=by_property,
                dependencies=tuple(sorted(everything)),
            )
            setattr(self, side, changed)


@dataclass
class Scene:
    """A copy of a recording."""

    recording: Recorder
    spelling: Spelling = Spelling.RESOURCE
    up: bool = False
    items: dict[str, Item] = field(default_factory=dict[str, Item])

    def __post_init__(self) -> None:
        self.items = {
            urn: Item(self, item, self.recording.outputs[urn]) for urn, item in self.recording.inputs.items()
        }

    def find(self, type_: str, name: str) -> Item:
        """Return a resource by its type, as `lambda.Function`, and its logical name."""
        [found] = [
            item
            for item in self.items.values()
            if (item.inputs.type, item.inputs.name) == (token(type_), name)
        ]
        return found

    def add(self, type_: str, name: str, /, **properties: Any) -> Item:
        """Register one more resource, below the stack. Its physical name ends as an automatic one does."""
        type_, project = token(type_), self.recording.project
        urn = make_urn(project.stack, project.name, "", type_, name)
        assert urn not in self.items, f"{name} is there already"
        spec = TABLE.get(type_)
        inputs = dict(spec.defaults) if spec else {}
        if "name" not in properties and (spec is None or spec.name == "name"):
            inputs["name"] = f"{name}-{SUFFIX}"
        computed = {*(spec.computed if spec else ()), "arn", "id"} - properties.keys()
        if type_.endswith(("EventTarget", "TopicPolicy", "TopicSubscription")):
            computed -= {"arn"}
        blank = Analyzed(urn, type_, name, inputs, parent=_root(self.items))
        outputs = dict.fromkeys(computed, UNKNOWN) | inputs
        found = answered(type_, known(type_, outputs) if self.up else outputs)
        item = Item(self, blank, replace(blank, properties=found))
        self.items[urn] = item
        for key, value in properties.items():
            item.put(key, to=value)
        return item

    def remove(self, *items: Item) -> None:
        """Leave resources out."""
        for item in items:
            del self.items[item.urn]

    def ref(self, item: Item, attribute: str = "arn") -> Ref:
        """Return a reference to a resource in the scene's spelling."""
        if attribute != "arn":
            plain = str(item.outputs.properties[attribute])
        else:
            plain = arn(item.inputs.type, item.name)
        if self.spelling is Spelling.LITERAL:
            return Ref(plain, None)
        return Ref(plain if self.up or attribute == "name" else UNKNOWN, item.urn)

    def text(self, item: Item) -> str:
        """Return a resource's ARN as text, known in either spelling: `Output.concat` of known parts."""
        return arn(item.inputs.type, item.name)

    def json(self, content: Any) -> Any:
        """Return JSON text: with a reference in it that is unknown, all of it is, and depends on it."""
        value, needs = _plain(content)
        return _Json(UNKNOWN if UNKNOWN in json.dumps(value) else json.dumps(value), frozenset(needs))

    def judge(self, pack: Pack) -> list[Violation]:
        """Have it all judged as the engine would."""
        found = [violation for item in self.items.values() for violation in pack.analyze(item.inputs)]
        return found + pack.analyze_stack([item.outputs for item in self.items.values()])


@dataclass(frozen=True)
class _Json:
    value: str
    needs: frozenset[str]


def token(type_: str) -> str:
    """Return the type token of `lambda.Function`."""
    if ":" in type_:
        return type_
    module, name = type_.split(".")
    return f"aws:{module}/{name[0].lower()}{name[1:]}:{name}"


def _root(items: Iterable[str]) -> str:
    return next(urn for urn in items if f"::{STACK_TYPE}::" in urn)


def _plain(value: Any) -> tuple[Any, set[str]]:
    if isinstance(value, Ref):
        return value.value, {value.urn} if value.urn else set()
    if isinstance(value, _Json):
        return value.value, set(value.needs)
    if isinstance(value, dict):
        pairs = {key: _plain(item) for key, item in value.items()}
        return {key: item for key, (item, _) in pairs.items()}, _union(needs for _, needs in pairs.values())
    if isinstance(value, list):
        found = [_plain(item) for item in value]
        return [item for item, _ in found], _union(needs for _, needs in found)
    return value, set()


def _union(sets: Iterable[set[str]]) -> set[str]:
    return set[str]().union(*sets)


def _put(properties: dict[str, Any], path: tuple[str | int, ...], value: Any) -> None:
    target: Any = properties
    for key in path[:-1]:
        target = target.setdefault(key, {}) if isinstance(target, dict) else target[key]
    target[path[-1]] = value
