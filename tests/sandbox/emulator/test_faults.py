"""Faults that the emulator makes: throttled calls, dead workers, and experiments of AWS FIS on functions."""

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest
from botocore.exceptions import ClientError

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.emulator import Emulator
from selfheal.sandbox.faults import FaultError, Faults
from tests.support.emulator_functions import deploy, invoke, points
from tests.support.processes import until

pytestmark = pytest.mark.slow

ACCOUNT = "us-east-1:000000000000"
LAYER = "/aws/service/fis/lambda-extension/AWS-FIS-extension-arm64/1.x.x"
EXTENDED = {
    "AWS_LAMBDA_EXEC_WRAPPER": "/opt/aws-fis/bootstrap",
    "AWS_FIS_CONFIGURATION_LOCATION": "arn:aws:s3:::configuration/FisConfigs/",
}

WORKING = """
import json, os, time
import boto3

sqs = boto3.client("sqs")

def handle(event, context):
    if url := event.get("count"):
        sqs.send_message(QueueUrl=url, MessageBody="ran")
    time.sleep(event.get("seconds", 0))
    return {"ran": True, "left": context.get_remaining_time_in_millis()}
"""

READING = """
import boto3
from botocore.config import Config

def handle(event, context):
    config = Config(retries={"total_max_attempts": 1})
    client = boto3.client(event["service"], config=config)
    try:
        getattr(client, event["call"])(**event["with"])
    except client.exceptions.ClientError as error:
        answer = error.response
        return [answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]]
    return "answered"
"""


@pytest.fixture(scope="module")
def faults(emulator: Emulator) -> Faults:
    return Faults(emulator.endpoint)


def answered(clients: Clients, name: str, **event: Any) -> tuple[bool, Any]:
    """Whether the function failed, and what it returned."""
    answer = invoke(clients, name, **event)
    return "FunctionError" in answer, json.loads(answer["Payload"].read())


def soon() -> float:
    return time.time() + 60


@pytest.fixture(scope="module")
def reading(clients: Clients) -> str:
    deploy(clients, "reading", READING)
    return "reading"


THROTTLED: list[tuple[str, str, str, dict[str, Any], list[Any]]] = [
    ("ssm", "GetParameters", "get_parameters", {"Names": ["a"]}, ["ThrottlingException", 400]),
    ("dynamodb", "ListTables", "list_tables", {}, ["ThrottlingException", 400]),
    ("sqs", "ListQueues", "list_queues", {}, ["RequestThrottled", 403]),
    ("sns", "ListTopics", "list_topics", {}, ["Throttling", 400]),
    ("iam", "ListRoles", "list_roles", {}, ["Throttling", 400]),
    ("cloudwatch", "DescribeAlarms", "describe_alarms", {}, ["ThrottlingException", 400]),
    ("lambda", "GetFunction", "get_function", {"FunctionName": "x"}, ["TooManyRequestsException", 429]),
    ("stepfunctions", "ListStateMachines", "list_state_machines", {}, ["ThrottlingException", 400]),
]
"""Service, operation, boto3's name of it, its arguments, and how it is refused: in JSON, query and REST."""


@pytest.mark.parametrize("case", THROTTLED, ids=[f"{service}-{name}" for service, name, *_ in THROTTLED])
def test_a_functions_calls_are_throttled_as_the_service_does(
    clients: Clients, faults: Faults, reading: str, case: tuple[str, str, str, Any, Any]
) -> None:
    service, operation, call, given, code = case
    event = {"service": service, "call": call, "with": given}
    _, before = answered(clients, reading, **event)
    faults.throttle("rate", service, operation, 1.0, soon())
    try:
        standing = [(fault["id"], fault["service"], fault["operation"]) for fault in faults.list()]
        assert standing == [("rate", service, operation)]
        assert answered(clients, reading, **event) == (False, code)
    finally:
        assert faults.end("rate") is True
    assert answered(clients, reading, **event) == (False, before)
    assert before != code
    assert (faults.list(), faults.end("rate")) == ([], False)


