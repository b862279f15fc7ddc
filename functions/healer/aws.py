"""The AWS clients of the healer."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import boto3
from botocore.config import Config

from selfheal.functions.healer.ledger import Ledger

# Short, so that a slow dependency raises an error well before the function's timeout of 30 s.
_CONFIG = Config(connect_timeout=2, read_timeout=4, retries={"mode": "standard", "total_max_attempts": 2})

# A probe is never retried: each is one sample, and a retry would count twice. An answer that takes longer
# than 5 s counts as failed. The last probe of a run may therefore exceed the time for probes by 7 s,
# including the time to connect.
_PROBE_CONFIG = Config(
    connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 1}
)


@dataclass(frozen=True)
class Aws:
    """boto3 clients, the ledger and the topic that notifies on-call engineers."""

    cloudwatch: Any
    lambda_: Any
    sns: Any
    ledger: Ledger
    escalation_topic: str
    dynamodb: Any
    table: str
    """Name of the table that holds the ledger and the overrides."""
    prober: Any
    """A Lambda client for probes. It never retries."""


class Lazy:
    """A client that is made when it is first used.

    Most runs find all targets well. Making the clients that only an incident needs took a third of the time
    in which such a run starts: see `python bench/healer_start.py`.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make, self._client = make, None

    def __getattr__(self, name: str) -> Any:
        """Return what the client has by that name."""
        if self._client is None:
            self._client = self._make()
        return getattr(self._client, name)


def connect(ledger_table: str, escalation_topic: str) -> Aws:
    """Create the clients, with credentials and region from the function's environment."""
    dynamodb, cloudwatch = (boto3.client(name, config=_CONFIG) for name in ("dynamodb", "cloudwatch"))
    lambda_, sns = (Lazy(partial(boto3.client, name, config=_CONFIG)) for name in ("lambda", "sns"))
    prober = Lazy(partial(boto3.client, "lambda", config=_PROBE_CONFIG))
    ledger = Ledger(dynamodb, ledger_table)
    return Aws(cloudwatch, lambda_, sns, ledger, escalation_topic, dynamodb, ledger_table, prober)
