import importlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from types import ModuleType

import pytest
from moto import mock_aws

from tests.functions.support.handler import Healer
from tests.functions.support.world import TARGET, TOPIC, World, client

pytest.register_assert_rewrite("tests.functions.harm.checks")


@pytest.fixture
def world() -> Iterator[World]:
    with mock_aws():
        yield World()


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The handler's module, imported with an environment of its own, under moto."""
    environment = {"MODE": "act", "TARGETS": json.dumps([asdict(TARGET)]), "BUDGET": "12"}
    environment |= {"TOPIC_ARN": TOPIC, "ESCALATION_TOPIC_ARN": "people", "LEDGER_TABLE": "ledger"}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        from selfheal.functions.healer import aws, handler

        with monkeypatch.context() as patch:
            # Tests replace these clients.
            patch.setattr(aws.boto3, "client", lambda service, **_: client(service))
            module = importlib.reload(handler)
        yield module


@pytest.fixture
def healer(handler: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Healer:
    return Healer(handler, monkeypatch)
