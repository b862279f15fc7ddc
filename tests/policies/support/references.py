"""How properties of a scene refer to other resources, and what of them is unknown at preview."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Spelling(StrEnum):
    """How a program refers to another resource."""

    RESOURCE = "resource"
    """Through its output: unknown at preview, with the dependency."""
    LITERAL = "literal"
    """As text that a person wrote: known, without any dependency."""


@dataclass(frozen=True)
class Ref:
    """A reference to another resource."""

    target: str
    attribute: str = "arn"
    """`arn`; `id`, which is the name for most; `name`, which is known at preview; `text`, the ARN put
    together from parts that are known; or `url`, where a function's URL or an API answers."""
    suffix: str = ""


@dataclass(frozen=True)
class Unknown:
    """A value that is unknown and depends on these resources."""

    origins: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lost:
    """A value that is unknown at preview and depends on nothing."""

    value: Any


@dataclass(frozen=True)
class Json:
    """JSON text. It is unknown as a whole as long as a reference in it is."""

    content: Any
