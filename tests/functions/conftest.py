import importlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from types import ModuleType

import pytest
from moto import mock_aws

from tests.functions.support.world import TARGET, TOPIC, World, client


@pytest.fixture
def world() -> Iterator[World]:
    with mock_aws():
        yield World()


@pytest.fixture
def healer(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ModuleType, World]]:
    """The handler module in its own environment, with the world in place of its clients, one minute in."""
    targets = [asdict(TARGET)]
    monkeypatch.setenv("MODE", "act")
    monkeypatch.setenv("TARGETS", json.dumps(targets))
    monkeypatch.setenv("TOPIC_ARN", TOPIC)
    monkeypatch.setenv("ESCALATION_TOPIC_ARN", "people")
    monkeypatch.setenv("LEDGER_TABLE", "ledger")
    monkeypatch.setenv("BUDGET", "12")
    with mock_aws():
        from selfheal.functions.healer import aws, handler

        with monkeypatch.context() as patch:
            # The handler's own clients are replaced below.
            patch.setattr(aws.boto3, "client", lambda service, **_: client(service))
            module = importlib.reload(handler)
        world = World()
        world.now = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=30)
        world.now -= timedelta(seconds=world.now.second % 10)
        monkeypatch.setattr(module, "AWS", world.aws)
        yield module, world
