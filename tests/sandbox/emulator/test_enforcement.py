"""What users of an enforcing emulator may do: items by their partition key, and every action of Lambda."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.emulator import Emulator
from tests.support.emulator_functions import deploy
from tests.support.emulator_users import ACCOUNT, refused, statement, user

pytestmark = pytest.mark.slow

TABLE = "ledger"
TABLE_ARN = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/{TABLE}"
FUNCTION_ARN = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:fn"
MAPPINGS = f"arn:aws:lambda:us-east-1:{ACCOUNT}:event-source-mapping:*"
KEYS = "dynamodb:LeadingKeys"
SET = {"UpdateExpression": "SET a = :a", "ExpressionAttributeValues": {":a": {"S": "1"}}}
Call = Callable[[Any, str], Any]


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator.start(tmp_path_factory.mktemp("emulator"), iam=True) as running:
        yield running


@pytest.fixture(scope="module")
def _table(clients: Clients) -> None:
    clients.get("dynamodb").create_table(
        TableName=TABLE,
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )


@pytest.fixture(scope="module")
def mapping(clients: Clients) -> str:
    """A function with an alias, and the UUID of its mapping."""
    deploy(clients, "fn")
    api = clients.get("lambda")
    api.publish_version(FunctionName="fn")
    api.create_alias(FunctionName="fn", Name="live", FunctionVersion="1")
    clients.get("sqs").create_queue(QueueName="jobs")
    queue = f"arn:aws:sqs:us-east-1:{ACCOUNT}:jobs"
    return str(api.create_event_source_mapping(EventSourceArn=queue, FunctionName="fn")["UUID"])


def key(pk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": "incident"}}


def part(kind: str, pk: str, **more: Any) -> dict[str, Any]:
    where = {"Item": key(pk)} if kind == "Put" else {"Key": key(pk)}
    return {kind: {"TableName": TABLE, **where, **more}}


def check(pk: str) -> dict[str, Any]:
    return part("ConditionCheck", pk, ConditionExpression="attribute_not_exists(nothing)")


CALLS: dict[str, Call] = {
    "GetItem": lambda d, pk: d.get_item(TableName=TABLE, Key=key(pk)),
    "PutItem": lambda d, pk: d.put_item(TableName=TABLE, Item=key(pk)),
    "UpdateItem": lambda d, pk: d.update_item(TableName=TABLE, Key=key(pk), **SET),
    "DeleteItem": lambda d, pk: d.delete_item(TableName=TABLE, Key=key(pk)),
    "Query": lambda d, pk: d.query(
        TableName=TABLE, KeyConditionExpression="pk = :p", ExpressionAttributeValues={":p": {"S": pk}}
    ),
    "PutItem in a transaction": lambda d, pk: d.transact_write_items(TransactItems=[part("Put", pk)]),
    "UpdateItem in a transaction": lambda d, pk: d.transact_write_items(
        TransactItems=[part("Update", pk, **SET)]
    ),
    "DeleteItem in a transaction": lambda d, pk: d.transact_write_items(TransactItems=[part("Delete", pk)]),
    "ConditionCheckItem in a transaction": lambda d, pk: d.transact_write_items(TransactItems=[check(pk)]),
    "GetItem in a transaction": lambda d, pk: d.transact_get_items(TransactItems=[part("Get", pk)]),
}


def only(*patterns: str) -> dict[str, Any]:
    """Return the condition by which a policy limits an action to partition keys."""
    return {"ForAllValues:StringLike": {KEYS: list(patterns)}, "Null": {KEYS: "false"}}


@pytest.mark.usefixtures("_table")
@pytest.mark.parametrize("what", CALLS)
def test_an_action_is_allowed_for_its_own_keys_only(emulator: Emulator, what: str) -> None:
    action = f"dynamodb:{what.split(maxsplit=1)[0]}"
    api = user(emulator, statement(action, resource=TABLE_ARN, condition=only("target#*"))).get("dynamodb")
    assert refused(lambda: CALLS[what](api, "target#x")) is None
    for pk in ("approval#x", "mode", "target", "xtarget#x"):
        assert refused(lambda pk=pk: CALLS[what](api, pk)) == action
    others = [other for other in CALLS if other.split()[0] != what.split(maxsplit=1)[0]]
    for other in others:
        assert refused(lambda other=other: CALLS[other](api, "target#x")) == f"dynamodb:{other.split()[0]}"


@pytest.mark.usefixtures("_table")
def test_each_part_of_a_transaction_is_checked_by_its_own_action_and_key(emulator: Emulator) -> None:
    api = user(
        emulator,
        statement("dynamodb:ConditionCheckItem", resource=TABLE_ARN, condition=only("mode")),
        statement("dynamodb:PutItem", resource=TABLE_ARN, condition=only("target#*")),
        statement("dynamodb:UpdateItem", resource=TABLE_ARN, condition=only("fleet")),
    ).get("dynamodb")

    def write(*parts: dict[str, Any]) -> str | None:
        return refused(lambda: api.transact_write_items(TransactItems=list(parts)))

    intent = (check("mode"), part("Put", "target#x"), part("Update", "fleet", **SET))
    assert write(*intent) is None
    assert write(*intent, part("Put", "mode")) == "dynamodb:PutItem"
    assert write(*intent, part("Put", "approval#x")) == "dynamodb:PutItem"
    assert write(*intent, part("Update", "target#y", **SET)) == "dynamodb:UpdateItem"
    assert write(*intent, check("fleet")) == "dynamodb:ConditionCheckItem"
    assert write(*intent, part("Delete", "target#y")) == "dynamodb:DeleteItem"
    assert refused(lambda: api.put_item(TableName=TABLE, Item=key("fleet"))) == "dynamodb:PutItem"


@pytest.mark.usefixtures("_table")
def test_a_batch_is_refused_for_one_foreign_key(emulator: Emulator) -> None:
    api = user(
        emulator,
        statement(
            "dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", resource=TABLE_ARN, condition=only("target#*")
        ),
    ).get("dynamodb")

    def get(*pks: str) -> str | None:
        return refused(lambda: api.batch_get_item(RequestItems={TABLE: {"Keys": [key(pk) for pk in pks]}}))

    def write(*pks: str) -> str | None:
        puts = [{"PutRequest": {"Item": key(pk)}} for pk in pks]
        return refused(lambda: api.batch_write_item(RequestItems={TABLE: puts}))

    assert (get("target#x", "target#y"), write("target#x", "target#y")) == (None, None)
    assert get("target#x", "mode") == "dynamodb:BatchGetItem"
    assert write("target#x", "mode") == "dynamodb:BatchWriteItem"


@pytest.mark.usefixtures("_table")
def test_without_a_key_only_null_refuses(emulator: Emulator) -> None:
    """ForAllValues holds for a request that names no key, on AWS too: a Scan reads everything."""
    trap = {"ForAllValues:StringLike": {KEYS: ["target#*"]}}
    open_ = user(emulator, statement("dynamodb:Scan", resource=TABLE_ARN, condition=trap)).get("dynamodb")
    assert refused(lambda: open_.scan(TableName=TABLE)) is None
    closed = user(emulator, statement("dynamodb:Scan", resource=TABLE_ARN, condition=only("target#*")))
    assert refused(lambda: closed.get("dynamodb").scan(TableName=TABLE)) == "dynamodb:Scan"


@pytest.mark.usefixtures("_table")
def test_a_deny_holds_for_its_keys(emulator: Emulator) -> None:
    condition = {"ForAnyValue:StringEquals": {KEYS: ["mode"]}}
    api = user(
        emulator,
        statement("dynamodb:*", resource=TABLE_ARN),
        statement("dynamodb:PutItem", resource=TABLE_ARN, condition=condition, effect="Deny"),
    ).get("dynamodb")
    assert refused(lambda: api.put_item(TableName=TABLE, Item=key("fleet"))) is None
    assert refused(lambda: CALLS["PutItem"](api, "mode")) == "dynamodb:PutItem"
    assert refused(lambda: CALLS["PutItem in a transaction"](api, "mode")) == "dynamodb:PutItem"


# --- Lambda ---

FUNCTION_CALLS: dict[str, Callable[[Any], Any]] = {
    "GetFunction": lambda api: api.get_function(FunctionName="fn"),
    "GetFunctionConfiguration": lambda api: api.get_function_configuration(FunctionName="fn"),
    "UpdateFunctionConfiguration": lambda api: api.update_function_configuration(
        FunctionName="fn", Timeout=9
    ),
    "InvokeFunction": lambda api: api.invoke(FunctionName="fn"),
    "GetFunctionConcurrency": lambda api: api.get_function_concurrency(FunctionName="fn"),
    "PutFunctionConcurrency": lambda api: api.put_function_concurrency(
        FunctionName="fn", ReservedConcurrentExecutions=5
    ),
    "DeleteFunctionConcurrency": lambda api: api.delete_function_concurrency(FunctionName="fn"),
    "GetAlias": lambda api: api.get_alias(FunctionName="fn", Name="live"),
    "ListAliases": lambda api: api.list_aliases(FunctionName="fn"),
    "UpdateAlias": lambda api: api.update_alias(FunctionName="fn", Name="live", FunctionVersion="1"),
    "ListVersionsByFunction": lambda api: api.list_versions_by_function(FunctionName="fn"),
    "PutFunctionEventInvokeConfig": lambda api: api.put_function_event_invoke_config(
        FunctionName="fn", MaximumRetryAttempts=0
    ),
}


@pytest.mark.usefixtures("mapping")
@pytest.mark.parametrize("action", FUNCTION_CALLS)
def test_an_action_of_a_function_is_checked_by_its_own_name(emulator: Emulator, action: str) -> None:
    call = FUNCTION_CALLS[action]
    granted = user(emulator, statement(f"lambda:{action}", resource=FUNCTION_ARN)).get("lambda")
    assert refused(lambda: call(granted)) is None
    elsewhere = user(emulator, statement(f"lambda:{action}", resource=f"{FUNCTION_ARN}-2")).get("lambda")
    assert refused(lambda: call(elsewhere)) == f"lambda:{action}"
    others = [f"lambda:{other}" for other in FUNCTION_CALLS if other != action]
    assert refused(lambda: call(user(emulator, statement(*others, resource="*")).get("lambda"))) == (
        f"lambda:{action}"
    )


@pytest.mark.usefixtures("mapping")
@pytest.mark.parametrize("resource", [FUNCTION_ARN, f"{FUNCTION_ARN}:live", f"{FUNCTION_ARN}*"])
def test_a_qualifier_needs_a_policy_on_the_qualified_function(emulator: Emulator, resource: str) -> None:
    actions = ("lambda:GetFunctionConfiguration", "lambda:InvokeFunction")
    api = user(emulator, statement(*actions, resource=resource)).get("lambda")
    for qualifier, allowed in (
        ({}, resource != f"{FUNCTION_ARN}:live"),
        ({"Qualifier": "live"}, resource != FUNCTION_ARN),
    ):
        for call in (api.get_function_configuration, api.invoke):
            answer = refused(lambda call=call, qualifier=qualifier: call(FunctionName="fn", **qualifier))
            assert (answer is None) is allowed


def test_a_mapping_is_allowed_by_the_function_it_feeds(emulator: Emulator, mapping: str) -> None:
    def try_all(function_arn: str) -> list[str | None]:
        actions = ("lambda:GetEventSourceMapping", "lambda:UpdateEventSourceMapping")
        condition = {"ArnEquals": {"lambda:FunctionArn": function_arn}}
        api = user(emulator, statement(*actions, resource=MAPPINGS, condition=condition)).get("lambda")
        return [
            refused(lambda: api.get_event_source_mapping(UUID=mapping)),
            refused(lambda: api.update_event_source_mapping(UUID=mapping, Enabled=True)),
            refused(lambda: api.delete_event_source_mapping(UUID=mapping)),
        ]

    assert try_all(FUNCTION_ARN) == [None, None, "lambda:DeleteEventSourceMapping"]
    assert try_all(f"{FUNCTION_ARN}-2") == [
        "lambda:GetEventSourceMapping",
        "lambda:UpdateEventSourceMapping",
        "lambda:DeleteEventSourceMapping",
    ]


def test_alarms_may_be_described_by_those_who_may_describe_the_one_that_is_named(emulator: Emulator) -> None:
    def describe(resource: str, **asked: Any) -> str | None:
        api = user(emulator, statement("cloudwatch:DescribeAlarms", resource=resource)).get("cloudwatch")
        return refused(lambda: api.describe_alarms(**asked))

    one = f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:one"
    assert describe(one, AlarmNames=["one"]) is None
    assert describe("*") is None
    for asked in ({"AlarmNames": ["two"]}, {"AlarmNames": []}, {}):
        assert describe(one, **asked) == "cloudwatch:DescribeAlarms"


def test_a_simulation_takes_the_condition_keys_that_it_is_given(emulator: Emulator) -> None:
    condition = {"ForAllValues:StringLike": {KEYS: ["breaker#*"]}, "Null": {KEYS: "false"}}
    name = "simulated"
    policy = statement("dynamodb:UpdateItem", resource=TABLE_ARN, condition=condition)
    iam = user(emulator, statement("iam:*", resource="*")).get("iam")
    iam.create_user(UserName=name)
    document = json.dumps({"Version": "2012-10-17", "Statement": [policy]})
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document)

    def decision(*partitions: str, kind: str = "stringList") -> str:
        entry = {"ContextKeyName": KEYS, "ContextKeyType": kind, "ContextKeyValues": list(partitions)}
        answer = iam.simulate_principal_policy(
            PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:user/{name}",
            ActionNames=["dynamodb:UpdateItem"],
            ResourceArns=[TABLE_ARN],
            ContextEntries=[entry] if partitions else [],
        )
        return str(answer["EvaluationResults"][0]["EvalDecision"])

    assert decision("breaker#pay", "breaker#ship") == "allowed"
    assert decision("breaker#pay", kind="string") == "allowed"
    assert [decision("breaker#pay", "fleet"), decision("fleet"), decision()] == ["implicitDeny"] * 3


def test_parameters_may_be_read_together_by_those_who_may_read_the_one_that_is_named(
    emulator: Emulator,
) -> None:
    def read(resource: str, *names: str) -> str | None:
        api = user(emulator, statement("ssm:GetParameters", resource=resource)).get("ssm")
        return refused(lambda: api.get_parameters(Names=list(names)))

    one = f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/one"
    assert [read(one, "one"), read(one, "/one"), read(one, one)] == [None, None, None]
    assert read(one, "two") == "ssm:GetParameters"


def test_batches_of_messages_are_allowed_by_the_action_for_one(emulator: Emulator) -> None:
    url = emulator.clients.get("sqs").create_queue(QueueName="batches")["QueueUrl"]
    entry = {"Id": "0", "ReceiptHandle": "none"}
    calls: dict[str, Call] = {
        "SendMessage": lambda api, url: api.send_message_batch(
            QueueUrl=url, Entries=[{"Id": "0", "MessageBody": "m"}]
        ),
        "DeleteMessage": lambda api, url: api.delete_message_batch(QueueUrl=url, Entries=[entry]),
        "ChangeMessageVisibility": lambda api, url: api.change_message_visibility_batch(
            QueueUrl=url, Entries=[{**entry, "VisibilityTimeout": 0}]
        ),
    }
    for action, call in calls.items():
        others = [f"sqs:{other}" for other in calls if other != action]
        queue = f"arn:aws:sqs:us-east-1:{ACCOUNT}:batches"
        granted = user(emulator, statement(f"sqs:{action}", resource=queue)).get("sqs")
        lacking = user(emulator, statement(*others, resource="*")).get("sqs")
        assert refused(lambda call=call, api=granted: call(api, url)) is None
        assert refused(lambda call=call, api=lacking: call(api, url)) == f"sqs:{action}"


def test_an_experiment_may_be_started_by_those_who_may_start_its_template(emulator: Emulator) -> None:
    fis = emulator.clients.get("fis")
    made = fis.create_experiment_template(
        description="d",
        roleArn=f"arn:aws:iam::{ACCOUNT}:role/r",
        stopConditions=[{"source": "none"}],
        targets={
            "f": {
                "resourceType": "aws:lambda:function",
                "resourceArns": [FUNCTION_ARN],
                "selectionMode": "ALL",
            }
        },
        actions={
            "a": {
                "actionId": "aws:lambda:invocation-error",
                "parameters": {"duration": "PT1M"},
                "targets": {"Functions": "f"},
            }
        },
    )["experimentTemplate"]

    def start(resource: str) -> str | None:
        allowed = statement("fis:StartExperiment", "fis:GetExperimentTemplate", resource=resource)
        api = user(emulator, allowed).get("fis")
        assert (
            refused(
                lambda: api.create_experiment_template(
                    description="d", roleArn="r" * 20, stopConditions=[], actions={}
                )
            )
            == "fis:CreateExperimentTemplate"
        )
        got = refused(lambda: api.get_experiment_template(id=made["id"]))
        started = refused(lambda: api.start_experiment(experimentTemplateId=made["id"]))
        return got and started

    assert start(made["arn"]) is None
    assert start(made["arn"] + "x") == "fis:StartExperiment"


def test_who_one_is_may_always_be_asked(emulator: Emulator) -> None:
    arn = user(emulator).get("sts").get_caller_identity()["Arn"]
    assert arn.startswith(f"arn:aws:iam::{ACCOUNT}:user/user-")
