"""Reads the types of properties, and which are required, from the AWS SDK for Pulumi."""

import importlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

# The SDK has no public function for this.
from pulumi import _types  # pyright: ignore[reportPrivateUsage]


@dataclass(frozen=True)
class Types:
    """The properties of a resource, function or object."""

    types: Mapping[str, Any]
    """Property to its Python type: a scalar, `Sequence[...]`, `Mapping[str, ...]`, a class of the SDK."""

    required: frozenset[str]
    """Properties without which the SDK's class cannot be made."""


def of_resource(type_: str) -> Types:
    """Return the outputs of a resource type, its inputs among them, and which inputs it requires."""
    name = type_.rsplit(":", 1)[1]
    class_ = getattr(_module(type_), name)
    # Where an object of another resource has that name, the SDK calls them differently.
    module = importlib.import_module(class_.__module__)
    arguments = getattr(module, f"{name}InitArgs", None) or getattr(module, f"{name}Args")
    return Types(_types.resource_types(class_), _required(arguments))


def of_object(class_: type) -> Types:
    """Return the members of an object inside a property."""
    inputs = importlib.import_module(class_.__module__.replace(".outputs", "._inputs"))
    return Types(_types.output_type_types(class_), _required(getattr(inputs, f"{class_.__name__}Args")))


def of_function(token: str) -> tuple[Types, Types]:
    """Return the arguments of a function and its results; nothing of either is required."""
    module, name = _module(token), token.rsplit(":", 1)[1]
    result = getattr(module, f"{name[0].upper()}{name[1:]}Result")
    types = _types.output_type_types(result)
    parameters = inspect.signature(getattr(module, _snake(name))).parameters
    arguments = {key: type_ for key, type_ in types.items() if _snake(key) in parameters}
    return Types(arguments, frozenset()), Types(types, frozenset())


def is_object(type_: Any) -> bool:
    """Return whether a type is one of the SDK's objects."""
    return isinstance(type_, type) and _types.is_output_type(type_)


def _module(token: str) -> ModuleType:
    folder = token.split(":")[1].split("/", maxsplit=1)[0]
    path = {"index": "pulumi_aws", "lambda": "pulumi_aws.lambda_"}.get(folder, f"pulumi_aws.{folder}")
    return importlib.import_module(path)


def _required(arguments: type) -> frozenset[str]:
    names = _types.input_type_py_to_pulumi_names(arguments)
    parameters = inspect.signature(arguments).parameters
    return frozenset(
        pulumi for python, pulumi in names.items() if parameters[python].default is inspect.Parameter.empty
    )


def _snake(key: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in key)
