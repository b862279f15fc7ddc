"""The resources that the unmodified program registers, as a stack policy gets them."""

import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import rpc
from selfheal_policies.resources import Resource
from selfheal_policies.values import UNKNOWN

from tests.support.pulumi_mocks import COMPUTED, NAMED, RefusedError, Registration, deploy

ROOT = Path(__file__).parents[2]

STACKS: Mapping[str, Mapping[str, str]] = {
    "dev": {
        "selfheal:failureRate": "0.3",
        "selfheal:mode": "act",
        "selfheal:protectLedger": "false",
        "selfheal:remedies": '["environment"]',
    },
    "staging": {"selfheal:failureRate": "0", "selfheal:mode": "suggest"},
    "prod": {"selfheal:failureRate": "0", "selfheal:mode": "observe"},
}
"""As in Pulumi.<stack>.yaml."""


def registered(stack: str, *, preview: bool, **config: str) -> list[Resource]:
    """Run the program for a stack and return what it registers."""

    def program() -> None:
        runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")

    def no_table(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise RefusedError("couldn't find resource")

    deployment = deploy(
        program,
        preview=preview,
        stack=stack,
        config={**STACKS[stack], **{f"selfheal:{key}": value for key, value in config.items()}},
        invokes={"aws:dynamodb/getTableItem:getTableItem": no_table},
    )
    return [_resource(each, preview) for each in deployment.resources]


def _resource(registration: Registration, preview: bool) -> Resource:
    props = _known(dict(registration.inputs))
    if key := NAMED.get(registration.type):
        props.setdefault(key, f"{registration.name}-1a2b3c4")
    for key, template in COMPUTED.get(registration.type, {}).items():
        filled = {**props, "id": registration.name}
        props[key] = UNKNOWN if preview else template.format(**filled)
    return Resource(
        registration.urn,
        registration.type,
        registration.name,
        props,
        {key: tuple(sorted(urns)) for key, urns in registration.property_dependencies.items()},
    )


def _known(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _known(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_known(each) for each in value]
    return UNKNOWN if value is rpc.UNKNOWN or isinstance(value, pulumi.output.Unknown) else value
