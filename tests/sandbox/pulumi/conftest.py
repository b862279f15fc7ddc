"""An account for a test, to run the real CLI on."""

from pathlib import Path

import pytest

from selfheal.sandbox.emulator import Emulator
from tests.support.stacks import Account, make_account


@pytest.fixture
def account(tmp_path: Path, emulator: Emulator) -> Account:
    return make_account(tmp_path, emulator)
