"""The rules: one a file, named like the file, `RULE` last. They are found, not listed."""

from importlib import import_module
from pkgutil import iter_modules

from selfheal_policies.rule import AnyRule


def load() -> list[AnyRule]:
    """Return every rule of this folder, by name."""
    names = sorted(module.name for module in iter_modules(__path__))
    return [import_module(f"{__name__}.{name}").RULE for name in names]
