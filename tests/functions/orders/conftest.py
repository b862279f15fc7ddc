"""A table of orders in moto."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from selfheal.functions.orders.store import Store
from tests.functions.support.remedy_fakes import create_table


@pytest.fixture
def store() -> Iterator[Store]:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_table(client, "orders")
        yield Store(client, "orders")
