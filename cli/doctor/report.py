"""The doctor's report: a line for each check, and what to do about those that are not well."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from selfheal.cli.doctor.check import Check, State
from selfheal.functions.status.picture import printable

SCHEMA = 1

STYLES = {State.OK: "green", State.WARN: "yellow", State.FAIL: "bold red", State.UNKNOWN: "magenta"}


def document(checks: Sequence[Check], where: str) -> dict[str, Any]:
    """Return the report as JSON."""
    return {
        "schema": SCHEMA,
        "where": where,
        "ok": not {State.FAIL, State.UNKNOWN} & counted(checks).keys(),
        "counts": {state.value: counted(checks)[state] for state in State},
        "checks": [asdict(check) for check in checks],
    }


def counted(checks: Sequence[Check]) -> Counter[State]:
    """Return how many checks ended how."""
    return Counter(check.state for check in checks)


def lines(check: Check) -> Iterator[tuple[str, str]]:
    """Yield a check's lines for people, each with its style."""
    yield f"{check.state:<8}{check.id:<22}{printable(check.found)}", STYLES[check.state]
    if check.do:
        yield f"{'':<8}Next: {printable(check.do)}", "default"
    if check.statement is not None:
        for line in json.dumps(check.statement, indent=2).splitlines():
            yield f"{'':<10}{line}", "default"


def summary(checks: Sequence[Check]) -> str:
    """Return the last line: how many ended how."""
    counts = counted(checks)
    return ", ".join(f"{counts[state]} {state}" for state in State if counts[state])
