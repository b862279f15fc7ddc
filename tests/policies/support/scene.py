"""A stack as the pack is told of it: recorded from a program or written by hand, and changed at will.

Resources are addressed by their logical names. Properties may hold references to other resources, which are
resolved when the scene is judged.
"""

import copy
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from pulumi_policy import (
    PolicyCustomTimeouts,
    PolicyProviderResource,
    PolicyResource,
    PolicyResourceOptions,
    StackValidationArgs,
)
from selfheal_policies import recognition
from selfheal_policies.graph import Graph
from selfheal_policies.recognition_policy import RECOGNITION
from selfheal_policies.resources import Resource, from_stack, stack_of
from selfheal_policies.rule import AnyRule, Config, Finding, ResourceRule
from selfheal_policies.rules import load
from selfheal_policies.types import STACK_REFERENCE
from selfheal_policies.values import plain

from selfheal.sandbox.provider.table import TABLE
from selfheal.sandbox.provider.wire import UNKNOWN
from selfheal.sandbox.pulumi.deployer import STACK_TYPE, make_urn
from tests.policies.support.client import Analyzed, Judge, Violation
from tests.policies.support.recording import REGION, Recorder, answered, arn, known, token
from tests.policies.support.references import Json, Lost, Ref, Spelling, Unknown

RULES = {rule.name: rule for rule in load()}
MANDATORY = frozenset(name for name, rule in RULES.items() if rule.level == "mandatory")

TODAY = date(2026, 11, 26)
"""By which what the configuration vouches for expires."""

Findings = dict[str, list[str]]
"""Rule to the messages of its findings; rules without any are left out."""


@dataclass
class Item:
    """One resource of a scene. Properties hold references as they were written."""

    inputs: Analyzed
    outputs: Analyzed

    @property
    def type(self) -> str:
        return self.inputs.type

    @property
    def name(self) -> str:
        """The logical name."""
        return self.inputs.name

    @property
    def physical(self) -> str:
        """The physical name, known at preview."""
        properties = self.outputs.properties
        return str(properties.get("name") or properties.get("bucket") or properties.get("alarmName", ""))

    @property
    def region(self) -> str:
        """Where it is."""
        own = self.inputs.properties.get("region")
        return str(own or (self.inputs.provider and self.inputs.provider.properties.get("region")) or REGION)

    def get(self, key: str) -> Any:
        """Return an input as it was written, as a copy."""
        return copy.deepcopy(self.inputs.properties[key])

    def put(self, *path: str, to: Any) -> "Item":
        """Set an input, and the output of that name."""
        self._edit(lambda properties: _put(properties, path, copy.deepcopy(to)), path[0], keep=len(path) > 1)
        return self

    def ignore(self, *paths: str) -> "Item":
        """Have Pulumi ignore changes of these properties, and of no others."""
        self.inputs = replace(self.inputs, ignores=paths)
        self.outputs = replace(self.outputs, ignores=paths)
        return self

    def by(self, provider: "Item") -> "Item":
        """Have an explicit provider make it."""
        self.inputs = replace(self.inputs, provider=provider.inputs)
        self.outputs = replace(self.outputs, provider=provider.inputs)
        own = self.outputs.properties.get("arn")
        if isinstance(own, str):
            self.compute("arn", own.replace(f":{REGION}:", f":{self.region}:"))
        return self

    def drop(self, key: str) -> "Item":
        """Leave a top-level input out."""
        self._edit(lambda properties: properties.pop(key, None), key)
        return self

    def compute(self, key: str, value: Any) -> "Item":
        """Set an output that the program left out."""
        self.put(key, to=value)
        inputs = {each: held for each, held in self.inputs.properties.items() if each != key}
        needs = {each: urns for each, urns in self.inputs.property_dependencies.items() if each != key}
        self.inputs = replace(self.inputs, properties=inputs, property_dependencies=needs)
        self.outputs = replace(self.outputs, property_dependencies=needs)
        return self

    def document(self, change: Callable[[list[dict[str, Any]]], Any], key: str = "policy") -> "Item":
        """Change the statements of an IAM document."""
        held = self.get(key)
        document = held.content if isinstance(held, Json) else json.loads(held)
        change(document["Statement"])
        self._edit(lambda properties: properties.update({key: Json(document)}), key, keep=True)
        return self

    def _edit(self, change: Callable[[dict[str, Any]], Any], key: str, *, keep: bool = False) -> None:
        """Change both sides; with `keep`, the property still depends on what it depended on."""
        for side in ("inputs", "outputs"):
            told: Analyzed = getattr(self, side)
            properties = copy.deepcopy(told.properties)
            change(properties)
            needs = told.property_dependencies.get(key, ()) if keep else ()
            by_property = {**told.property_dependencies, key: needs}
            setattr(self, side, replace(told, properties=properties, property_dependencies=by_property))


