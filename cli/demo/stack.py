"""What a demonstration deploys."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Stack:
    """What is deployed."""

    name: str
    """Its configuration is that of the project's Pulumi.<name>.yaml."""
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What is configured differently, by full key."""
    secrets: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    """Objects of texts that are configured as secrets, by full key."""
