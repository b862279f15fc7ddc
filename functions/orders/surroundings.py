"""What the consumers of orders share: store, breaker and downstream, as the environment describes them."""

import os
import time
from collections.abc import Callable

import boto3

from selfheal.functions.orders.downstream import HttpDownstream
from selfheal.functions.orders.order import MOST_ATTEMPTS, Order
from selfheal.functions.orders.store import Store
from selfheal.functions.orders.worker import NEUTRAL, Worker
from selfheal.functions.shared.breaker import client


def connect(consumer: str, data: Callable[[Order], object]) -> tuple[Worker, client.Breaker]:
    """Return a consumer of orders, and its circuit breaker.

    Args:
        consumer: One of CONSUMERS.
        data: Returns what is asked of the downstream for an order. May raise PoisonError.

    """
    breaker = client.connect_from_environment(NEUTRAL)
    worker = Worker(
        consumer,
        Store(boto3.client("dynamodb"), os.environ["ORDERS_TABLE"]),
        breaker,
        HttpDownstream(os.environ["DOWNSTREAM_URL"]),
        time.time,
        data,
        int(os.environ.get("MOST_ATTEMPTS", MOST_ATTEMPTS)),
    )
    return worker, breaker