class Scene:
    """A recording that may be changed, or, without one, an empty stack to add resources to."""

    def __init__(
        self, recording: Recorder | None = None, spelling: Spelling = Spelling.RESOURCE, *, up: bool = False
    ) -> None:
        self.spelling, self.up = spelling, up
        self.stack, self.project = "dev", "other"
        self.sandboxes = frozenset({"dev", "orders"})
        """Names of the stacks that are declared sandboxes."""
        self.items: list[Item] = []
        self._removed: list[Item] = []
        if recording:
            self.stack, self.project = recording.project.stack, recording.project.name
            self.items = [Item(item, recording.outputs[urn]) for urn, item in recording.inputs.items()]

    def __contains__(self, name: str) -> bool:
        return bool(_named(self.items, name))

    def find(self, name: str) -> Item:
        """Return an AWS resource by its logical name, which must be unique."""
        [found] = _named(self.items, name)
        return found

    def add(self, type_: str, name: str, /, **properties: Any) -> Item:
        """Register one more resource, `lambda.Function` for example, with the provider's defaults."""
        assert name not in self, f"{name} is there already"
        type_ = token(type_)
        root = next((item.inputs.urn for item in self.items if item.type == STACK_TYPE), "")
        if type_.startswith("pulumi:providers:"):
            told = Analyzed("", type_, name, properties, parent=root)
            self.items.append(Item(told, told))
            return self.items[-1]
        spec = TABLE.get(type_)
        inputs = dict(spec.defaults) if spec else {}
        if "name" not in properties and (spec is None or spec.name == "name"):
            inputs["name"] = physical(name)
        inputs |= copy.deepcopy(properties)
        computed = {*(spec.computed if spec else ()), "arn", "id"} - inputs.keys()
        if type_.endswith(("EventTarget", "TopicPolicy", "TopicSubscription")):
            computed -= {"arn"}
        told = Analyzed("", type_, name, inputs, parent=root, property_dependencies=dict.fromkeys(inputs, ()))
        outputs = dict.fromkeys(computed, UNKNOWN) | inputs
        shown = answered(type_, known(type_, outputs) if self.up else outputs)
        self.items.append(Item(told, replace(told, properties=shown)))
        return self.items[-1]

    def remove(self, *names: str) -> None:
        """Leave resources out. References to them become text that a person wrote."""
        for name in names:
            item = self.find(name)
            self.items.remove(item)
            self._removed.append(item)

    def told(self, side: str = "outputs") -> list[Analyzed]:
        """Return all resources, by their `inputs` or `outputs`, as the engine tells of them."""
        return [self._told(getattr(item, side)) for item in self.items]

    def _urn(self, told: Analyzed) -> str:
        return told.urn or make_urn(self.stack, self.project, "", told.type, told.name)

    def _told(self, held: Analyzed) -> Analyzed:
        resolved = {key: self._resolved(value) for key, value in held.properties.items()}
        needs = {
            key: tuple(sorted({*urns, *(resolved[key][1] if key in resolved else ())}))
            for key, urns in held.property_dependencies.items()
        }
        return replace(
            held,
            urn=self._urn(held),
            properties={key: value for key, (value, _) in resolved.items()},
            provider=held.provider and replace(held.provider, urn=self._urn(held.provider)),
            dependencies=tuple(
                sorted({*held.dependencies, *(urn for urns in needs.values() for urn in urns)})
            ),
            property_dependencies=needs,
        )

    def _resolved(self, value: Any) -> tuple[Any, frozenset[str]]:
        """Return a value as it arrives, and the URNs that it depends on."""
        none = frozenset[str]()
        match value:
            case Ref():
                return self._referred(value)
            case Unknown():
                return UNKNOWN, frozenset(self._urn(self.find(each).inputs) for each in value.origins)
            case Lost():
                return (value.value if self.up else UNKNOWN), none
            case Json():
                content, needs = self._resolved(value.content)
                text = json.dumps(content)
                return (UNKNOWN if UNKNOWN in text else text), needs
            case dict():
                pairs = {key: self._resolved(each) for key, each in value.items()}
                needs = none.union(*(needs for _, needs in pairs.values()))
                return {key: each for key, (each, _) in pairs.items()}, needs
            case list():
                found = [self._resolved(each) for each in value]
                return [each for each, _ in found], none.union(*(needs for _, needs in found))
            case _:
                return value, none

    def _referred(self, ref: Ref) -> tuple[str, frozenset[str]]:
        present = _named(self.items, ref.target)
        [item] = present or _named(self._removed, ref.target)
        text = self._attribute(item, ref.attribute) + ref.suffix
        if ref.attribute == "text" or self.spelling is Spelling.LITERAL or not present:
            return text, frozenset()
        return (text if self.up or ref.attribute == "name" else UNKNOWN), frozenset({self._urn(item.inputs)})

    def _attribute(self, item: Item, attribute: str) -> str:
        if attribute in ("name", "id"):
            return item.physical
        return f"https://{item.physical}.example.com/" if attribute == "url" else self.arn(item)

    def arn(self, item: Item) -> str:
        """Return the ARN that a resource has."""
        if item.type.endswith(":Alias"):
            return arn(item.type, f"{self._resolved(item.get('functionName'))[0]}:{item.physical}")
        return arn(item.type, item.physical, item.region)

    def resources(self, config: Mapping[str, Config] | None = None) -> list[Resource]:
        """Return the stack as rules see it."""
        told = self.told()
        made = {
            each.urn: PolicyResource(
                *(each.type, each.properties, each.urn, each.name),
                *(_options(each), _provider(each.provider), None, [], {}),
            )
            for each in told
        }
        for each in told:
            made[each.urn].property_dependencies = {
                key: [made[urn] for urn in urns if urn in made]
                for key, urns in each.property_dependencies.items()
            }
        return list(from_stack(StackValidationArgs(list(made.values())), self._sandboxes(config)))

    def _sandboxes(self, config: Mapping[str, Config] | None) -> frozenset[str]:
        said: list[str] = (config or {}).get(RECOGNITION.name, {}).get("sandboxStacks", [])
        return self.sandboxes | frozenset(said)

    def graph(self, config: Mapping[str, Config] | None = None) -> Graph:
        said = {**RECOGNITION.defaults, **(config or {}).get(RECOGNITION.name, {})}
        return Graph(self.resources(config), recognition.read(said, TODAY)[0])

    def findings(
        self, rules: Collection[str] = tuple(RULES), config: Mapping[str, Config] | None = None
    ) -> Findings:
        """Have rules judge the scene in this process."""
        graph = self.graph(config)
        inputs = [_resource(each, self._sandboxes(config)) for each in self.told("inputs")]
        found: Findings = {}
        for name in rules:
            settings = {**RULES[name].defaults, **(config or {}).get(name, {})}
            told = judged(RULES[name], graph, settings, inputs)
            assert all(each.urn in graph.index.by_urn for each in told)
            found[name] = [each.message for each in dict.fromkeys(told)]
        return {name: messages for name, messages in found.items() if messages}

    def judge(self, pack: Judge) -> list[Violation]:
        """Have a running pack judge the scene as the engine would."""
        found = [violation for item in self.told("inputs") for violation in pack.analyze_once(item)]
        return found + pack.analyze_stack(self.told())


