"""What a function needs to use something: variables of its environment, permissions, layers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi

from selfheal.components.iam import Statement


@dataclass(frozen=True)
class Access:
    """Given by a component, for example `circuit.access`, to the functions that use it."""

    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    """Where it is, as variables that the code for it in `functions/shared` reads."""

    statements: Sequence[Statement] = ()
    """Permissions, no wider than that use."""

    layers: Sequence[pulumi.Input[str]] = ()
    """ARNs of versions of Lambda layers."""
