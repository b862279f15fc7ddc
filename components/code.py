"""The Lambda code as an archive that is the same on every machine."""

from pathlib import Path

import pulumi

import selfheal
from selfheal.components.errors import ComponentError

FUNCTIONS = Path(__file__).resolve().parent.parent / "functions"

_PACKED = (".py", ".json")
"""What a function is made of. Anything else in the folders (caches, tool settings) stays out."""


def package(function: str, root: Path = FUNCTIONS) -> pulumi.AssetArchive:
    """Return the archive of one function: its folder and `shared`, under the paths they are imported by.

    Files are named one by one, so that a compiled cache never changes the archive's hash, and the package
    tree is kept, so that `from selfheal.functions.shared...` means the same in Lambda as in a test.

    Args:
        function: Name of the folder under `root`, for example "healer".
        root: The `functions` package.

    Raises:
        ComponentError: when there is no such function.

    """
    if not (root / function / "handler.py").is_file():
        known = sorted(path.parent.name for path in root.glob("*/handler.py"))
        raise ComponentError(
            f"there is no function {function!r}: a function is a folder of {root.name}/ with a handler.py. "
            f"Known: {', '.join(known) or 'none'}."
        )
    files = [root / "__init__.py"]
    for folder in (function, "shared"):
        files += sorted(
            path for path in (root / folder).rglob("*") if path.suffix in _PACKED and path.is_file()
        )
    archive = {f"selfheal/{path.relative_to(root.parent).as_posix()}": path for path in files}
    archive["selfheal/__init__.py"] = Path(selfheal.__file__)
    return pulumi.AssetArchive({name: pulumi.FileAsset(path) for name, path in archive.items()})
