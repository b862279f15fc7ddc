"""Calls the dependency once for each message, through the circuit breaker."""

import os
from collections.abc import Mapping
from typing import Any
from urllib.request import urlopen

from selfheal.functions.shared import levelled
from selfheal.functions.shared.breaker.client import connect_from_environment

BREAKER = connect_from_environment()
QUEUE = levelled.connect(BREAKER.outage_seconds)


def handle(event: Mapping[str, Any], context: Any) -> Any:
    """Handle a batch."""
    return QUEUE.run(event, context, one)


def one(record: Mapping[str, Any]) -> None:
    """Handle a message."""
    with BREAKER.call(record.get(levelled.PROBE_ATTRIBUTE)):
        url = f"{os.environ['DEPENDENCY']}/call?message={record['messageId']}&worker={os.getpid()}"
        with urlopen(url, timeout=3) as answer:
            answer.read()
