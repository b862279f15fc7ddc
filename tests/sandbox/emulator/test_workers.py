"""A function that raises keeps its environment, and one that works is not disturbed, on the emulator."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.emulator import Emulator
from selfheal.sandbox.emulator.workers import raising_survived, time_left
from tests.support.emulator_functions import deploy, invoke
from tests.support.processes import gone, until

pytestmark = pytest.mark.slow

COUNTING = """
class Throttled(Exception):
    pass

calls = 0

def handle(event, context):
    global calls
    calls += 1
    if isinstance(event, dict) and event.get("ask"):
        return calls
    raise Throttled(f"call {calls}")
"""


STARTING = """
import os, time

FOLDER = os.environ["TMPDIR"]
with open(os.path.join(FOLDER, "starts"), "a+") as file:
    file.write(".")
    file.flush()
    start = file.tell()
if start in (2, 4, 5):
    raise RuntimeError(f"start {start} failed")

def handle(event, context):
    while event.get("waits") and not os.path.exists(os.path.join(FOLDER, "end")):
        time.sleep(0.05)
    return [start, os.getpid()]
"""


def _answer(clients: Clients, name: str, **event: Any) -> tuple[str | None, Any]:
    response = invoke(clients, name, **event)
    return response.get("FunctionError"), json.loads(response["Payload"].read())


def test_module_variables_outlive_fifty_exceptions_which_take_little_time(clients: Clients) -> None:
    deploy(clients, "counting", COUNTING)
    assert _answer(clients, "counting", ask=True) == (None, 1)
    start = time.monotonic()
    for call in range(2, 52):
        kind, body = _answer(clients, "counting")
        assert (kind, body["errorType"], body["errorMessage"]) == ("Unhandled", "Throttled", f"call {call}")
        [frame] = body["stackTrace"]  # the handler's, not the emulator's
        assert 'raise Throttled(f"call {calls}")' in frame
    assert time.monotonic() - start < 4  # 5 to 11 s if each costs a worker, below 1 s on an idle machine
    assert _answer(clients, "counting", ask=True) == (None, 52)


def test_the_log_says_what_was_raised(clients: Clients) -> None:
    deploy(clients, "logging", COUNTING)
    invoke(clients, "logging")
    logs = clients.get("logs")

    def lines() -> list[str]:
        events = logs.filter_log_events(logGroupName="/aws/lambda/logging")["events"]
        return [event["message"].strip() for event in events]

    until(lambda: any("[ERROR]" in line and "Throttled: call 1" in line for line in lines()))


def test_asynchronous_calls_and_queues_still_see_the_failure(clients: Clients) -> None:
    sqs, functions = clients.get("sqs"), clients.get("lambda")
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    dead_arn = "arn:aws:sqs:us-east-1:000000000000:dead"
    deploy(clients, "watched", COUNTING)
    functions.put_function_event_invoke_config(
        FunctionName="watched",
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": dead_arn}},
    )
    functions.invoke(FunctionName="watched", InvocationType="Event", Payload=b"{}")
    letter = json.loads(sqs.receive_message(QueueUrl=dead, WaitTimeSeconds=10)["Messages"][0]["Body"])
    assert letter["responsePayload"]["errorType"] == "Throttled"

    source = sqs.create_queue(
        QueueName="source",
        Attributes={
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 1}),
        },
    )["QueueUrl"]
    functions.create_event_source_mapping(
        FunctionName="watched", EventSourceArn="arn:aws:sqs:us-east-1:000000000000:source"
    )
    sqs.set_queue_attributes(QueueUrl=source, Attributes={"VisibilityTimeout": "0"})  # allowed afterwards
    sqs.send_message(QueueUrl=source, MessageBody="poison")
    received = [m["Body"] for m in sqs.receive_message(QueueUrl=dead, WaitTimeSeconds=10).get("Messages", [])]
    assert received == ["poison"]


def test_a_start_that_fails_is_tried_again_and_ends_no_invocation_but_its_own(
    clients: Clients, emulator: Emulator
) -> None:
    """As does an update of the function: its workers end once they have done what they have begun."""
    folder, functions = emulator.folder / "tmp", clients.get("lambda")

    def started(times: int) -> None:
        until(lambda: (folder / "starts").exists() and (folder / "starts").read_text() == "." * times)

    deploy(clients, "starting", STARTING)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(_answer, clients, "starting", waits=True)
        started(1)
        second = pool.submit(_answer, clients, "starting", waits=True)  # start 2 fails
        started(3)
        kind, body = _answer(clients, "starting")  # starts 4 and 5 fail
        assert (kind, body["errorMessage"]) == ("Unhandled", "Worker init failed: start 5 failed")
        functions.update_function_configuration(FunctionName="starting", Timeout=20)
        functions.get_waiter("function_updated_v2").wait(
            FunctionName="starting", WaiterConfig={"Delay": 0.1, "MaxAttempts": 100}
        )
        assert _answer(clients, "starting")[1][0] == 6
        (folder / "end").touch()
        done = [first.result()[1], second.result()[1]]
    assert [start for start, _ in done] == [1, 3]
    until(lambda: all(gone(process) for _, process in done))
    assert _answer(clients, "starting")[1][0] == 6


def test_another_worker_script_is_refused() -> None:
    with pytest.raises(RuntimeError, match="reports exceptions differently"):
        raising_survived("print('another version')")
    with pytest.raises(RuntimeError, match="counts the time that is left differently"):
        time_left("print('another version')")