def test_other_operations_are_not_throttled_and_a_share_is_by_chance(
    clients: Clients, faults: Faults
) -> None:
    ssm = clients.patient(10).get("ssm")
    faults.throttle("half", "ssm", "GetParameters", 0.5, soon())
    try:
        ssm.describe_parameters()
        hit = 0
        for _ in range(60):
            try:
                ssm.get_parameters(Names=["a"])
            except ssm.exceptions.ClientError:
                hit += 1
        assert 10 < hit < 50  # the chance of less or more is below one in a million
    finally:
        faults.end("half")


def test_a_throttle_ends_by_itself(clients: Clients, faults: Faults) -> None:
    ssm = clients.patient(10).get("ssm")
    faults.throttle("short", "ssm", "GetParameters", 1.0, time.time() + 1)
    with pytest.raises(ClientError, match="ThrottlingException"):
        ssm.get_parameters(Names=["a"])
    until(lambda: not faults.list(), 10)
    ssm.get_parameters(Names=["a"])
    assert faults.end("short") is False


def test_what_cannot_be_a_fault_is_refused_with_what_is_allowed(faults: Faults) -> None:
    for text, given in {
        "share must be above 0 and at most 1, got 1.5": ("x", "ssm", "GetParameters", 1.5, soon()),
        "until must be seconds since the epoch, in the future": ("x", "ssm", "GetParameters", 1.0, 5.0),
        "ssm has no operation 'GetParametres'": ("x", "ssm", "GetParametres", 1.0, soon()),
        "service must be botocore's name": ("x", "sms", "GetParameters", 1.0, soon()),
        "the id must be 1 to 100 letters": ("x y", "ssm", "GetParameters", 1.0, soon()),
    }.items():
        with pytest.raises(FaultError, match=text):
            faults.throttle(*given)
    with pytest.raises(FaultError, match="there is no function 'none'"):
        faults.kill("none")
    with pytest.raises(FaultError, match="on this machine only"):
        Faults("https://dynamodb.eu-west-1.amazonaws.com")
    with pytest.raises(FaultError, match="did not answer"):
        Faults("http://127.0.0.1:9").list()
    assert faults.list() == []


def test_a_killed_worker_is_a_crash_and_the_next_invocation_has_a_new_one(
    clients: Clients, faults: Faults
) -> None:
    deploy(clients, "killed", WORKING)
    told: list[tuple[bool, Any]] = []
    waiting = threading.Thread(target=lambda: told.append(answered(clients, "killed", seconds=8)))
    waiting.start()
    until(lambda: faults.kill("killed") == 1, 10)
    waiting.join(10)
    [(failed, body)] = told
    assert (failed, body["errorType"]) == (True, "Runtime.ExitError")
    assert body["errorMessage"].endswith("Error: Runtime exited without providing a reason")
    assert faults.kill("killed") == 0
    assert answered(clients, "killed")[0] is False


def test_a_message_of_a_killed_worker_comes_back(clients: Clients, faults: Faults) -> None:
    sqs = clients.get("sqs")
    source, ran = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("work", "ran"))
    deploy(
        clients,
        "consumer",
        WORKING.replace("def handle(event", "def handle(batch").replace(
            "    if url", '    event = __import__("json").loads(batch["Records"][0]["body"])\n    if url', 1
        ),
    )
    clients.get("lambda").update_function_configuration(FunctionName="consumer", Timeout=2)
    sqs.set_queue_attributes(QueueUrl=source, Attributes={"VisibilityTimeout": "3"})
    clients.get("lambda").create_event_source_mapping(
        FunctionName="consumer", EventSourceArn=f"arn:aws:sqs:{ACCOUNT}:work"
    )
    sqs.send_message(QueueUrl=source, MessageBody=json.dumps({"count": ran, "seconds": 1}))
    sqs.receive_message(QueueUrl=ran, WaitTimeSeconds=10)  # it runs
    assert faults.kill("consumer") == 1
    again = sqs.receive_message(QueueUrl=ran, WaitTimeSeconds=10)["Messages"]
    assert [message["Body"] for message in again] == ["ran"]


def function(clients: Clients, name: str, **variables: str) -> str:
    """A function that has what AWS FIS needs, with a timeout of 10 s."""
    arn = deploy(clients, name, WORKING)
    layer = clients.get("ssm").get_parameter(Name=LAYER)["Parameter"]["Value"]
    clients.get("lambda").update_function_configuration(
        FunctionName=name, Layers=[layer], Environment={"Variables": {**EXTENDED, **variables}}
    )
    return arn


