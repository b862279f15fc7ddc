"""How much the pack's rules cost: its time as a ratio to a pack of as many empty rules.

    python bench/policy_pack.py [resources ...]      default: 50 500 2000

Both packs run as Pulumi runs them, and are asked the same: Analyze for every resource, and one AnalyzeStack.
The sparse stack is what the program registers at preview, repeated under other names until it is large
enough. In the dense stack every alarm wakes every function, by catch-all rules, and each of them may change
something. Each figure is the best of several rounds, alternating, so that what else the machine does falls
on both. The last line is the time that one long text adds to the judging of a small stack.
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
sys.path[:0] = [str(ROOT), str(ROOT / "policies")]

from tests.policies.support.changes import document, text  # noqa: E402
from tests.policies.support.client import Analyzed, Pack  # noqa: E402  (found by the line above)
from tests.policies.support.healers import TRUST, alarm, healer, permit  # noqa: E402
from tests.policies.support.recording import record  # noqa: E402
from tests.policies.support.references import Ref  # noqa: E402
from tests.policies.support.scene import Scene  # noqa: E402

GOAL = 1.3
"""The ratio that the pack has to stay under."""

DENSE = 1603
"""Resources of the dense stack: 200 alarms, catch-all rules and functions, and what belongs to them."""

DENSE_SECONDS = 5.0
"""How long AnalyzeStack may take for it."""

LONG = 90_000
"""Characters of the long text: an endpoint."""

LONG_SECONDS = 1.0
"""How much longer AnalyzeStack may take for it."""

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


def compare(ours: Pack, empty: Pack, inputs: list[Analyzed], outputs: list[Analyzed]) -> dict[str, Any]:
    """Return what both packs took for a stack."""
    pairs = [(measure(ours, inputs, outputs), measure(empty, inputs, outputs)) for _ in range(ROUNDS)]
    mine = min((pair[0] for pair in pairs), key=lambda timing: timing.total)
    floor = min((pair[1] for pair in pairs), key=lambda timing: timing.total)
    return {
        "resources": len(outputs),
        "pack": {"analyze": round(mine.analyze, 3), "stack": round(mine.stack, 3)},
        "empty": {"analyze": round(floor.analyze, 3), "stack": round(floor.stack, 3)},
        "ratio": round(mine.total / floor.total, 2),
    }


def dense(number: int) -> Scene:
    """Return a stack of about `number` resources in which every alarm wakes every function."""
    scene = healer(Scene())
    catch_all = json.dumps({"source": [{"prefix": ""}]})
    may = document({"Action": "lambda:PutFunctionConcurrency", "Resource": text("orders")})
    while len(scene.items) < number:
        name = f"n{len(scene.items)}"
        alarm(scene, f"{name}-errors", "orders", "people")
        scene.add("cloudwatch.LogGroup", f"{name}-logs", retentionInDays=14)
        scene.add("iam.Role", f"{name}-role", assumeRolePolicy=document(TRUST))
        scene.add("iam.RolePolicy", f"{name}-may", role=Ref(f"{name}-role", "name"), policy=may)
        scene.add("lambda.Function", name, role=Ref(f"{name}-role"), timeout=20)
        scene.add("cloudwatch.EventRule", f"{name}-rule", eventPattern=catch_all)
        scene.add("cloudwatch.EventTarget", f"{name}-to", rule=Ref(f"{name}-rule", "name"), arn=Ref(name))
        permit(scene, name, "events", f"{name}-rule")
    return scene


def seconds(pack: Pack, scene: Scene) -> float:
    """Return the shortest time that AnalyzeStack takes for a stack."""
    outputs = scene.told()
    return min(measure(pack, [], outputs).stack for _ in range(ROUNDS))


def endless() -> Scene:
    """Return a small stack with a long endpoint, of which no part tells whether it is one of a queue."""
    scene = healer(Scene())
    scene.find("wake-medic").put("endpoint", to="https://" + "sqs." * (LONG // 4))
    return scene


def main() -> int:
    """Print one JSON line a stack; 1 if one is above a goal."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("resources", type=int, nargs="*", default=[50, 500, 2000])
    sizes: list[int] = parser.parse_args().resources
    results: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as temporary:
        recording, folder = record("dev"), Path(temporary) / "empty"
        with Pack(ROOT / "policies") as ours, Pack(empty_pack(folder, ours)) as empty:
            for number in sizes:
                inputs, outputs = repeated(recording.inputs, number), repeated(recording.outputs, number)
                results.append({"stack": "sparse", **compare(ours, empty, inputs, outputs)})
            for number in (DENSE, max(sizes)):
                scene = dense(number)
                result = compare(ours, empty, scene.told("inputs"), scene.told())
                results.append({"stack": "dense", **result})
            longer = seconds(ours, endless()) - seconds(ours, healer(Scene()))
    for result in results:
        print(json.dumps(result))  # noqa: T201
    print(json.dumps({"stack": "long text", "characters": LONG, "seconds": round(longer, 3)}))  # noqa: T201
    slow = any(each["stack"] == "dense" and each["pack"]["stack"] >= DENSE_SECONDS for each in results)
    return int(slow or longer >= LONG_SECONDS or any(each["ratio"] >= GOAL for each in results))


if __name__ == "__main__":
    sys.exit(main())
