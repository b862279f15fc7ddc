"""Write docs/states.md from the healer's states: `python -m selfheal.cli.states_doc > docs/states.md`."""

import sys

from selfheal.functions.healer.states import MEANING, TERMINAL, WAYS, Status

_HEAD = """# The states of an incident

Generated from `functions/healer/states.py` by `python -m selfheal.cli.states_doc`; do not edit.

One step a run. A move that is not listed here is never written: it raises. A new incident begins in OPEN; one
that is RECOVERED is over, unless a person asks for the baseline again."""

_WAYS_HEAD = """## Ways

A run may take several ways in one write, such as VERIFYING to INEFFECTIVE to OPEN; the incident's history has
a line for each."""


def page() -> str:
    """Return the whole page."""
    # Without labels: a diagram with all of them is not readable, and the table has them.
    arrows = ["    [*] --> OPEN", *(f"    {source} --> {to}" for source, to in WAYS), "    RECOVERED --> [*]"]
    diagram = "\n".join(["```mermaid", "stateDiagram-v2", *arrows, "```"])
    states = ["## States", "", "| state | means | rests |", "|---|---|---|"]
    states += [f"| {status} | {text} | {_rest(status)} |" for status, text in MEANING.items()]
    moves = ["| from | to | when |", "|---|---|---|"]
    moves += [f"| {source} | {to} | {when} |" for (source, to), when in WAYS.items()]
    return "\n\n".join([_HEAD, diagram, "\n".join(states), _WAYS_HEAD, "\n".join(moves)]) + "\n"


def _rest(status: Status) -> str:
    """Return whether an incident stays in a state."""
    if status in TERMINAL:
        return "yes: the end if nobody does anything"
    return "no" if status in (Status.INEFFECTIVE, Status.INCONCLUSIVE) else "for a while"


if __name__ == "__main__":
    sys.stdout.write(page())
