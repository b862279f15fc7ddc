"""The Lambda handler of one step of the controller. The workflow waits as it says, and calls again."""

import json
import os
import random
import time
from typing import Any
from uuid import uuid4

import boto3
from botocore.config import Config

from selfheal.functions.breaker.mappings import parse_consumers
from selfheal.functions.breaker.probes import Probe, health_route, http_get, message
from selfheal.functions.breaker.run import Controller
from selfheal.functions.shared.breaker.settings import parse_settings
from selfheal.functions.shared.breaker.store import Store

MOST_STEPS = 1000
"""Steps of one execution. An execution ends at 25,000 events, and a step makes about ten: it ends before
that, and the wake-up starts another."""


def parse_probe(text: str, sqs: Any, lambda_: Any) -> Probe:
    """Return the probe in a JSON object.

    Args:
        text: With `url` of a health route and, to probe by message, `queue_url` and `function`.
        sqs: A boto3 client.
        lambda_: A boto3 client without retries.

    Raises:
        ValueError: when a part is missing or unknown.

    """
    parts: dict[str, str] = json.loads(text)
    by_message = {"queue_url", "function"} <= parts.keys()
    if "url" not in parts or parts.keys() - {"url"} not in (set[str](), {"queue_url", "function"}):
        raise ValueError(
            "a probe is {url} or {url, queue_url, function}: the route serves when the queue is empty; "
            f"got {', '.join(sorted(parts)) or 'nothing'}"
        )
    route = health_route(http_get(parts["url"]))
    return message(sqs, lambda_, parts["queue_url"], parts["function"], route) if by_message else route


def connect() -> Controller:
    """Return the controller that the environment describes."""
    settings = parse_settings(os.environ.get("BREAKER", "{}"))
    # An invocation that is sent twice would be a second probe, and one that outlives its lease is lost.
    once = Config(read_timeout=settings.lease_seconds, retries={"mode": "standard", "total_max_attempts": 1})
    lambda_ = boto3.client("lambda", config=once)
    return Controller(
        store=Store(boto3.client("dynamodb"), os.environ["BREAKER_TABLE"], os.environ["CIRCUIT"]),
        lambda_=lambda_,
        consumers=parse_consumers(os.environ["CONSUMERS"]),
        probe=parse_probe(os.environ["PROBE"], boto3.client("sqs"), lambda_),
        settings=settings,
        clock=time.time,
        chance=random.random,
        new_id=lambda: str(uuid4()),
    )


# Made once, in the init phase: a missing or invalid variable fails before anything is done.
CONTROLLER = connect()


def handle(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Take one step of an episode: `{"episode": 3, "steps": 17}`, which the answer continues."""
    steps = int(event.get("steps", 0)) + 1
    episode = int(event["episode"])
    answer = CONTROLLER.run(episode)
    return answer | {"episode": episode, "steps": steps, "done": answer["done"] or steps >= MOST_STEPS}
