"""The whole platform in the sandbox, deployed once for each way of enforcing permissions."""

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.e2e.support.platform import Platform, deployed


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "iam-enforced"])
def platform(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Platform]:
    folder: Path = tmp_path_factory.mktemp("platform")
    with deployed(folder, iam=bool(request.param)) as platform:
        yield platform