def template(arn: str, kind: str, stop: str | None = None, **parameters: str) -> dict[str, Any]:
    return {
        "description": "a test",
        "roleArn": "arn:aws:iam::000000000000:role/r",
        "stopConditions": [{"source": "aws:cloudwatch:alarm", "value": stop} if stop else {"source": "none"}],
        "targets": {
            "one": {"resourceType": "aws:lambda:function", "resourceArns": [arn], "selectionMode": "ALL"}
        },
        "actions": {
            "fault": {
                "actionId": f"aws:lambda:{kind}",
                "parameters": {"duration": "PT1M", **parameters},
                "targets": {"Functions": "one"},
            }
        },
    }


class Running:
    """An experiment, stopped at the end if it runs."""

    def __init__(
        self, clients: Clients, arn: str, kind: str, stop: str | None = None, **parameters: str
    ) -> None:
        self.fis = clients.get("fis")
        made = self.fis.create_experiment_template(**template(arn, kind, stop, **parameters))
        self.template = made["experimentTemplate"]["id"]
        self.started = self.fis.start_experiment(experimentTemplateId=self.template)["experiment"]

    @property
    def now(self) -> dict[str, Any]:
        return dict(self.fis.get_experiment(id=self.started["id"])["experiment"])

    @property
    def status(self) -> str:
        return str(self.now["state"]["status"])

    def stop(self) -> str:
        return str(self.fis.stop_experiment(id=self.started["id"])["experiment"]["state"]["status"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.status == "running":
            self.stop()


@pytest.fixture(scope="module")
def counted(clients: Clients) -> str:
    return str(clients.get("sqs").create_queue(QueueName="counted")["QueueUrl"])


@pytest.fixture
def target(clients: Clients, counted: str) -> Iterator[str]:
    yield function(clients, f"target-{time.monotonic_ns()}")
    clients.get("sqs").purge_queue(QueueUrl=counted)


def runs(clients: Clients, counted: str) -> int:
    answer = clients.get("sqs").get_queue_attributes(QueueUrl=counted, AttributeNames=["All"])
    return int(answer["Attributes"]["ApproximateNumberOfMessages"])


def name_of(arn: str) -> str:
    return arn.rsplit(":", 1)[1]


@pytest.mark.parametrize(("prevents", "ran"), [("true", 0), ("false", 1)])
def test_an_error_is_injected_instead_of_the_code_or_after_it(
    clients: Clients, target: str, counted: str, prevents: str, ran: int
) -> None:
    name = name_of(target)
    with Running(clients, target, "invocation-error", preventExecution=prevents) as running:
        assert running.started["state"]["status"] == "initiating"
        assert running.status == "running"
        failed, body = answered(clients, name, count=counted)
        assert (failed, body["errorType"]) == (True, "FisInjectedError")
        assert runs(clients, counted) == ran
        assert running.stop() == "stopping"
        assert running.now["state"] == {"status": "stopped", "reason": "Experiment stopped by user."}
        assert running.now["actions"]["fault"]["state"]["status"] == "stopped"
        assert running.now["endTime"] >= running.now["startTime"]
        with pytest.raises(ClientError, match=r"ValidationException.*cannot be stopped: it is stopped"):
            running.stop()
    assert answered(clients, name)[0] is False
    until(lambda: points(clients, name, "Errors") == [2.0, 1.0])  # alarms see it


@pytest.mark.parametrize(("prevents", "ran"), [("true", 0), ("false", 1)])
def test_a_response_takes_the_place_of_the_functions(
    clients: Clients, target: str, counted: str, prevents: str, ran: int
) -> None:
    with Running(
        clients,
        target,
        "invocation-http-integration-response",
        preventExecution=prevents,
        statusCode="503",
        contentTypeHeader="application/json",
    ):
        failed, body = answered(clients, name_of(target), count=counted)
        assert (failed, body["statusCode"]) == (False, 503)
        assert body["headers"] == {"Content-Type": "application/json"}
        assert runs(clients, counted) == ran


def test_a_delay_is_a_part_of_the_functions_time(clients: Clients, target: str) -> None:
    name = name_of(target)
    clients.get("lambda").update_function_configuration(FunctionName=name, Timeout=2)
    with Running(clients, target, "invocation-add-delay", startupDelayMilliseconds="1000"):
        began = time.monotonic()
        failed, body = answered(clients, name)
        assert failed is False
        assert time.monotonic() - began > 1
        assert body["left"] < 1000
        failed, body = answered(clients, name, seconds=1.5)  # together more than the timeout
        assert (failed, body["errorMessage"]) == (True, "Task timed out after 2.00 seconds")
    with Running(clients, target, "invocation-add-delay", startupDelayMilliseconds="5000"):
        failed, body = answered(clients, name)
        assert (failed, body["errorType"]) == (True, "Sandbox.Timedout")
    assert answered(clients, name, seconds=1.5)[0] is False  # the whole timeout again


def test_of_two_experiments_on_a_function_different_actions_add_up_and_the_first_of_equal_ones_counts(
    clients: Clients, target: str
) -> None:
    name, always = name_of(target), {"preventExecution": "true"}
    answering = {"statusCode": "418", "contentTypeHeader": "text/plain"}
    with (
        Running(clients, target, "invocation-error", **always) as first,
        Running(clients, target, "invocation-http-integration-response", **always, **answering),
        Running(clients, target, "invocation-add-delay", startupDelayMilliseconds="700"),
    ):
        began = time.monotonic()
        assert answered(clients, name)[0] is True
        assert time.monotonic() - began > 0.7
        first.stop()
        assert answered(clients, name)[1]["statusCode"] == 418
    assert answered(clients, name)[1]["ran"] is True


def test_a_function_without_the_extension_is_not_touched(clients: Clients) -> None:
    bare = deploy(clients, "bare", WORKING)
    wrapped = function(clients, "wrongly-wrapped", AWS_LAMBDA_EXEC_WRAPPER="/opt/other")
    elsewhere = function(
        clients, "elsewhere", AWS_FIS_CONFIGURATION_LOCATION="s3://configuration/FisConfigs/"
    )
    for arn in (bare, wrapped, elsewhere):
        with Running(clients, arn, "invocation-error", preventExecution="true") as running:
            assert answered(clients, name_of(arn))[0] is False
            assert running.status == "running"  # as on AWS, nothing tells


def test_an_alarm_stops_an_experiment_and_keeps_another_from_having_an_effect(
    clients: Clients, target: str
) -> None:
    cloudwatch = clients.get("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="stop",
        Namespace="n",
        MetricName="m",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    arn = f"arn:aws:cloudwatch:{ACCOUNT}:alarm:stop"

    def set_alarm(state: str) -> None:
        cloudwatch.set_alarm_state(AlarmName="stop", StateValue=state, StateReason="test")

    set_alarm("OK")
    with Running(clients, target, "invocation-error", arn, preventExecution="true") as running:
        assert answered(clients, name_of(target))[0] is True
        set_alarm("ALARM")
        until(lambda: running.status == "stopped", 10)
        assert running.now["state"]["reason"] == f"Experiment halted by stop condition: {arn}."
        assert answered(clients, name_of(target))[0] is False
    with Running(clients, target, "invocation-error", arn, preventExecution="true") as running:
        assert running.started["state"]["status"] == running.status == "stopped"
        assert answered(clients, name_of(target))[0] is False


def test_what_cannot_begin_has_failed(clients: Clients, target: str) -> None:
    nowhere = f"arn:aws:lambda:{ACCOUNT}:function:nowhere"
    with Running(clients, nowhere, "invocation-error") as running:
        assert running.now["state"]["status"] == "failed"
        assert running.now["state"]["reason"] == "Target resolution returned empty set: one."
    missing = f"arn:aws:cloudwatch:{ACCOUNT}:alarm:missing"
    with Running(clients, target, "invocation-error", missing, preventExecution="true") as running:
        assert running.now["state"]["status"] == "failed"
        assert answered(clients, name_of(target))[0] is False


def test_a_document_can_be_named_and_is_not_run(clients: Clients, target: str) -> None:
    fis = clients.get("fis")
    given = template(target, "invocation-error")
    given["actions"] = {
        "switch": {
            "actionId": "aws:ssm:start-automation-execution",
            "parameters": {"documentArn": f"arn:aws:ssm:{ACCOUNT}:document/d", "maxDuration": "PT5M"},
        }
    }
    id_ = fis.create_experiment_template(**given)["experimentTemplate"]["id"]
    with pytest.raises(ClientError, match="does not run documents of Systems Manager"):
        fis.start_experiment(experimentTemplateId=id_)
    assert fis.list_experiments(experimentTemplateId=id_)["experiments"] == []


def test_templates_and_experiments_are_listed_changed_tagged_and_deleted(
    clients: Clients, target: str
) -> None:
    fis = clients.get("fis")
    given = template(target, "invocation-error")
    made = fis.create_experiment_template(**given, clientToken="t", tags={"a": "1"})["experimentTemplate"]
    again = fis.create_experiment_template(**given, clientToken="t", tags={"a": "1"})["experimentTemplate"]
    assert again == made
    with pytest.raises(ClientError, match="ConflictException"):
        fis.create_experiment_template(**given, clientToken="t")
    assert made["experimentOptions"] == {
        "accountTargeting": "single-account",
        "emptyTargetResolutionMode": "fail",
    }
    fis.update_experiment_template(id=made["id"], description="another")
    with pytest.raises(ClientError, match=r"ValidationException.*duration must be an ISO 8601 duration"):
        fis.update_experiment_template(
            id=made["id"], actions=template(target, "invocation-error", duration="PT1S")["actions"]
        )
    fis.tag_resource(resourceArn=made["arn"], tags={"b": "2"})
    fis.untag_resource(resourceArn=made["arn"], tagKeys=["a"])
    assert fis.list_tags_for_resource(resourceArn=made["arn"])["tags"] == {"b": "2"}
    found = fis.get_experiment_template(id=made["id"])["experimentTemplate"]
    assert (found["description"], found["tags"], found["actions"]) == ("another", {"b": "2"}, made["actions"])
    assert made["id"] in {each["id"] for each in fis.list_experiment_templates()["experimentTemplates"]}
    skipped = fis.start_experiment(
        experimentTemplateId=made["id"], experimentOptions={"actionsMode": "skip-all"}, tags={"by": "me"}
    )["experiment"]
    assert skipped["state"]["status"] == "completed"
    assert skipped["actions"]["fault"]["state"]["status"] == "skipped"
    assert answered(clients, name_of(target))[0] is False
    [listed] = fis.list_experiments(experimentTemplateId=made["id"])["experiments"]
    assert (listed["id"], listed["tags"]) == (skipped["id"], {"by": "me"})
    fis.delete_experiment_template(id=made["id"])
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        fis.get_experiment_template(id=made["id"])
    assert fis.get_experiment(id=skipped["id"])["experiment"]["state"]["status"] == "completed"


def test_no_fault_outlives_the_emulator(tmp_path: Path) -> None:
    with Emulator.start(tmp_path, persist=True) as first:
        arn = function(first.clients, "kept")
        Faults(first.endpoint).throttle("rate", "ssm", "GetParameters", 1.0, soon())
        running = Running(first.clients, arn, "invocation-error", preventExecution="true")
        assert answered(first.clients, "kept")[0] is True
    with Emulator.start(tmp_path, persist=True) as second:
        assert Faults(second.endpoint).list() == []
        second.clients.get("ssm").get_parameters(Names=["a"])
        fis = second.clients.get("fis")
        assert (
            fis.get_experiment_template(id=running.template)["experimentTemplate"]["description"] == "a test"
        )
        state = fis.get_experiment(id=running.started["id"])["experiment"]["state"]
        assert state == {"status": "stopped", "reason": "The emulator was stopped."}
        assert answered(second.clients, "kept")[0] is False


def test_web_pages_cannot_make_faults(emulator: Emulator, faults: Faults) -> None:
    request = urllib.request.Request(
        f"{emulator.endpoint}/_selfheal/faults/x", headers={"origin": "https://example.com"}, method="DELETE"
    )
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request, timeout=10)
    assert faults.list() == []
