"""Several scenes as one Pulumi program: judged in process, or registered with the real engine."""

import copy
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pulumi

from tests.policies.support.references import Json, Lost, Ref, Unknown
from tests.policies.support.scene import Scene, physical

_SUFFIX = physical("")


def together(scenes: Mapping[str, Scene]) -> Scene:
    """Return one scene of several, each under a prefix, so that no two resources have the same name."""
    whole = Scene()
    for prefix, scene in scenes.items():
        for item in scene.items:
            moved = copy.copy(item)
            for side in ("inputs", "outputs"):
                told = getattr(item, side)
                properties = _renamed(told.properties, prefix)
                setattr(moved, side, replace(told, name=f"{prefix}-{told.name}", properties=properties))
            whole.items.append(moved)
    return whole


def _renamed(value: Any, prefix: str) -> Any:
    """Return a property for a scene that shares its stack: other logical and physical names."""
    if isinstance(value, str):
        return value.replace(_SUFFIX, f"{_SUFFIX}-{prefix}")
    if isinstance(value, Ref):
        return replace(value, target=f"{prefix}-{value.target}")
    if isinstance(value, Unknown):
        return Unknown(tuple(f"{prefix}-{each}" for each in value.origins))
    if is_dataclass(value) and not isinstance(value, type):
        return type(value)(*(_renamed(getattr(value, each.name), prefix) for each in fields(value)))
    if isinstance(value, dict):
        return {key: _renamed(each, prefix) for key, each in value.items()}
    return [_renamed(each, prefix) for each in value] if isinstance(value, list) else value


def unknown(*origins: pulumi.Resource) -> pulumi.Output[Any]:
    """Return an output that is not known at preview, from these resources or from elsewhere."""

    async def held(value: Any) -> Any:
        return value

    return pulumi.Output(held(set(origins)), held(None), held(value=False))


class Registration:
    """Registers a scene with the engine that runs this process, as a program of the Python SDK would."""

    def __init__(self, scene: Scene, version: str) -> None:
        """Prepare it. `version` is the provider's."""
        self._scene = scene
        self._version = version
        self._made: dict[str, pulumi.CustomResource] = {}

    def run(self) -> None:
        """Register every resource, after those that it refers to."""
        for item in self._scene.items:
            self._resource(item.name)

    def _resource(self, name: str) -> pulumi.CustomResource:
        if name not in self._made:
            item = self._scene.find(name)
            inputs = {key: self._resolved(value) for key, value in item.inputs.properties.items()}
            outputs = {"arn": None} | dict.fromkeys(("name", "bucket", "alarmName"))
            options = pulumi.ResourceOptions(version=self._version, ignore_changes=list(item.inputs.ignores))
            self._made[name] = pulumi.CustomResource(item.type, name, {**outputs, **inputs}, options)
        return self._made[name]

    def _resolved(self, value: Any) -> Any:
        if isinstance(value, Ref):
            return self._referred(value)
        if isinstance(value, Lost):
            return unknown()
        if isinstance(value, Unknown):
            return unknown(*map(self._resource, value.origins))
        if isinstance(value, Json):
            return pulumi.Output.json_dumps(self._resolved(value.content))
        if isinstance(value, dict):
            return {key: self._resolved(each) for key, each in value.items()}
        assert not is_dataclass(value), f"{value} is not for the real engine"
        return [self._resolved(each) for each in value] if isinstance(value, list) else value

    def _referred(self, ref: Ref) -> Any:
        item = self._scene.find(ref.target)
        if ref.attribute == "text":
            return self._scene.arn(item) + ref.suffix
        made = self._resource(ref.target)
        if ref.attribute in ("arn", "url"):
            found = vars(made)["arn"]  # the one is as unknown as the other
        else:
            named = next(key for key in ("name", "bucket", "alarmName") if key in item.inputs.properties)
            found = made.id if ref.attribute == "id" else vars(made)[named]
        return pulumi.Output.concat(found, ref.suffix) if ref.suffix else found
