"""Undoes what a run made, by its record alone: whoever comes after one that was killed has nothing else.

Undoing twice is as good as once, and after each undoing it is looked whether it is gone.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from selfheal.cli.chaos.faults import setting
from selfheal.cli.chaos.fis import RUN_TAG
from selfheal.cli.chaos.record import Undo
from selfheal.cli.errors import CliError
from selfheal.cli.operator.aws_access import ClientSource
from selfheal.functions.downstream.store import SETTING_KEY
from selfheal.sandbox.errors import SandboxError
from selfheal.sandbox.faults import Faults

STOP_SECONDS = 90
"""How long FIS may take until a stopped experiment has ended."""

SEEN_SECONDS = 5
"""How long FIS may take until it lists an experiment that was started right before."""

LIVE = {"pending", "initiating", "running", "stopping"}
"""States of an experiment that has not ended."""

Tell = Callable[[str], None]
"""Tells people a line. It must not raise: what could not be told has been undone all the same."""


def undo_all(undo: Sequence[Undo], clients: ClientSource, tell: Tell) -> None:
    """Undo everything, and see that it is gone.

    Raises:
        CliError: when something is still there, or that could not be told. The rest is undone all the same.

    """
    failed: list[str] = []
    for each in undo:
        try:
            tell(UNDO[each.kind](clients, each.where))
        except (KeyError, CliError, SandboxError, BotoCoreError, ClientError, OSError) as error:
            failed.append(f"{each.kind} {each.where}: {error}")
    if failed:
        raise CliError(
            f"Not undone: {'; '.join(failed)}. It ends by itself; the record is kept. "
            "Mend what is in the way, then: selfheal chaos stop"
        )


def _undo_switch(clients: ClientSource, where: Mapping[str, str]) -> str:
    dynamodb, table, until = clients.get("dynamodb"), where["table"], where["until"]
    try:
        dynamodb.delete_item(
            TableName=table,
            Key=SETTING_KEY,
            ConditionExpression="#until = :until",
            ExpressionAttributeNames={"#until": "until"},
            ExpressionAttributeValues={":until": {"N": until}},
        )
    except ClientError as error:
        # Never made, undone before, or switched by somebody else since: then it is theirs.
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
    left = setting(dynamodb, table).get("until", {}).get("N")
    if left is not None and float(left) == float(until):
        raise CliError(f"the switch is still in {table}")
    return f"the downstream's switch in {table} is gone"


def _undo_experiment(clients: ClientSource, where: Mapping[str, str]) -> str:
    fis, template, began = clients.get("fis"), where["template"], time.monotonic()
    while True:
        found = _started(fis, template, where["run"])
        live = [each for each in found if each["state"]["status"] in LIVE]
        waited = time.monotonic() - began
        # Those that have ended are listed too. Of a run that was killed right after its call there may be
        # none yet.
        if not live and (found or waited >= SEEN_SECONDS):
            return f"no experiment of the template {template} runs"
        for each in live:
            if each["state"]["status"] != "stopping":
                try:
                    fis.stop_experiment(id=each["id"])
                except ClientError as error:
                    # It has ended meanwhile.
                    if error.response["Error"]["Code"] not in {"ValidationException", "ConflictException"}:
                        raise
        if waited > STOP_SECONDS:
            raise CliError(f"the experiment {found[0]['id']} has not ended within {STOP_SECONDS} s")
        time.sleep(0.5)


def _started(fis: Any, template: str, run_id: str) -> list[Mapping[str, Any]]:
    pages = fis.get_paginator("list_experiments").paginate(experimentTemplateId=template)
    return [
        each for page in pages for each in page["experiments"] if each.get("tags", {}).get(RUN_TAG) == run_id
    ]


def _undo_throttle(clients: ClientSource, where: Mapping[str, str]) -> str:
    faults = Faults(clients.get("dynamodb").meta.endpoint_url)
    faults.end(where["id"])
    if any(each.get("id") == where["id"] for each in faults.list()):
        raise CliError("the emulator still has it")
    return "the emulator throttles nothing any more"


UNDO: Mapping[str, Callable[[ClientSource, Mapping[str, str]], str]] = {
    "switch": _undo_switch,
    "experiment": _undo_experiment,
    "throttle": _undo_throttle,
}
"""By kind: undoes it, whatever is left of it, and returns what it saw then."""
