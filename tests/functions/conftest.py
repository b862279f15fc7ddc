from collections.abc import Iterator

import pytest
from moto import mock_aws

from tests.support.healer_world import World


@pytest.fixture
def world() -> Iterator[World]:
    with mock_aws():
        yield World()