def judged(rule: AnyRule, graph: Graph, config: Config, inputs: Collection[Resource]) -> list[Finding]:
    """Return what a rule finds: of the graph, or of the inputs of single resources."""
    if not isinstance(rule, ResourceRule):
        return list(rule.check(graph, config))
    return [found for each in inputs if each.type in rule.types for found in rule.check(each, config)]


def physical(name: str) -> str:
    """Return the physical name that an added resource has, made up as an automatic one is."""
    return f"{name}-0a1b2c3"


def _options(told: Analyzed) -> PolicyResourceOptions:
    never = PolicyCustomTimeouts(0, 0, 0)
    return PolicyResourceOptions(False, list(told.ignores), None, [], never, [], told.parent or None)


def _provider(told: Analyzed | None) -> PolicyProviderResource | None:
    return PolicyProviderResource(told.type, told.properties, told.urn, told.name) if told else None


def _named(items: Collection[Item], name: str) -> list[Item]:
    own = ("aws:", "pulumi:providers:", STACK_REFERENCE)
    return [item for item in items if item.inputs.name == name and item.inputs.type.startswith(own)]


def _resource(told: Analyzed, sandboxes: Collection[str]) -> Resource:
    sandbox = stack_of(told.urn) in sandboxes
    return Resource(told.urn, told.type, told.name, plain(told.properties), sandbox=sandbox)


def _put(properties: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for key in path[:-1]:
        properties = properties.setdefault(key, {})
    properties[path[-1]] = value
