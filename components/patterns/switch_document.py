"""The automation that breaks a downstream for a while, as a Systems Manager document. Pure, but for outputs.

FIS cannot refuse an outbound call. So the experiment switches what is called: it puts an item into the
downstream's table, waits, and deletes it.

    deadline   when the switch ends by itself, whatever becomes of this automation
    break      puts the switch, unless somebody else's is in force
    wait
    mend       deletes it, if it still is this one; also after a failure, and when the automation is cancelled

Source: Systems Manager user guide, "Systems Manager Automation actions reference": `onFailure` and `onCancel`
name the step to go to, and a cancelled automation has two minutes for it.
"""

from collections.abc import Mapping
from typing import Any

import pulumi

from selfheal.components.iam import Statement, allow, on_items
from selfheal.scenarios.faults import DownstreamFault

SETTING = {"pk": {"S": "setting"}, "sk": {"S": "setting"}}
"""Key of the switch, as in `selfheal.functions.downstream.store`."""

SPARE_SECONDS = 30
"""By how much the switch outlasts the wait, if nobody deletes it."""

SCRIPT = """import time

def run(events, context):
    now = int(time.time())
    return {"now": str(now), "until": str(now + int(events["seconds"]))}
"""


def switch_rights(table: pulumi.Input[str]) -> list[Statement]:
    """Return what the automation's role may do: write one item of the table of this ARN."""
    return [allow(["dynamodb:PutItem", "dynamodb:DeleteItem"], [table], on_items(SETTING))]


def switch_document(
    fault: DownstreamFault, seconds: int, table: pulumi.Input[str], role: pulumi.Input[str]
) -> pulumi.Output[str]:
    """Return the document as JSON.

    Args:
        fault: What the downstream is switched to. Its rate stays as it is.
        seconds: How long the fault lasts.
        table: Name of the downstream's table.
        role: ARN of the role that the automation assumes.

    """
    numbers = {"seconds": fault.seconds, "share": fault.share}
    item: dict[str, Mapping[str, str]] = {
        **SETTING,
        "mode": {"S": fault.mode},
        **{name: {"N": repr(value)} for name, value in numbers.items() if value is not None},
        "until": {"N": "{{ deadline.until }}"},
    }
    always = {"onFailure": "step:mend", "onCancel": "step:mend"}
    steps: list[dict[str, Any]] = [
        {
            "name": "deadline",
            "action": "aws:executeScript",
            "inputs": {
                "Runtime": "python3.11",
                "Handler": "run",
                "Script": SCRIPT,
                "InputPayload": {"seconds": str(seconds + SPARE_SECONDS)},
            },
            "outputs": [
                {"Name": name, "Selector": f"$.Payload.{name}", "Type": "String"} for name in ("now", "until")
            ],
        },
        {
            "name": "break",
            "action": "aws:executeAwsApi",
            "inputs": {
                "Service": "dynamodb",
                "Api": "PutItem",
                "TableName": table,
                "Item": item,
                # A switch without an end is an operator's, and stays.
                "ConditionExpression": "attribute_not_exists(pk) OR #until < :now",
                "ExpressionAttributeNames": {"#until": "until"},
                "ExpressionAttributeValues": {":now": {"N": "{{ deadline.now }}"}},
            },
            **always,
        },
        {"name": "wait", "action": "aws:sleep", "inputs": {"Duration": iso(seconds)}, **always},
        {
            "name": "mend",
            "action": "aws:executeAwsApi",
            "inputs": {
                "Service": "dynamodb",
                "Api": "DeleteItem",
                "TableName": table,
                "Key": SETTING,
                "ConditionExpression": "attribute_not_exists(pk) OR #until = :until",
                "ExpressionAttributeNames": {"#until": "until"},
                "ExpressionAttributeValues": {":until": {"N": "{{ deadline.until }}"}},
            },
            "isEnd": True,
        },
    ]
    return pulumi.Output.json_dumps(
        {
            "schemaVersion": "0.3",
            "description": f"Switches a downstream to {fault.mode} for {seconds} s, and back",
            "assumeRole": role,
            "mainSteps": steps,
        }
    )


def iso(seconds: int) -> str:
    """Return a duration in ISO 8601, such as PT1M15S."""
    minutes, rest = divmod(seconds, 60)
    return "PT" + (f"{minutes}M" if minutes else "") + (f"{rest}S" if rest or not minutes else "")
