"""Divides callers, as a partial outage does: some of them always, the others never."""

from hashlib import sha256


def share_of(caller: str) -> float:
    """Map a caller to a number in [0, 1): always the same one, and uniform over callers."""
    return int.from_bytes(sha256(caller.encode()).digest()[:8], "big") / 2**64
