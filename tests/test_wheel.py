"""The wheel: one top-level name, the functions' sources in it, and the same imports as in the checkout."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = ("selfheal", "cli", "components", "functions", "sandbox")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked wheel, built from a copy: a build leaves files beside its sources."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "copy"
    for name in SOURCES:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-q", "-w", folder, copy],
        check=True,
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        file.extractall(folder / "site")
    return folder / "site"


def test_it_has_one_name_and_everything_under_it(installed: Path) -> None:
    assert [path.name for path in installed.iterdir() if "dist-info" not in path.name] == ["selfheal"]
    for name in SOURCES[1:]:
        sources = {path.relative_to(ROOT) for path in (ROOT / name).rglob("*.py")}
        assert {
            path.relative_to(installed / "selfheal") for path in (installed / "selfheal" / name).rglob("*.py")
        } == (sources)


def test_it_says_its_licence(installed: Path) -> None:
    (licence,) = installed.glob("*.dist-info/licenses/LICENSE")
    assert "Apache License" in licence.read_text()


def test_components_deploy_the_functions_that_came_with_them(installed: Path, tmp_path: Path) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(installed)!r}); "
        "from selfheal.components.function import package; from selfheal.components.healer import Healer; "
        "from selfheal.cli.main import run; "
        "assets = package('healer').assets; print(assets['selfheal/functions/shared/remedies.json'].path)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout == f"{installed}/selfheal/functions/shared/remedies.json\n", done.stderr
