import importlib
import json
from dataclasses import asdict
from types import ModuleType

import pytest

from tests.functions.support.handler import Healer
from tests.functions.support.world import TARGET, TOPIC, World

pytest.register_assert_rewrite("tests.functions.harm.checks")


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The handler's module, imported with an environment of its own."""
    environment = {"MODE": "act", "TARGETS": json.dumps([asdict(TARGET)]), "BUDGET": "12"}
    environment |= {"TOPIC_ARN": TOPIC, "ESCALATION_TOPIC_ARN": "people", "LEDGER_TABLE": "ledger"}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    from selfheal.functions.healer import aws, handler

    with monkeypatch.context() as patch:
        # Tests set clients of their own, and making these takes long.
        patch.setattr(aws, "connect", lambda *_: None)
        return importlib.reload(handler)


@pytest.fixture
def healer(handler: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Healer:
    return Healer(handler, monkeypatch)
