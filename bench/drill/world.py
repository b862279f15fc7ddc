"""The orders service deployed into an emulator, and what a drill does to it and reads of it."""

import json
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.drill.warm import start_workers
from selfheal.cli.operator.orders_view import Call, OrdersView, longest_hidden
from selfheal.components.services.orders import CIRCUIT, MAXIMUM_CONCURRENCY
from selfheal.functions.downstream.core import Setting
from selfheal.functions.downstream.store import setting_item
from selfheal.functions.orders.order import CONSUMERS, Order, State
from selfheal.functions.shared.batch import PAUSE_CAP_SECONDS
from selfheal.functions.shared.breaker.circuit import Circuit
from selfheal.functions.shared.breaker.settings import BreakerSettings, parse_settings
from selfheal.functions.shared.breaker.store import Store
from selfheal.sandbox.emulator import Emulator
from selfheal.sandbox.provider import AwsProvider
from selfheal.sandbox.pulumi.deployer import deploy

WAITS = 3
"""Of one message in a row, each the longest there is. On a machine with other work a batch may be cut off by
its function's timeout, or by a worker that does not start, and again when it comes back."""

PROGRAM = Path(__file__).parent / "program"
CALLERS = tuple(f"caller-{number}" for number in range(30))


@dataclass
class World:
    """A deployed orders service."""

    emulator: Emulator
    outputs: Mapping[str, Any]
    tokens: Mapping[str, str]
    given: Mapping[str, Any]
    """Arguments of the component."""
    placed: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    """Bodies of the orders that were answered with 202."""

    def place(self, number: int, article: str = "book") -> int:
        """Place an order, or the same one again, and return the HTTP status."""
        caller, order_id = CALLERS[number % len(CALLERS)], f"order-{number}"
        body = json.dumps({"id": order_id, "article": article, "quantity": 1, "cents": 100 + number})
        request = urllib.request.Request(  # noqa: S310 - the emulator's
            f"{self.outputs['url']}/orders/{order_id}",
            data=body.encode(),
            headers={
                "content-type": "application/json",
                "authorization": f"Bearer {self.tokens[caller]}",
            },
            method="PUT",
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                status: int = answer.status
        except urllib.error.HTTPError as error:
            status = error.code
        if status == 202:  # noqa: PLR2004 - HTTP
            self.placed[caller, order_id] = body
        return status

    def downstream(self, setting: Setting) -> None:
        """Switch the downstream. Its workers follow within a second."""
        self._dynamodb.put_item(TableName=self.outputs["downstreamTable"], Item=setting_item(setting))

    @property
    def view(self) -> OrdersView:
        """What became of the orders."""
        return OrdersView.of_outputs(self._dynamodb, self.outputs)

    def orders(self) -> dict[tuple[str, str], Order]:
        """Return all orders as they are now, by caller and id."""
        return self.view.orders()

    def effects(self) -> dict[str, float]:
        """Return when each effect happened, by idempotency key: the downstream's own log."""
        return self.view.effects()

    def counters(self) -> dict[str, int]:
        """Return how many calls had each outcome."""
        return self.view.counters()

    def calls(self) -> list[Call]:
        """Return the downstream's log of calls, the oldest first."""
        return self.view.calls()

    def circuit(self) -> Circuit:
        """Return the circuit as it is now."""
        return self.circuit_store.read()

    @property
    def circuit_store(self) -> Store:
        """Where the circuit is."""
        [(name, table)] = self.outputs["circuits"].items()
        return Store(self._dynamodb, table, name)

    @property
    def settings(self) -> BreakerSettings:
        """Of the circuit."""
        return parse_settings(json.dumps({**CIRCUIT, **self.given.get("circuit", {})}))

    @property
    def minimum_calls(self) -> int:
        """Below which the circuit judges nothing."""
        return self.settings.minimum_calls

    @property
    def concurrency(self) -> int:
        """Calls that can be under way at once, of all consumers."""
        return sum(MAXIMUM_CONCURRENCY.values())

    @property
    def catalogue_seconds(self) -> float:
        """How long consumers cache the list of articles."""
        return float(self.given.get("catalogue_seconds", 60))

    @property
    def patience_seconds(self) -> float:
        """How long all that was placed may take: a limit for a drill that hangs, no claim.

        A message that is cut off waits for the visibility timeout of its queue, and one that failed for its
        pause.
        """
        hidden = longest_hidden(self.emulator.clients.get("sqs"), self.outputs)
        work = len(CONSUMERS) * len(self.placed) / self.given["rate"]
        return work + WAITS * max(PAUSE_CAP_SECONDS, hidden)

    def idle(self) -> bool:
        """Return whether no queue of the service has a message, waiting or under way."""
        sqs = self.emulator.clients.get("sqs")
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        dead = set(self.outputs["deadLetters"].values())
        for url in sqs.list_queues().get("QueueUrls", []):
            if url not in dead:
                found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
                if any(int(found[name]) for name in names):
                    return False
        return True

    def letters(self) -> dict[str, int]:
        """Return how many letters are in each dead-letter queue."""
        sqs = self.emulator.clients.get("sqs")
        counts: dict[str, int] = {}
        for name, url in self.outputs["deadLetters"].items():
            if url.startswith("s3://"):
                continue
            answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            counts[name] = int(answer["ApproximateNumberOfMessages"])
        return counts

    def log_lines(self, function: str, text: str) -> int:
        """Return how many lines of a function's log have a text."""
        logs = self.emulator.clients.get("logs")
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=self._log_group(function))
        return sum(text in event["message"] for page in pages for event in page["events"])

    def _log_group(self, function: str) -> str:
        groups = self.emulator.clients.get("logs").describe_log_groups(logGroupNamePrefix=f"{function}-logs")
        return str(groups["logGroups"][0]["logGroupName"])

    def redeliver_soon(self, prefix: str, seconds: int) -> None:
        """Shorten the time until a message comes again that a killed consumer had received.

        Usual are 180 s, six times the consumer's timeout: longer than a drill has to last.
        """
        sqs = self.emulator.clients.get("sqs")
        for url in sqs.list_queues(QueueNamePrefix=prefix)["QueueUrls"]:
            if url not in self.outputs["deadLetters"].values():
                sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(seconds)})

    def kill_workers(self, function: str) -> int:
        """Kill all processes that run a function, and return how many there were."""
        name = f"AWS_LAMBDA_FUNCTION_NAME={self._function(function)}".encode()
        group, killed = self.emulator.process.pid, 0
        for path in Path("/proc").glob("[0-9]*/environ"):
            pid = int(path.parent.name)
            try:
                if os.getpgid(pid) == group and name in path.read_bytes().split(b"\0"):
                    os.kill(pid, signal.SIGKILL)
                    killed += 1
            except (ProcessLookupError, PermissionError, FileNotFoundError):
                continue
        return killed

    def until(self, holds: Callable[[], bool], every: float = 0.5) -> bool:
        """Wait until something holds, as long as patience lasts, and return whether it does."""
        end = time.monotonic() + self.patience_seconds
        while not holds():
            if time.monotonic() > end:
                return False
            time.sleep(every)
        return True

    def settled(self) -> bool:
        """Return whether each order that was placed is fulfilled or dead."""
        orders = self.orders()
        return all(
            key in orders and orders[key].state in (State.FULFILLED, State.DEAD) for key in self.placed
        )

    def _function(self, prefix: str) -> str:
        pages = self.emulator.clients.get("lambda").get_paginator("list_functions").paginate()
        [name] = [
            each["FunctionName"]
            for page in pages
            for each in page["Functions"]
            if each["FunctionName"].startswith(prefix)
        ]
        return str(name)

    @property
    def _dynamodb(self) -> Any:
        return self.emulator.clients.get("dynamodb")


@contextmanager
def deployed(folder: Path, *, iam: bool = True, **arguments: object) -> Generator[World]:
    """Deploy the orders service into an emulator of its own.

    Args:
        folder: Where the emulator keeps its files.
        iam: Whether the functions' roles are enforced.
        arguments: Of the component `Orders`.

    """
    tokens = {caller: f"token-of-{caller}-{'x' * 32}" for caller in CALLERS}
    with Emulator.start(folder, iam=iam) as emulator:
        given = {"callers": tokens, **arguments}
        outputs = deploy(
            PROGRAM, AwsProvider(emulator.clients), stack="drill", overrides={"orders": json.dumps(given)}
        )
        start_workers(emulator.clients)
        yield World(emulator, outputs, tokens, given)
