"""What keeps `up` from undoing a remedy in the middle of an incident: the program asks the ledger first."""

import json
from typing import Any, cast

import pulumi
import pulumi_aws as aws

from selfheal.components.errors import ComponentError
from selfheal.functions.shared.contract import FLEET_KEY

_NOTHING_THERE = ("couldn't find resource", "empty result")
"""The AWS provider's errors for a missing table and a missing item, observed with version 7.51.1."""


class UnreadableLedgerError(ComponentError):
    """The ledger cannot be read, so it is not known whether an incident is open."""


def open_targets(ledger_name: str) -> list[str]:
    """Return the targets with a change by the healer that `up` would undo, sorted.

    If there is no ledger yet, there are none.

    Raises:
        UnreadableLedgerError: when AWS answers with an error other than "no item" or "no table".

    """
    try:
        answer = aws.dynamodb.get_table_item(table_name=ledger_name, key=json.dumps(FLEET_KEY))
        item = cast("dict[str, Any]", json.loads(answer.item))
        return sorted(item.get("targets", {}).get("SS", []))
    except Exception as error:
        if any(text in str(error) for text in _NOTHING_THERE):
            return []
        raise UnreadableLedgerError(
            f"the ledger {ledger_name} could not be read, so it is not known whether an incident is open: "
            f"{error}. Allowed are a readable table, or none (first deployment). Check the credentials, "
            "region and dynamodb:GetItem of whoever deploys, and deploy again."
        ) from error


def refuse_while_open(ledger_name: str, restore_baseline: bool) -> None:
    """Refuse `up` while it would undo a change by the healer and restore the failing baseline.

    Call this before registering any resource, so that a refused `up` changes nothing. At preview it only
    warns.

    Args:
        ledger_name: The table's name.
        restore_baseline: Whether people decided that the baseline is wanted all the same.

    Raises:
        ComponentError: at `up`, when a target is open or the ledger cannot be read.

    """
    try:
        names = open_targets(ledger_name)
    except UnreadableLedgerError as error:
        _refuse_or_warn(error, restore_baseline)
        return
    if names:
        _refuse_or_warn(
            ComponentError(
                f"an incident is open on {', '.join(names)}: `up` would put the baseline back over the "
                "healer's remedy. Allowed is `up` without an open incident. See `selfheal incidents`, "
                "wait until they are closed, take the remedy back with `selfheal rollback`, or decide to "
                "restore the baseline now: `pulumi config set restoreBaseline true`."
            ),
            restore_baseline,
        )


def _refuse_or_warn(error: ComponentError, restore_baseline: bool) -> None:
    if not restore_baseline and not pulumi.runtime.is_dry_run():
        raise error
    suffix = " (restoreBaseline is true: `up` goes on)" if restore_baseline else " (`up` will be refused)"
    pulumi.log.warn(f"{error}{suffix}")
