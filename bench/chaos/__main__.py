"""Runs the scenarios that ship, each twice, each on a stack of its own, and prints the verdicts.

    python -m bench.chaos [--times N] [SCENARIO ...]

Ends with 1 unless each run's verdict was `holds`. The reports are in out/chaos-bench.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.chaos.stack import ChaosStack, deployed
from selfheal.scenarios.faults import FaultKind
from selfheal.scenarios.scenario import shipped

OUTPUT = Path("out/chaos-bench")
SHOWN = (
    "accepted_share",
    "fulfilled_share",
    "dead_orders",
    "openings",
    "calls_during_fault",
    "settled_after_seconds",
)
"""Measures in the table. The reports have all."""


def run(stack: ChaosStack, name: str, number: int, console: Console) -> dict[str, Any]:
    """Run a scenario once, and return its report, or the error as one."""
    folder, began = OUTPUT / name / str(number), time.monotonic()
    done = stack.run("run", name, "--out", str(folder), "--json")
    console.print(f"[dim]{name} {number}: exit code {done.returncode}, {time.monotonic() - began:.0f} s")
    try:
        return json.loads(done.stdout)
    except ValueError:
        console.print(done.stderr, markup=False)
        return {"verdict": "error", "why": done.stderr.strip(), "measures": {}}


def show(console: Console, reports: Sequence[tuple[str, dict[str, Any]]]) -> None:
    """Print the verdicts, with some figures."""
    table = Table("scenario", "verdict", *SHOWN, title="Scenarios in the sandbox", title_justify="left")
    for name, report in reports:
        seen = (report["measures"].get(measure) for measure in SHOWN)
        table.add_row(name, report["verdict"], *("—" if each is None else f"{each:.4g}" for each in seen))
        if report["verdict"] != "holds":
            console.print(f"{name}: {report['why']}", markup=False)
    console.print(table)


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description="Run the scenarios.")
    names = [each.name for each in shipped()]
    by_fis = {each.name for each in shipped() if each.fault.kind is FaultKind.FUNCTION}
    parser.add_argument("scenarios", nargs="*", help=f"of {', '.join(names)}; default: all")
    parser.add_argument("--times", type=int, default=2, help="how often each is run; default 2")
    given = parser.parse_args()
    console, reports = Console(width=140), list[tuple[str, dict[str, Any]]]()
    for name in given.scenarios or names:
        settings = {"chaos": "true"} if name in by_fis else {}
        with (
            tempfile.TemporaryDirectory(prefix="chaos-") as folder,
            deployed(Path(folder), **settings) as stack,
        ):
            reports += [(name, run(stack, name, number, console)) for number in range(1, given.times + 1)]
    show(console, reports)
    verdicts = {name: [report["verdict"] for of, report in reports if of == name] for name, _ in reports}
    return 0 if all(set(each) == {"holds"} for each in verdicts.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
