"""An emulator for each file of tests that asks for one."""

from collections.abc import Iterator

import pytest

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.emulator import Emulator
from selfheal.sandbox.provider import AwsProvider


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator.start(tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture(scope="module")
def clients(emulator: Emulator) -> Clients:
    return emulator.clients


@pytest.fixture(scope="module")
def provider(clients: Clients) -> AwsProvider:
    return AwsProvider(clients)
