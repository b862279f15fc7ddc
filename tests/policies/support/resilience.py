"""The stack of `resilient/`, as its program registers it: every resilience pattern once, of raw resources."""

from functools import cache
from pathlib import Path

from tests.policies.support.recording import Recorder, record
from tests.policies.support.references import Spelling
from tests.policies.support.scene import Scene

FOLDER = Path(__file__).parent / "resilient"


@cache
def recorded(stack: str, *, up: bool) -> Recorder:
    """Return what the program registers, at preview or at up."""
    return record(stack, up=up, root=FOLDER)


def resilient(stack: str = "dev", spelling: Spelling = Spelling.RESOURCE, *, up: bool = False) -> Scene:
    """Return a new scene of it."""
    return Scene(recorded(stack, up=up), spelling, up=up)
