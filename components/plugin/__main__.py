"""Serves the components to programs in any language of Pulumi, as the package `selfheal`."""

import sys
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
"""The whole repository. Pulumi downloads all of it, too, where a program names this folder of a git URL."""

sys.path.insert(0, str(CHECKOUT))  # the components beside this file, whatever else is installed

from pulumi import ComponentResource  # noqa: E402
from pulumi.errors import InputPropertyError  # noqa: E402
from pulumi.provider import main  # noqa: E402
from pulumi.provider.experimental.component import ComponentProvider  # noqa: E402
from pulumi.provider.server import ComponentInitError  # noqa: E402

from selfheal.components import ComponentError, Detection, FragileService, Healer  # noqa: E402

VERSION = "0.1.0"
"""As in pyproject.toml; generated SDKs have it."""


class SelfhealProvider(ComponentProvider):
    """What `component_provider_host` serves, and two things that programs in other languages need."""

    def map_inputs(self, inputs: Any, component_def: Any) -> Any:
        """Make whole numbers `int` again: the protocol has one kind of number, which arrives as `float`."""
        return super().map_inputs(_whole(inputs), component_def)

    def construct(self, *args: Any, **kwargs: Any) -> Any:
        """Say what a component refuses in its own words, without the traceback of a crash."""
        try:
            return super().construct(*args, **kwargs)
        except ComponentInitError as error:
            if isinstance(error.inner, ComponentError):
                raise InputPropertyError("inputs", str(error.inner)) from error
            raise


def _whole(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _whole(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_whole(member) for member in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


if __name__ == "__main__":
    components: list[type[ComponentResource]] = [Healer, Detection, FragileService]
    main(SelfhealProvider(components, "selfheal", version=VERSION), sys.argv[1:])
