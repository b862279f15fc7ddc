"""An account a file, and one deployed stack for the tests that leave it as they found it."""

from collections.abc import Generator

import pytest

from selfheal.sandbox.emulator import Emulator
from tests.support.stacks import Account, Stack, attached, make_account


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs the Pulumi CLI, and takes more than a few seconds."""
    for item in items:
        if "engine" in item.path.parts:
            item.add_marker(pytest.mark.engine)
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Generator[Account]:
    """An empty account."""
    folder = tmp_path_factory.mktemp("account")
    with Emulator.start(folder / "emulator") as emulator, attached(make_account(folder, emulator)) as made:
        yield made


@pytest.fixture(scope="module")
def dev(cloud: Account) -> Stack:
    """The stack dev of the unmodified program, deployed. Its tests leave it deployed, with nothing open."""
    stack = cloud.stack("dev")
    stack.up()
    return stack
