"""How much the pack's rules cost: its time as a ratio to a pack of as many empty rules.

    python bench/policy_pack.py [resources ...]      default: 50 500 2000

Both packs run as Pulumi runs them, and are asked the same: Analyze for every resource, and one AnalyzeStack.
The stack is what the program registers at preview, repeated under other names until it is large enough. Each
figure is the best of several rounds, alternating, so that what else the machine does falls on both.
"""
# ruff: noqa: INP001  (a script, no package)

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.policies.support.client import Analyzed, Pack  # noqa: E402  (found by the line above)
from tests.policies.support.recording import Recorder, record  # noqa: E402

GOAL = 1.5
"""The ratio that the pack has to stay under."""

ROUNDS = 3

EMPTY = """
import pulumi_policy as p

def resource(args, report):
    pass

def stack(args, report):
    pass

made = [p.ResourceValidationPolicy(f"resource-{n}", "Empty.", resource) for n in range(RESOURCE)]
made += [p.StackValidationPolicy(f"stack-{n}", "Empty.", stack) for n in range(STACK)]
p.PolicyPack("empty", made)
"""


@dataclass(frozen=True)
class Timing:
    """Seconds that a pack took."""

    analyze: float
    stack: float

    @property
    def total(self) -> float:
        """Both together: what a deployment waits for."""
        return self.analyze + self.stack


def empty_pack(folder: Path, pack: Pack) -> Path:
    """Write a pack of as many empty policies of each kind."""
    whole = sum(policy.whole_stack for policy in pack.policies.values())
    text = EMPTY.replace("RESOURCE", str(len(pack.policies) - whole)).replace("STACK", str(whole))
    folder.mkdir()
    (folder / "PulumiPolicy.yaml").write_text("runtime: python\n", encoding="utf-8")
    (folder / "__main__.py").write_text(text, encoding="utf-8")
    return folder


def repeated(resources: Mapping[str, Analyzed], number: int) -> list[Analyzed]:
    """Return `number` resources: the recorded ones, and copies of them that refer to each other alone."""
    found: list[Analyzed] = []
    copy = 0
    while len(found) < number:
        for item in resources.values():
            if copy == 0:
                found.append(item)
            elif not item.type.startswith("pulumi:"):
                found.append(_renamed(item, list(resources.values()), f"-copy{copy}"))
        copy += 1
    return found[:number]


def _renamed(item: Analyzed, everything: list[Analyzed], suffix: str) -> Analyzed:
    """Return a copy whose own physical name, and those it holds of others, are other names."""
    own = {each.urn for each in everything if not each.type.startswith("pulumi:")}

    def urn(text: str) -> str:
        return text + suffix if text in own else text

    names = sorted(
        {str(each.properties.get("name", "")) for each in everything} - {""}, key=len, reverse=True
    )
    blobs = {key: value for key, value in item.properties.items() if key == "code"}
    text = json.dumps({key: value for key, value in item.properties.items() if key not in blobs})
    for name in names:
        text = text.replace(name, name + suffix)
    return replace(
        item,
        urn=item.urn + suffix,
        name=item.name + suffix,
        properties={**json.loads(text), **blobs},
        parent=urn(item.parent),
        dependencies=tuple(map(urn, item.dependencies)),
        property_dependencies={
            key: tuple(map(urn, urns)) for key, urns in item.property_dependencies.items()
        },
    )


def measure(pack: Pack, inputs: list[Analyzed], outputs: list[Analyzed]) -> Timing:
    """Ask a pack everything once."""
    began = time.perf_counter()
    for item in inputs:
        pack.analyze(item)
    middle = time.perf_counter()
    pack.analyze_stack(outputs)
    return Timing(middle - began, time.perf_counter() - middle)


def compare(ours: Pack, empty: Pack, recording: Recorder, number: int) -> dict[str, Any]:
    """Return what both packs took for a stack of this size."""
    inputs, outputs = repeated(recording.inputs, number), repeated(recording.outputs, number)
    pairs = [(measure(ours, inputs, outputs), measure(empty, inputs, outputs)) for _ in range(ROUNDS)]
    mine = min((pair[0] for pair in pairs), key=lambda timing: timing.total)
    floor = min((pair[1] for pair in pairs), key=lambda timing: timing.total)
    return {
        "resources": number,
        "pack": {"analyze": round(mine.analyze, 3), "stack": round(mine.stack, 3)},
        "empty": {"analyze": round(floor.analyze, 3), "stack": round(floor.stack, 3)},
        "ratio": round(mine.total / floor.total, 2),
    }


def main() -> int:
    """Print one JSON line a size; 1 if one is above the goal."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("resources", type=int, nargs="*", default=[50, 500, 2000])
    sizes: list[int] = parser.parse_args().resources
    with tempfile.TemporaryDirectory() as temporary:
        recording, folder = record("dev"), Path(temporary) / "empty"
        with Pack(ROOT / "policies") as ours, Pack(empty_pack(folder, ours)) as empty:
            results = [compare(ours, empty, recording, number) for number in sizes]
    for result in results:
        print(json.dumps(result))  # noqa: T201
    return int(any(result["ratio"] >= GOAL for result in results))


if __name__ == "__main__":
    sys.exit(main())
