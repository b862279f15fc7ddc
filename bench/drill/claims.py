"""What a drill claims, with the figures that it saw."""

from collections.abc import Sequence
from dataclasses import dataclass

from selfheal.cli.demo.claims import Claim


@dataclass(frozen=True)
class Report:
    """What one drill has shown."""

    drill: str
    claims: Sequence[Claim]
    figures: dict[str, float]
    """Further numbers, by name with unit."""

    @property
    def holds(self) -> bool:
        """Whether all claims hold."""
        return all(claim.holds for claim in self.claims)
