"""Delivery of events to the targets of rules, and of notices to the subscriptions of topics."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
from botocore.exceptions import ClientError

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.emulator.deliveries import Failure, last_failure
from tests.support.processes import until

ACCOUNT = "us-east-1:000000000000"
ANYBODY = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},'
    '"Action":"sqs:SendMessage","Resource":"%s"}]}'
)
BUSY = Failure("THROTTLING", "busy", retriable=True)


def _attempts(*outcomes: Failure | None) -> Callable[[], Failure | None]:
    return iter(outcomes).__next__


def test_a_retry_that_delivers_leaves_no_dead_letter() -> None:
    pauses: list[float] = []
    assert last_failure(_attempts(BUSY, BUSY, None), {}, BUSY, sleep=pauses.append) is None
    assert pauses == [0.1, 0.2, 0.4]


def test_retries_end_at_the_number_of_the_policy() -> None:
    attributes = last_failure(_attempts(BUSY, BUSY), {"MaximumRetryAttempts": 2}, BUSY, sleep=lambda _: None)
    assert attributes == {
        "ERROR_CODE": "THROTTLING",
        "ERROR_MESSAGE": "busy",
        "RETRY_ATTEMPTS": "2",
        "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
    }


def test_retries_end_at_the_age_of_the_policy() -> None:
    clock = iter(float(10 * step) for step in range(20))
    attributes = last_failure(
        lambda: BUSY,
        {"MaximumEventAgeInSeconds": 60},
        BUSY,
        sleep=lambda _: None,
        now=clock.__next__,
    )
    assert attributes
    assert attributes["EXHAUSTED_RETRY_CONDITION"] == "MaximumEventAgeInSeconds"
    assert attributes["RETRY_ATTEMPTS"] == "5"


def test_a_failure_that_no_retry_mends_is_dead_at_once() -> None:
    gone = Failure("NO_RESOURCE", "gone")
    assert last_failure(_attempts(), {}, gone) == {
        "ERROR_CODE": "NO_RESOURCE",
        "ERROR_MESSAGE": "gone",
        "RETRY_ATTEMPTS": "0",
    }


def _rule(clients: Clients, name: str, arn: str, **target: Any) -> None:
    events = clients.get("events")
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn, **target}])


def _publish(clients: Clients, source: str, **detail: Any) -> None:
    entry = {"Source": source, "DetailType": "order", "Detail": json.dumps(detail)}
    assert clients.get("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "missing",
    [
        f"arn:aws:sqs:{ACCOUNT}:none",
        f"arn:aws:lambda:{ACCOUNT}:function:none",
        f"arn:aws:states:{ACCOUNT}:stateMachine:none",
        f"arn:aws:sns:{ACCOUNT}:none",
        f"arn:aws:kinesis:{ACCOUNT}:stream/none",
        f"arn:aws:events:{ACCOUNT}:event-bus/none",
    ],
)
def test_an_event_for_a_target_that_is_gone_is_a_dead_letter_that_says_so(
    clients: Clients, missing: str
) -> None:
    name = missing.split(":")[2]
    sqs = clients.get("sqs")
    dead = sqs.create_queue(QueueName=f"dead-{name}")["QueueUrl"]
    _rule(clients, name, missing, DeadLetterConfig={"Arn": f"arn:aws:sqs:{ACCOUNT}:dead-{name}"})
    _publish(clients, name, id="7")
    [letter] = sqs.receive_message(QueueUrl=dead, WaitTimeSeconds=5, MessageAttributeNames=["All"])[
        "Messages"
    ]
    assert {key: value["StringValue"] for key, value in letter["MessageAttributes"].items()} == {
        "RULE_ARN": f"arn:aws:events:{ACCOUNT}:rule/{name}",
        "TARGET_ARN": missing,
        "ERROR_CODE": "NO_RESOURCE",
        "ERROR_MESSAGE": f"The target {missing} does not exist.",
        "RETRY_ATTEMPTS": "0",
    }
    event = json.loads(letter["Body"])
    assert (event["source"], event["detail-type"], event["detail"]) == (name, "order", {"id": "7"})


@pytest.mark.slow
def test_what_is_delivered_is_no_dead_letter(clients: Clients) -> None:
    sqs = clients.get("sqs")
    there, dead = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("there", "there-dead"))
    _rule(
        *(clients, "delivered", f"arn:aws:sqs:{ACCOUNT}:there"),
        DeadLetterConfig={"Arn": f"arn:aws:sqs:{ACCOUNT}:there-dead"},
    )
    _publish(clients, "delivered", id="1")
    [message] = sqs.receive_message(QueueUrl=there, WaitTimeSeconds=5)["Messages"]
    assert json.loads(message["Body"])["detail"] == {"id": "1"}
    assert "Messages" not in sqs.receive_message(QueueUrl=dead)


@pytest.mark.slow
def test_a_stream_gets_events_by_the_partition_key_that_the_target_names(clients: Clients) -> None:
    kinesis, sqs = clients.get("kinesis"), clients.get("sqs")
    kinesis.create_stream(StreamName="orders", ShardCount=1)
    dead = sqs.create_queue(QueueName="orders-dead")["QueueUrl"]
    _rule(
        *(clients, "streamed", f"arn:aws:kinesis:{ACCOUNT}:stream/orders"),
        KinesisParameters={"PartitionKeyPath": "$.detail.customer"},
        InputPath="$.detail",
        DeadLetterConfig={"Arn": f"arn:aws:sqs:{ACCOUNT}:orders-dead"},
    )
    iterator = kinesis.get_shard_iterator(
        StreamName="orders", ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    _publish(clients, "streamed", customer="c-1", id="1")
    _publish(clients, "streamed", id="2")

    def records() -> list[dict[str, Any]]:
        return kinesis.get_records(ShardIterator=iterator)["Records"]

    until(lambda: len(records()) == 1)
    [record] = records()
    assert record["PartitionKey"] == "c-1"
    assert json.loads(record["Data"]) == {"customer": "c-1", "id": "1"}
    [letter] = sqs.receive_message(QueueUrl=dead, WaitTimeSeconds=5, MessageAttributeNames=["All"])[
        "Messages"
    ]
    assert letter["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "INVALID_PARAMETER"


@pytest.mark.slow
@pytest.mark.parametrize("policy", [{"MaximumRetryAttempts": 186}, {"MaximumEventAgeInSeconds": 86_401}])
def test_a_retry_policy_out_of_range_is_refused(clients: Clients, policy: dict[str, int]) -> None:
    with pytest.raises(ClientError, match=f"{next(iter(policy))} of target 1 must be from"):
        _rule(clients, "refused", f"arn:aws:sqs:{ACCOUNT}:any", RetryPolicy=policy)


class Web(BaseHTTPRequestHandler):
    """A web hook: keeps what it is sent, by kind."""

    got: ClassVar[dict[str, dict[str, Any]]] = {}

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got[self.headers["x-amz-sns-message-type"]] = json.loads(body)
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the base names it
        _ = format, args


def test_a_notice_reaches_each_protocol_in_its_own_form_or_the_default(clients: Clients) -> None:
    sns, sqs = clients.get("sns"), clients.get("sqs")
    topic = sns.create_topic(Name="people")["TopicArn"]
    queues = {raw: sqs.create_queue(QueueName=f"people-{raw}")["QueueUrl"] for raw in ("true", "false")}
    for raw, url in queues.items():
        arn = f"arn:aws:sqs:{ACCOUNT}:people-{raw}"
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ANYBODY % arn})
        attributes = {"RawMessageDelivery": raw}
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)
    with ThreadingHTTPServer(("127.0.0.1", 0), Web) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{web.server_port}/"
        sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=url)
        until(lambda: "SubscriptionConfirmation" in Web.got)
        sns.confirm_subscription(TopicArn=topic, Token=Web.got["SubscriptionConfirmation"]["Token"])
        forms = {"default": '{"for": "programs"}', "http": "for the web", "email": "for people"}
        sns.publish(TopicArn=topic, Subject="s", Message=json.dumps(forms), MessageStructure="json")
        until(lambda: "Notification" in Web.got)
        web.shutdown()
    assert (Web.got["Notification"]["Message"], Web.got["Notification"]["Subject"]) == ("for the web", "s")
    bodies = {raw: sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] for raw, url in queues.items()}
    assert bodies["true"] == forms["default"]
    assert json.loads(bodies["false"])["Message"] == forms["default"]
