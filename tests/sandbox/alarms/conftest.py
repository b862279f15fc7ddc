import pytest

from tests.support.fake_cloudwatch import FakeCloudWatch


@pytest.fixture
def cloudwatch() -> FakeCloudWatch:
    return FakeCloudWatch()
