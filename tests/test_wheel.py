"""The wheel: one top-level name, the functions' sources in it, and the same imports as in the checkout."""

import subprocess
import sys
import zipfile
from email import message_from_string
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.conftest import ROOT
from tests.support.wheel import FOLDERS, build_wheel

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    with zipfile.ZipFile(build_wheel(folder)) as file:
        file.extractall(folder / "site")
    return folder / "site"


def test_it_has_one_name_and_everything_under_it(installed: Path) -> None:
    assert [path.name for path in installed.iterdir() if "dist-info" not in path.name] == ["selfheal"]
    for name in FOLDERS[1:]:
        sources = {path.relative_to(ROOT) for path in (ROOT / name).rglob("*.py")}
        sources.discard(Path("components", "plugin", "__main__.py"))  # Pulumi runs it in a checkout
        assert {
            path.relative_to(installed / "selfheal") for path in (installed / "selfheal" / name).rglob("*.py")
        } == (sources)


def test_it_says_its_licence(installed: Path) -> None:
    (licence,) = installed.glob("*.dist-info/licenses/LICENSE")
    assert "Apache License" in licence.read_text()


def test_it_needs_no_more_than_the_program_does(installed: Path) -> None:
    """What the pins of the program name, each in the range that the wheel asks for; the rest is an extra."""
    (metadata,) = installed.glob("*.dist-info/METADATA")
    asked = [
        Requirement(text) for text in message_from_string(metadata.read_text()).get_all("Requires-Dist", [])
    ]
    pinned = [
        Requirement(line)
        for line in (ROOT / "requirements/program.in").read_text().splitlines()
        if "==" in line
    ]
    plain = {each.name: each.specifier for each in asked if each.marker is None}
    assert plain.keys() == {each.name for each in pinned}
    for each in pinned:
        assert plain[each.name].contains(str(each.specifier).removeprefix("=="))
    assert {str(each.marker) for each in asked if each.marker} == {'extra == "cli"'}


def test_components_deploy_the_functions_that_came_with_them(installed: Path, tmp_path: Path) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(installed)!r}); "
        "from selfheal.components import Healer; from selfheal.components.function import package; "
        "from selfheal.cli.main import run; "
        "assets = package('healer').assets; print(assets['selfheal/functions/shared/remedies.json'].path)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout == f"{installed}/selfheal/functions/shared/remedies.json\n", done.stderr


def test_scenarios_come_with_it(installed: Path, tmp_path: Path) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(installed)!r}); "
        "from selfheal.scenarios.scenario import FOLDER, shipped; print(FOLDER, len(shipped()))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout == f"{installed}/selfheal/scenarios 6\n", done.stderr


def test_the_command_says_what_to_install_where_only_the_components_are(installed: Path) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(installed)!r}); sys.modules['typer'] = None; "
        "from selfheal.cli.__main__ import run; run()"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "needs the package typer, which is not installed" in done.stderr
    assert 'pip install "selfheal[cli]"' in done.stderr
    assert "Traceback" not in done.stderr
