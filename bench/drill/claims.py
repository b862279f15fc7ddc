"""What a drill claims, with the figures that it saw."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Claim:
    """One sentence that must hold."""

    what: str
    allowed: str
    seen: str
    holds: bool


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


def equal(what: str, allowed: object, seen: object) -> Claim:
    """Claim that what was seen is exactly this."""
    return Claim(what, str(allowed), str(seen), seen == allowed)


def at_most(what: str, allowed: float, seen: float) -> Claim:
    """Claim an upper bound."""
    return Claim(what, f"at most {allowed:.4g}", f"{seen:.4g}", seen <= allowed)


def at_least(what: str, allowed: float, seen: float) -> Claim:
    """Claim a lower bound."""
    return Claim(what, f"at least {allowed:.4g}", f"{seen:.4g}", seen >= allowed)
