"""The rules: one per file, named after the rule, with the object `RULE` last. They are found by listing."""

from importlib import import_module
from pkgutil import iter_modules

from selfheal_policies.rule import AnyRule


def load() -> list[AnyRule]:
    """Return every rule of this folder, by name."""
    names = sorted(module.name for module in iter_modules(__path__))
    return [import_module(f"{__name__}.{name}").RULE for name in names]
