"""What a run claims, with what was seen: sentences with a bound, each of which holds or does not. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Claim:
    """One sentence that must hold."""

    what: str
    allowed: str
    seen: str
    holds: bool

    @property
    def line(self) -> str:
        """What people read: whether it holds, what is claimed, and what was seen, with its limit."""
        mark = "yes" if self.holds else "NO "
        if self.allowed == "yes" and self.seen in {"yes", "no"}:
            return f"{mark}  {self.what}"  # the mark says it
        limit = f", {self.allowed}" if self.allowed.startswith(("at most", "at least")) else ""
        return f"{mark}  {self.what}: {self.seen}{limit}"


def equal(what: str, allowed: object, seen: object) -> Claim:
    """Claim that what was seen is exactly this."""
    return Claim(what, str(allowed), str(seen), seen == allowed)


def at_most(what: str, allowed: float, seen: float) -> Claim:
    """Claim an upper bound."""
    return Claim(what, f"at most {allowed:.4g}", f"{seen:.4g}", seen <= allowed)


def at_least(what: str, allowed: float, seen: float) -> Claim:
    """Claim a lower bound."""
    return Claim(what, f"at least {allowed:.4g}", f"{seen:.4g}", seen >= allowed)
