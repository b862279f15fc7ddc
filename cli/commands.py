"""Every command of `selfheal`, each loaded when it is asked for.

To import all of them takes longer than most of them do.
"""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any

import typer


def reflow(text: str | None) -> str:
    """Join the lines of each paragraph of a docstring, so that the terminal can wrap them."""
    paragraphs = inspect.cleandoc(text or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _module(name: str) -> Any:
    return import_module(f"selfheal.cli.{name}")


def _located(command: Any, **location: bool) -> Any:
    return _module("operator.location").with_location(command, **location)


def _add(to: typer.Typer, command: Any, epilog: str | None, name: str | None = None, **settings: Any) -> None:
    to.command(name, help=reflow(command.__doc__), epilog=epilog, **settings)(command)


def _alone(command: Any, epilog: str | None, **settings: Any) -> Any:
    made = typer.Typer(rich_markup_mode="rich", add_completion=False)
    _add(made, command, epilog, **settings)
    return typer.main.get_command(made)


def _of_this_machine(module: str, name: str) -> Any:
    """Return a command that works without a stack, or with one of its own."""
    loaded = _module(module)
    return _alone(getattr(loaded, name), loaded.EPILOG)


def _pulumi() -> Any:
    loaded = _module("sandbox.pulumi")
    # The help of `selfheal pulumi --help` is Pulumi's own.
    return _alone(loaded.pulumi, None, cls=loaded.Verbatim, add_help_option=False)


def _operating(module: str, name: str, **location: bool) -> Any:
    """Return a command that operates a stack; see `with_location` for what it needs of one."""
    loaded = _module(module)
    return _alone(_located(getattr(loaded, name), **location), loaded.EPILOG)


def _intervention(name: str) -> Any:
    commands = {each.__name__: (each, epilog) for each, epilog in _module("operator.interventions").COMMANDS}
    command, epilog = commands[name]
    return _alone(_located(command), epilog)


def _group(module: str) -> Any:
    """Return the commands of a module that has several."""
    loaded = _module(module)
    made = typer.Typer(
        rich_markup_mode="rich",
        add_completion=False,
        no_args_is_help=True,
        help=reflow(loaded.ABOUT),
        epilog=loaded.EPILOG,
    )
    for name, command, epilog in loaded.COMMANDS:
        works_on_a_stack = "location" in inspect.signature(command).parameters
        _add(
            made, _located(command, wakes=False, ledger=False) if works_on_a_stack else command, epilog, name
        )
    return typer.main.get_command(made)


def _incidents() -> Any:
    loaded = _module("operator.incidents")
    made = typer.Typer(rich_markup_mode="rich", add_completion=False, invoke_without_command=True)
    made.callback(help=reflow(loaded.incidents.__doc__), epilog=loaded.EPILOG)(
        _located(loaded.incidents, wakes=False)
    )
    _add(made, _located(loaded.show, wakes=False), loaded.SHOW_EPILOG)
    _add(made, _located(loaded.follow, wakes=False), loaded.FOLLOW_EPILOG)
    return typer.main.get_command(made)


_LOADERS: Mapping[str, Callable[[], Any]] = {
    "demo": partial(_of_this_machine, "demo.command", "demo"),
    "demo-orders": partial(_of_this_machine, "demo.orders.command", "demo_orders"),
    "pulumi": _pulumi,
    "serve": partial(_of_this_machine, "sandbox.serve", "serve"),
    "watch": partial(_operating, "operator.watch", "watch", wakes=False),
    "incidents": _incidents,
    "mode": partial(_operating, "operator.mode", "mode"),
    "approve": partial(_operating, "operator.approve", "approve"),
    **{name: partial(_intervention, name) for name in ("rollback", "release", "restore", "accept", "close")},
    "breaker": partial(_group, "operator.breaker"),
    "dlq": partial(_group, "operator.dlq"),
    "replay": partial(_operating, "operator.replay", "replay", wakes=False, ledger=False),
    "chaos": partial(_group, "chaos.command"),
    "doctor": partial(_operating, "doctor.command", "doctor"),
}
"""Name of each command to what loads it, in the order of the help."""


class Loaded(dict[str, Any]):
    """All commands by name. What is taken out of it is loaded; names are there from the beginning."""

    def __init__(self) -> None:
        super().__init__(dict.fromkeys(_LOADERS))

    def __getitem__(self, name: str) -> Any:
        """Return a command, loaded."""
        if (command := super().__getitem__(name)) is None:
            command = _LOADERS[name]()
            command.name = name
            self[name] = command
        return command

    def get(self, name: str, default: Any = None) -> Any:
        """Return a command, loaded, or the default if there is none of that name."""
        if name not in self:
            return default
        return self[name]
