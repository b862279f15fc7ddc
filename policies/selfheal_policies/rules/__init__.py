"""The rules: one a file, named like the file, `RULE` last. They are found, not listed."""

from importlib import import_module
from pkgutil import iter_modules

from selfheal_policies.rule import Rule


def load() -> list[Rule]:
    """Return every rule of this folder, by name. Modules whose name begins with `_` are helpers."""
    names = sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_"))
    return [import_module(f"{__name__}.{name}").RULE for name in names]
