"""Two scenarios that last for seconds, on a stack that is deployed in process."""

import subprocess
from pathlib import Path

from bench.chaos.stack import ChaosStack

HEAD = """
schema: 1
title: The downstream answers late
story: Each answer takes a second.
fault: {kind: downstream, mode: latency, seconds: 1}
traffic: {per_second: 5, callers: 3}
before_seconds: 5
fault_seconds: 5
after_seconds: 60
hypothesis:
  - {measure: accepted_share, at_least: 0.99, why: an order is stored before anything is called}
  - {measure: lost_orders, at_most: 0, why: the queues keep what waits}
  - {measure: repeated_effects, at_most: 0, why: each attempt has the same key}
"""
HOLDS = f"{HEAD}  - {{measure: calls_during_fault, at_least: 1, why: it goes on}}\n"
FAILS = f"{HEAD}  - {{measure: calls_during_fault, at_most: 0, why: a wish}}\n"


def write(folder: Path) -> None:
    """Write both files."""
    (folder / "holds.yaml").write_text(HOLDS)
    (folder / "fails.yaml").write_text(FAILS)


def run(stack: ChaosStack, name: str) -> "subprocess.CompletedProcess[str]":
    """Run one of them."""
    file, out = stack.folder / f"{name}.yaml", stack.folder / "out" / name
    return stack.run("run", str(file), "--out", str(out), "--json", seconds=400)
