from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from selfheal.functions.healer import remedies
from selfheal.functions.healer.aws import Aws
from selfheal.functions.healer.clock import parse_iso
from selfheal.functions.healer.live import Live
from tests.functions.support.faults import aws_error
from tests.functions.support.remedy_fakes import RemedyLambda, aws_for, create_table, target_with

TARGET = target_with("override")
SETTING = TARGET.remedies[0].setting
KEY = {"pk": {"S": "override#shop"}, "sk": {"S": "FAILURE_RATE"}}


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_table(client)
        yield client


@pytest.fixture
def aws(dynamodb: Any) -> Aws:
    return aws_for(RemedyLambda(), dynamodb)


def read(aws: Aws) -> Live:
    return remedies.read(aws, TARGET, SETTING)


def write(aws: Aws, live: Live, value: str | None) -> str | None:
    return remedies.write(aws, TARGET, SETTING, live, value)


def item(dynamodb: Any) -> dict[str, Any]:
    return dynamodb.get_item(TableName="ledger", Key=KEY)["Item"]


def test_it_is_set_replaced_and_cleared_and_never_deleted(aws: Aws, dynamodb: Any) -> None:
    first = read(aws)
    assert (first.value, first.token, first.exists) == (None, "0", True)
    assert write(aws, first, "0") is None
    assert (read(aws).value, read(aws).token) == ("0", "1")
    stored = item(dynamodb)
    assert stored["schema"] == {"N": "2"}
    assert datetime.now(UTC) - parse_iso(stored["since"]["S"]) < timedelta(seconds=30)
    assert write(aws, read(aws), "0.1") is None
    assert write(aws, read(aws), None) is None
    cleared = read(aws)
    assert (cleared.value, cleared.token) == (None, "3")
    assert "value" not in item(dynamodb)
    assert write(aws, cleared, "0") is None
    assert (read(aws).value, read(aws).token) == ("0", "4")


def test_of_two_writers_the_first_wins(aws: Aws) -> None:
    never_set = read(aws)
    assert write(aws, never_set, "0") is None
    assert write(aws, never_set, "1") == "ConditionalCheckFailedException"
    seen = read(aws)
    assert write(aws, seen, None) is None
    assert write(aws, seen, "1") == "ConditionalCheckFailedException"
    assert write(aws, never_set, "1") == "ConditionalCheckFailedException"
    assert (read(aws).value, read(aws).token) == (None, "2")


def test_targets_and_keys_are_apart(aws: Aws) -> None:
    other = target_with("override", name="shop2")
    assert write(aws, read(aws), "0") is None
    assert remedies.read(aws, other, SETTING).token == "0"


def test_a_deployment_shows_in_the_hashes_but_no_override_does(aws: Aws) -> None:
    before = read(aws)
    write(aws, before, "0")
    assert read(aws).configuration == before.configuration
    aws.lambda_.variables["OTHER"] = "deployed"
    assert read(aws).configuration != before.configuration


def test_a_function_that_is_gone_has_no_override(aws: Aws) -> None:
    write(aws, read(aws), "0")
    aws.lambda_.exists = False
    assert not read(aws).exists


def test_an_item_of_a_later_schema_is_not_guessed_at(aws: Aws, dynamodb: Any) -> None:
    later = {"schema": {"N": "3"}, "version": {"N": "1"}, "value": {"S": "0"}}
    dynamodb.put_item(TableName="ledger", Item=KEY | later)
    with pytest.raises(ValueError, match="schema 3, this healer knows up to 2"):
        read(aws)


class Refusing:
    def __init__(self, code: str) -> None:
        self.code = code

    def put_item(self, **_: Any) -> None:
        raise aws_error(self.code, "PutItem")


def test_dynamodb_asking_for_patience_is_told_from_an_error() -> None:
    live = Live("0", "1", None)
    assert write(aws_for(None, Refusing("ThrottlingException")), live, None) == "ThrottlingException"
    with pytest.raises(ClientError):
        write(aws_for(None, Refusing("AccessDeniedException")), live, None)
    with pytest.raises(ClientError):
        write(aws_for(None, Refusing("ResourceNotFoundException")), live, None)
