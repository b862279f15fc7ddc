"""The Lambda handler that runs the workflow of a `RetryWorkflow` for each message, and waits for its end."""

import os
from typing import Any

import boto3
from botocore.config import Config

from selfheal.functions.shared import levelled
from selfheal.functions.shared.batch import Answer, Record
from selfheal.functions.shared.breaker.client import connect_from_environment
from selfheal.functions.shared.log import log
from selfheal.functions.workflow_starter.core import execution_input, judged

STATE_MACHINE = os.environ["STATE_MACHINE"]

# Waits longer than the workflow can take, and starts it once: a second start would run it twice.
CLIENT = boto3.client(
    "stepfunctions",
    config=Config(
        read_timeout=float(os.environ["READ_TIMEOUT_SECONDS"]),
        retries={"mode": "standard", "total_max_attempts": 1},
    ),
)
# Asked only for how long the circuit was out: it is the task that calls through it.
QUEUE = levelled.connect(
    connect_from_environment().outage_seconds if "CIRCUIT" in os.environ else levelled.no_outages
)


def handle(event: dict[str, Any], context: Any) -> Answer:
    """Run the workflow for each message. Never raises because of one."""
    return QUEUE.run(event, context, one)


def one(record: Record) -> None:
    """Run the workflow for one message.

    Raises:
        PoisonError: when the message is too large for a workflow.
        RefusedError: when the task's circuit was open.
        WorkflowError: when it did not bring the message to an end.

    """
    answer = CLIENT.start_sync_execution(stateMachineArn=STATE_MACHINE, input=execution_input(record))
    if judged(answer):
        log("warning", "message became a letter", message_id=record["messageId"])
