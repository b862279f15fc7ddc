"""The Lambda handler behind the stream: keeps a row for each order of a day, for reports.

    pk               sk           holds
    analytics#DAY    CALLER#ID    one order of that day

A row is written by its key, so an event that comes twice, or is replayed, changes nothing.
"""

import base64
import os
from typing import Any

import boto3

from selfheal.functions.orders.delivery import parse_delivery
from selfheal.functions.shared.batch import Answer, Record, kinesis_batch

CLIENT = boto3.client("dynamodb")
TABLE = os.environ["ORDERS_TABLE"]


def row(record: Record) -> dict[str, Any]:
    """Return the row of one record of the stream.

    Raises:
        PoisonError: when it is no event about an order.

    """
    delivery = parse_delivery({"body": base64.b64decode(record["kinesis"]["data"]).decode()})
    return {
        "pk": {"S": f"analytics#{delivery.day}"},
        "sk": {"S": f"{delivery.caller}#{delivery.id}"},
    }


def _keep(record: Record) -> None:
    CLIENT.put_item(TableName=TABLE, Item=row(record))


def handle(event: dict[str, Any], _context: Any) -> Answer:
    """Keep a batch of records."""
    return kinesis_batch(event, _keep)
