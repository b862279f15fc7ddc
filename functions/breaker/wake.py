"""The Lambda handler that starts the controller's workflow where a circuit is not at rest.

Woken by the stream of the breaker's table and by a schedule of one minute, which covers lost wake-ups and
executions that ended early. What an event says is not used: the item as it is now decides. Each run also
records for how long the circuit has not been at rest, which an alarm watches; at rest it corrects the
mappings where a deployment has configured another MaximumConcurrency.
"""

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import boto3
from botocore.exceptions import ClientError

from selfheal.functions.breaker.control import corrections
from selfheal.functions.breaker.mappings import Consumer, change, parse_consumers, read
from selfheal.functions.shared.breaker.circuit import Circuit
from selfheal.functions.shared.breaker.settings import OUTAGE_METRIC
from selfheal.functions.shared.breaker.store import Store
from selfheal.functions.shared.emf import emf_line
from selfheal.functions.shared.log import log


@dataclass(frozen=True)
class Waker:
    """Starts the workflow of one circuit, and keeps its mappings as configured while it is at rest."""

    store: Store
    states: Any
    """A boto3 client of Step Functions."""
    workflow_arn: str
    clock: Callable[[], float]
    lambda_: Any
    """A boto3 client."""
    consumers: Sequence[Consumer]

    def correct(self, circuit: Circuit) -> list[str]:
        """Correct the mappings of a circuit at rest, and return the ids of those that were changed."""
        if not circuit.at_rest:
            return []
        done = change(self.lambda_, corrections(circuit, read(self.lambda_, self.consumers)))
        if done:
            log("warning", "MaximumConcurrency corrected", circuit=circuit.name, mappings=done)
        return done

    def wake(self, circuit: Circuit) -> str | None:
        """Return the name of the execution that was started, or None where none was needed.

        Two at once would do no harm, since each step is conditional, but cost twice: the name of an episode's
        execution is its own, and another one is started only if none is running.
        """
        if circuit.at_rest:
            return None
        name = f"{circuit.name}-{circuit.episode}"
        if self._start(name, circuit.episode):
            return name
        running = self.states.list_executions(
            stateMachineArn=self.workflow_arn, statusFilter="RUNNING", maxResults=1
        )
        again = f"{name}-{int(self.clock() // 60)}"
        if not running["executions"] and self._start(again, circuit.episode):
            log("warning", "controller started again", circuit=circuit.name, execution=again)
            return again
        return None

    def _start(self, name: str, episode: int) -> bool:
        try:
            self.states.start_execution(
                stateMachineArn=self.workflow_arn, name=name, input=json.dumps({"episode": episode})
            )
        except ClientError as error:
            if cast("dict[str, Any]", error.response)["Error"]["Code"] != "ExecutionAlreadyExists":
                raise
            return False
        return True


def connect() -> Waker:
    """Return what the environment describes."""
    return Waker(
        Store(boto3.client("dynamodb"), os.environ["BREAKER_TABLE"], os.environ["CIRCUIT"]),
        boto3.client("stepfunctions"),
        os.environ["WORKFLOW_ARN"],
        time.time,
        boto3.client("lambda"),
        parse_consumers(os.environ["CONSUMERS"]),
    )


WAKER = connect()


def handle(_event: Any, context: Any) -> dict[str, Any]:
    """Start the workflow if the circuit needs it; else see that the mappings are as configured."""
    circuit, now = WAKER.store.read(), WAKER.clock()
    lasts = {OUTAGE_METRIC: circuit.outage_lasts(now)}
    print(emf_line(context.function_name, lasts, int(now * 1000)), flush=True)
    started, corrected = WAKER.wake(circuit), WAKER.correct(circuit)
    # What the mapping of the stream expects: all records are done with. It raises where they are not.
    return {"started": started, "corrected": corrected, "batchItemFailures": []}
