"""Runs the drills, prints their figures, and ends with 1 if a claim does not hold.

    python -m bench.drill [DRILL ...]

Each drill has an emulator and a stack of its own. All figures are also written to out/drill/drills.json.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.drill import configuration, outage, partial, poison, proportion
from bench.drill.claims import Report
from bench.drill.outage import Scale
from bench.drill.world import World, deployed

OUTPUT = Path("out/drill/drills.json")
RATE = 20.0
"""Calls a second that the downstream states: well below what an emulator on two cores can do."""

OUTAGE_SECONDS = 60.0

COMMON: Mapping[str, Any] = {"rate": RATE, "catalogue_seconds": 2}

FULL = {
    "outage": (
        {"circuit": {"pause_cap_seconds": 30}},
        lambda world: outage.drill(world, Scale(2000, 25, OUTAGE_SECONDS, RATE)),
    ),
    "without": ({}, lambda world: without(world, Scale(2000, 25, OUTAGE_SECONDS, RATE))),
    "partial": ({}, lambda world: partial.drill(world, Scale(600, 8, 60, RATE))),
    "poison": ({}, lambda world: poison_and_replay(world, Scale(1000, 50, 0, RATE), 10)),
    "configuration": ({}, lambda world: configuration.drill(world, Scale(200, 50, 0, RATE))),
    "proportion": ({}, lambda world: proportion.drill(world, 1000, 60)),
}
"""By name: arguments of the component, and the drill."""


def poison_and_replay(world: World, scale: Scale, letters: int) -> Report:
    """Run the drill of poison, then replay everything by hand."""
    report = poison.drill(world, scale, letters)
    return Report(report.drill, [*report.claims, *poison.replayed(world)], report.figures)


def without(world: World, scale: Scale) -> Report:
    """Measure the calls of an outage without a breaker, to compare."""
    outage.warm(world, scale)
    end = threading.Event()
    feeder = outage.feed(world, scale, end)
    time.sleep(5)
    rate = outage.without_breaker(world, scale, 20)
    end.set()
    feeder.join()
    return Report("without breaker", [], {"calls a second in an outage, without the breaker": rate})


def run(name: str, arguments: Mapping[str, Any], drill: Callable[[World], Report]) -> Report:
    """Run one drill on a stack of its own."""
    with (
        tempfile.TemporaryDirectory(prefix=f"drill-{name}-") as folder,
        deployed(Path(folder), **COMMON, **arguments) as world,
    ):
        return drill(world)


def show(console: Console, report: Report, seconds: float) -> None:
    """Print what a drill has shown."""
    table = Table(title=f"{report.drill} ({seconds:.0f} s)", title_justify="left")
    for column in ("claim", "allowed", "seen", ""):
        table.add_column(column)
    for claim in report.claims:
        table.add_row(claim.what, claim.allowed, claim.seen, "[green]yes" if claim.holds else "[red]NO")
    for name, figure in report.figures.items():
        table.add_row(f"[dim]{name}", "", f"{figure:.4g}", "")
    console.print(table)


def compare(console: Console, reports: Mapping[str, Report]) -> None:
    """Print the calls of an outage as a share of those that the same consumers make without a breaker."""
    if {"outage", "without breaker"} <= reports.keys():
        made = reports["outage"].figures["calls during the outage"]
        [rate] = reports["without breaker"].figures.values()
        share = made / (rate * OUTAGE_SECONDS)
        console.print(f"An outage of {OUTAGE_SECONDS:.0f} s met {share:.1%} of the calls without a breaker.")


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description="Run the drills.")
    parser.add_argument("drills", nargs="*", help=f"of {', '.join(FULL)}; default: all")
    asked = parser.parse_args().drills or list(FULL)
    if unknown := [name for name in asked if name not in FULL]:
        parser.error(f"there is no drill {', '.join(unknown)}: known are {', '.join(FULL)}")
    console, reports = Console(), list[Report]()
    for name in asked:
        console.print(f"[dim]{name} ...")
        began = time.monotonic()
        reports.append(run(name, *FULL[name]))
        show(console, reports[-1], time.monotonic() - began)
    compare(console, {report.drill: report for report in reports})
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps([asdict(report) for report in reports], indent=2))
    return 0 if all(report.holds for report in reports) else 1


if __name__ == "__main__":
    sys.exit(main())
