"""Remedy `rollback_alias`: the published version that an alias points to.

Reads and writes: GetAlias, ListVersionsByFunction and UpdateAlias, and GetFunctionConfiguration to see
    deployments. The remedy's value is read from AWS: the next lower published version.
Value before: the version that the alias points to.
Already applied: the alias points to the planned version.
Reverts: by pointing the alias to the version before.
Concurrency guarantee: compare-and-swap. The write names the alias's own RevisionId, which changes with every
    update of the alias. A weighted rollout in progress is reported as not settled; one that starts after the
    read changes the revision. A write whose answer was lost is recognised as applied.
"""

from typing import Any

from selfheal.functions.healer.aws import Aws
from selfheal.functions.healer.live import Live
from selfheal.functions.healer.remedies.common import GONE, attempt, find, look
from selfheal.functions.healer.target import Setting, Target


def read(aws: Aws, target: Target, setting: Setting) -> Live:
    """Read the alias. `candidate` is the version to roll back to, or None.

    An alias that points to $LATEST has no candidate, because its previous version is not known.
    """
    seen = look(aws, target)
    if seen is None:
        return GONE
    alias = find(aws.lambda_.get_alias, FunctionName=target.function, Name=setting.name)
    if alias is None:
        return GONE
    version = str(alias["FunctionVersion"])
    return Live(
        value=version,
        token=alias["RevisionId"],
        configuration=seen,
        settled=not (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights"),
        candidate=_earlier(aws.lambda_, target.function, version),
    )


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


def _earlier(client: Any, function: str, version: str) -> str | None:
    """Return the highest published version below a given one. Deleted versions leave gaps."""
    if not version.isdecimal():
        return None
    pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=function)
    published = (str(entry["Version"]) for page in pages for entry in page["Versions"])
    below = [int(number) for number in published if number.isdecimal() and int(number) < int(version)]
    return str(max(below)) if below else None
