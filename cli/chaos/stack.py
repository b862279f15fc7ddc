"""The orders service as a run sees it: what its outputs name, how it is, and what became of its orders."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from selfheal.cli.chaos.recording import OrderKey
from selfheal.cli.errors import CliError
from selfheal.cli.operator.aws_access import AwsAccess
from selfheal.cli.operator.location import Location
from selfheal.cli.operator.orders_view import Call
from selfheal.cli.operator.stack_outputs import stack_outputs
from selfheal.functions.downstream.core import Outcome
from selfheal.functions.downstream.store import CALLS_KEPT
from selfheal.functions.healer.clock import set_by
from selfheal.functions.orders.order import Order
from selfheal.functions.orders.store import from_item, order_key
from selfheal.functions.status.picture import Picture
from selfheal.functions.status.read import read_picture
from selfheal.functions.status.sources import Sources
from selfheal.sandbox.clients import is_loopback

NEEDED = ("url", "ordersTable", "downstreamTable", "circuits", "deadLetters", "ledgerTable")
"""Outputs without which nothing can be observed."""

BATCH = 100
"""Keys of one BatchGetItem. Source: API reference."""


@dataclass(frozen=True)
class Stack:
    """A deployed orders service. Methods raise botocore's errors."""

    name: str
    access: AwsAccess
    outputs: Mapping[str, Any]
    options: str = ""
    """The options with which another command finds its ledger, with a space before them."""

    @property
    def dynamodb(self) -> Any:
        """A client of DynamoDB."""
        return self.access.clients.get("dynamodb")

    @property
    def endpoint(self) -> str:
        """Where calls go."""
        return str(self.dynamodb.meta.endpoint_url)

    @property
    def is_emulated(self) -> bool:
        """Whether that is an emulator on this machine, and not AWS."""
        return is_loopback(self.endpoint)

    @property
    def is_production(self) -> bool:
        """Whether the stack is not declared a sandbox: it is unless its output `sandbox` is true."""
        return self.outputs.get("sandbox") is not True

    @property
    def ledger(self) -> str:
        """The ledger's table."""
        return str(self.outputs["ledgerTable"])

    def caller(self) -> str:
        """Return the ARN of whoever signs the calls."""
        return str(self.access.clients.get("sts").get_caller_identity()["Arn"])

    def check_clock(self) -> None:
        """Compare this machine's clock with AWS's: when faults end is a time.

        Raises:
            CliError: when they differ by more than two seconds.

        """
        before = datetime.now(UTC)
        answer = self.dynamodb.describe_table(TableName=self.ledger)
        date = answer["ResponseMetadata"]["HTTPHeaders"]["date"]
        ahead = set_by(date, before, datetime.now(UTC)).ahead.total_seconds()
        if ahead:
            raise CliError(
                f"This machine's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} AWS's. "
                "A fault ends at a stated time: correct the clock first."
            )

    def picture(self) -> Picture:
        """Return how the stack is now."""
        return read_picture(self.access.clients, Sources.from_outputs(self.outputs), datetime.now(UTC))

    def orders(self, keys: Iterable[OrderKey]) -> dict[OrderKey, Order]:
        """Return those of these orders that are there, as they are now."""
        table, left = str(self.outputs["ordersTable"]), list(keys)
        found: dict[OrderKey, Order] = {}
        for start in range(0, len(left), BATCH):
            wanted: list[Any] = [order_key(*key) for key in left[start : start + BATCH]]
            while wanted:
                answer = self.dynamodb.batch_get_item(
                    RequestItems={table: {"Keys": wanted, "ConsistentRead": True}}
                )
                for item in answer["Responses"].get(table, []):
                    order = from_item(item)
                    found[order.caller, order.id] = order
                # What DynamoDB had no room for, or no capacity.
                wanted = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
        return found

    def calls_made(self) -> int:
        """Return how many calls the downstream has ever seen."""
        key = {"pk": {"S": "counters"}, "sk": {"S": "calls"}}
        item = self.dynamodb.get_item(
            TableName=self.outputs["downstreamTable"], Key=key, ConsistentRead=True
        ).get("Item", {})
        return int(item.get("calls", {}).get("N", "0"))

    def calls_since(self, number: int) -> tuple[Call, ...] | None:
        """Return the downstream's log after the call of a number; None where it was overwritten meanwhile."""
        last = self.calls_made()
        if last - number >= CALLS_KEPT:
            return None
        calls = [call for first, final in _slots(number + 1, last) for call in self._calls(first, final)]
        return tuple(call for made, call in sorted(calls, key=lambda each: each[0]) if made > number)

    def _calls(self, first: int, last: int) -> Iterable[tuple[int, Call]]:
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=self.outputs["downstreamTable"],
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":pk": {"S": "calls"},
                ":first": {"S": f"{first:05}"},
                ":last": {"S": f"{last:05}"},
            },
        )
        for page in pages:
            for item in page["Items"]:
                call = Call(float(item["at"]["N"]), item["key"]["S"], Outcome(item["outcome"]["S"]))
                yield int(item["number"]["N"]), call


def _slots(first: int, last: int) -> list[tuple[int, int]]:
    """Return the places of calls in the log, which is a ring."""
    if last < first:
        return []
    low, high = first % CALLS_KEPT, last % CALLS_KEPT
    return [(low, high)] if low <= high else [(low, CALLS_KEPT - 1), (0, high)]


def find_stack(location: Location, access: AwsAccess, file: Path | None) -> Stack:
    """Return the stack: by a file of its outputs, or as the Pulumi CLI tells them.

    The ledger is the one that they name, and no other: it keeps runs apart and holds approvals.

    Raises:
        CliError: when they are not known, or are not those of an orders service.

    """
    if file is not None:
        outputs = _of_file(file)
    else:
        told, problem = stack_outputs(access, location.folder, location.stack)
        if told is None:
            raise CliError(
                f"Cannot tell what is deployed: {problem}. Name the stack with -s; or save the outputs where "
                f"Pulumi knows them, with `pulumi stack output --json -s {location.stack}`, and name "
                "the file with --outputs."
            )
        outputs = told
    if missing := [name for name in NEEDED if not outputs.get(name)]:
        raise CliError(
            f"The stack {location.stack} has no output {', '.join(missing)}: experiments are made with the "
            "orders service (`service: orders`) and its healer. Name another with --stack, or deploy it anew."
        )
    if file is not None:
        location = replace(location, ledger=str(outputs["ledgerTable"]))  # Pulumi may not tell it
    return Stack(location.stack, access, outputs, location.as_options())


def _of_file(file: Path) -> Mapping[str, Any]:
    try:
        found: Any = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CliError(f"Cannot read the outputs in {file}: {error}") from error
    if not isinstance(found, dict):
        raise CliError(f"{file} must hold a JSON object of outputs, as `pulumi stack output --json` prints.")
    return cast("dict[str, Any]", found)
