"""The Lambda handler behind the intake queue."""

import os
import time
from typing import Any

import boto3

from selfheal.functions.orders.delivery import parse_request
from selfheal.functions.orders.intake import Intake
from selfheal.functions.orders.store import Store
from selfheal.functions.shared import levelled, publisher
from selfheal.functions.shared.batch import Answer, Record

QUEUE = levelled.connect()
INTAKE = Intake(
    Store(boto3.client("dynamodb"), os.environ["ORDERS_TABLE"]), publisher.connect().publish, time.time
)


def _take(record: Record) -> None:
    INTAKE.take(parse_request(record))


def handle(event: dict[str, Any], context: Any) -> Answer:
    """Take a batch of requests."""
    return QUEUE.run(event, context, _take)
