"""Write docs/states.md from the healer's states: `python -m selfheal.cli.states_doc > docs/states.md`."""

import sys

from selfheal.functions.healer.deadlines import WAITS, Wait
from selfheal.functions.healer.incident import LEASE
from selfheal.functions.healer.states import MEANING, TERMINAL, WAYS, Reason, Status

_HEAD = """# The states of an incident

Generated from `functions/healer/states.py` and `deadlines.py`; do not edit, but run
`python -m selfheal.cli.states_doc > docs/states.md`.

One step a run. A move that is not listed here is never written: it raises. A new incident begins in OPEN; one
that is RECOVERED is over, unless a person asks for the baseline again."""

_WAYS_HEAD = """## Ways

A run may take several ways in one write, such as VERIFYING to INEFFECTIVE to OPEN; the incident's history has
a line for each."""


_WAITS_HEAD = """## Waits

What a run may leave as it is, how long that lasts, who is told then and what follows. Besides, people are
told of every open incident that they have not heard of after an hour, unless it is only observed, and of what
is unresolved again each day (`remindSeconds`). Where no run can handle a target, the alarm on the healer's
errors rings at once, people are told why after 15 minutes and again each day, and a change that was under way
is ESCALATED. A notice that cannot be sent is tried again, and each run fails until it is sent."""


def page() -> str:
    """Return the whole page."""
    # Without labels: a diagram with all of them is not readable, and the table has them.
    arrows = ["    [*] --> OPEN", *(f"    {source} --> {to}" for source, to in WAYS), "    RECOVERED --> [*]"]
    diagram = "\n".join(["```mermaid", "stateDiagram-v2", *arrows, "```"])
    states = ["## States", "", "| state | means | rests |", "|---|---|---|"]
    states += [f"| {status} | {text} | {_rest(status)} |" for status, text in MEANING.items()]
    moves = ["| from | to | when |", "|---|---|---|"]
    moves += [f"| {source} | {to} | {when} |" for (source, to), when in WAYS.items()]
    waits = ["| state | why | until | people | then |", "|---|---|---|---|---|"]
    waits += [_wait(status, reason, wait) for (status, reason), wait in _grouped().items()]
    parts = [_HEAD, diagram, "\n".join(states), _WAYS_HEAD, "\n".join(moves), _WAITS_HEAD, "\n".join(waits)]
    return "\n\n".join(parts) + "\n"


def _grouped() -> dict[tuple[str, str], Wait]:
    """Return the lines of the table, with the waits that are alike in any state as one."""
    rest = {pair: wait for pair, wait in WAITS.items() if pair[1] is not Reason.BUSY}
    any_state = {("any", Reason.BUSY.value): WAITS[Status.ACTING, Reason.BUSY]}
    return any_state | {(status.value, reason.value): wait for (status, reason), wait in rest.items()}


def _wait(status: str, reason: str, wait: Wait) -> str:
    minutes = "" if wait.within is None else f"{wait.within.total_seconds() / 60:g} minutes"
    until = {"0 minutes": "at once", f"{LEASE.total_seconds() / 60:g} minutes": "40 seconds"}.get(
        minutes, minutes
    )
    people = f"{wait.told}; {wait.why}" if wait.why else str(wait.told)
    return f"| {status} | `{reason}` | {until or wait.lasts} | {people} | {wait.then} |"


def _rest(status: Status) -> str:
    """Return whether an incident stays in a state."""
    if status in TERMINAL:
        return "yes: the end if nobody does anything"
    return "no" if status in (Status.INEFFECTIVE, Status.INCONCLUSIVE) else "for a while"


if __name__ == "__main__":
    sys.stdout.write(page())
