"""The archives of the functions."""

from pathlib import Path

import pytest

from selfheal.components.errors import ComponentError
from selfheal.components.function import FUNCTIONS, package


@pytest.mark.parametrize(("function", "other"), [("fragile", "healer"), ("healer", "fragile")])
def test_an_archive_holds_the_function_and_what_is_shared_under_their_import_paths(
    function: str, other: str
) -> None:
    names = set(package(function).assets)
    assert {f"selfheal/functions/{name}" for name in (f"{function}/handler.py", "shared/emf.py")} <= names
    assert not any(name.startswith(f"selfheal/functions/{other}/") for name in names)
    assert {Path(name).suffix for name in names} <= {".py", ".json"}
    assert not any("__pycache__" in name for name in names)


def test_the_healer_ships_with_what_its_permissions_are_made_of() -> None:
    assert "selfheal/functions/shared/remedies.json" in package("healer").assets


def test_caches_and_settings_stay_out_and_subfolders_come_along(tmp_path: Path) -> None:
    root = tmp_path / "functions"
    for name in (
        "one/handler.py",
        "one/part/rule.json",
        "one/__pycache__/handler.pyc",
        "one/notes.md",
        "shared/log.py",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")
    (root / "__init__.py").write_text("")
    assert sorted(package("one", root).assets) == [
        "selfheal/__init__.py",
        "selfheal/functions/__init__.py",
        "selfheal/functions/one/handler.py",
        "selfheal/functions/one/part/rule.json",
        "selfheal/functions/shared/log.py",
    ]


def test_an_unknown_function_is_refused() -> None:
    with pytest.raises(ComponentError, match=r"no function 'heeler'.* Known: fragile, healer"):
        package("heeler", FUNCTIONS)
