"""Remedy `rollback_alias`: the published version that an alias points to.

Reads and writes: GetAlias, ListVersionsByFunction and UpdateAlias, and GetFunctionConfiguration, of $LATEST
    to see deployments and of versions to see which can run. The remedy's value is read from AWS: the highest
    lower published version that can run and that the healer did not itself roll away from.
Value before: the version that the alias points to.
Already applied: the alias points to the planned version.
Reverts: by pointing the alias to the version before.
Concurrency guarantee: compare-and-swap. The write names the alias's own RevisionId, which changes with every
    update of the alias. A weighted rollout in progress is reported as not settled; one that starts after the
    read changes the revision. A write whose answer was lost is recognised as applied.
"""

from collections.abc import Collection, Iterator
from typing import Any

from selfheal.functions.healer.aws import Aws
from selfheal.functions.healer.live import Live
from selfheal.functions.healer.remedies.common import GONE, attempt, can_run, find, look
from selfheal.functions.healer.target import Setting, Target

LOOK_BACK = 10
"""Versions whose state is read at most. Ten in a row that cannot run are people's business."""


def read(aws: Aws, target: Target, setting: Setting) -> Live:
    """Read the alias, without a candidate."""
    seen = look(aws, target)
    if seen is None:
        return GONE
    alias = find(aws.lambda_.get_alias, FunctionName=target.function, Name=setting.name)
    if alias is None:
        return GONE
    return Live(
        value=str(alias["FunctionVersion"]),
        token=alias["RevisionId"],
        configuration=seen,
        settled=not (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights"),
    )


def candidate(aws: Aws, target: Target, version: str | None, rejected: Collection[str]) -> str | None:
    """Return the version to roll back to: the highest published one below that can run.

    ListVersionsByFunction does not return the states, so each is read until one can run, at most LOOK_BACK.

    Args:
        aws: The clients.
        target: The target.
        version: The version that the alias points to. What came before $LATEST is not known.
        rejected: Versions that are left out, as `function:version`.

    """
    if version is None or not version.isdecimal():
        return None
    below = [each for each in _published(aws.lambda_, target.function) if each < int(version)]
    tried = [each for each in sorted(below, reverse=True) if f"{target.function}:{each}" not in rejected]
    for each in map(str, tried[:LOOK_BACK]):
        answer = find(aws.lambda_.get_function_configuration, FunctionName=target.function, Qualifier=each)
        if answer is not None and can_run(answer):
            return each
    return None


def write(aws: Aws, target: Target, setting: Setting, live: Live, value: str | None) -> str | None:
    """Point the alias to a version. Its other properties stay the same.

    Raises:
        ValueError: when the value is not a published version.

    """
    if value is None or not value.isdecimal():
        raise ValueError(f"{target.function}: {setting.name} needs a published version, got {value!r}")
    return attempt(
        aws.lambda_.update_alias,
        FunctionName=target.function,
        Name=setting.name,
        FunctionVersion=value,
        RevisionId=live.token,
    )


def _published(client: Any, function: str) -> Iterator[int]:
    """Yield the published versions. Deleted ones leave gaps."""
    for page in client.get_paginator("list_versions_by_function").paginate(FunctionName=function):
        yield from (int(each["Version"]) for each in page["Versions"] if str(each["Version"]).isdecimal())
