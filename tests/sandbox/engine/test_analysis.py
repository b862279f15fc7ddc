"""When the engine asks its analyzers, and what it does with the answers."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from sandbox.engine.analyzer_api import Analyzed, Level, Violation
from sandbox.engine.engine import Engine
from sandbox.engine.events import Result, Severity
from sandbox.engine.project import Project
from sandbox.engine.stack_config import StackConfig
from sandbox.errors import PolicyPackError
from sandbox.provider.wire import UNKNOWN
from tests.support.engine_project import Lab

PROGRAM = """
box = Box("box")
first = Thing("first", size=1, opts=Options(parent=box))
second = Thing("second", size=2, ref=first.arn)
pulumi.export("arn", second.arn)
"""


@dataclass
class Judge:
    """Objects as it is told to; remembers what it saw."""

    objects: Callable[[Analyzed], bool] = lambda _: False
    objects_to_stack: bool = False
    level: Level = Level.MANDATORY
    fails: bool = False
    better: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    seen: dict[str, Analyzed] = field(default_factory=dict[str, Analyzed])
    stack: dict[str, Analyzed] = field(default_factory=dict[str, Analyzed])
    guard: threading.Lock = field(default_factory=threading.Lock)

    def remediate(self, resource: Analyzed, /) -> dict[str, Any] | None:
        more = self.better.get(resource.name)
        return None if more is None else {**resource.properties, **more}

    def analyze(self, resource: Analyzed, /) -> list[Violation]:
        if self.fails:
            raise PolicyPackError("A policy could not run: it crashed")
        with self.guard:
            assert resource.urn not in self.seen, "judged twice"
            self.seen[resource.urn] = resource
        objects = self.objects(resource)
        return [Violation("thing-good", self.level, f"{resource.name} is bad")] if objects else []

    def analyze_stack(self, resources: list[Analyzed], /) -> list[Violation]:
        self.stack = {resource.name: resource for resource in resources}
        return [Violation("stack-good", self.level, "all bad")] if self.objects_to_stack else []

    def of(self, type_: str) -> list[Analyzed]:
        return [item for item in self.seen.values() if item.type == type_]


def run(lab: Lab, judge: Judge, operation: str) -> Result:
    lab.events = []
    engine = Engine(
        Project.load(lab.folder),
        StackConfig.load(lab.folder, "dev"),
        lab.state_file,
        lab.provider,
        lab.events.append,
        analyzers=[judge],
    )
    return engine.up() if operation == "up" else engine.preview()


def bad(name: str) -> Callable[[Analyzed], bool]:
    return lambda item: item.name == name and item.type == "fake:index:Thing"


@pytest.fixture
def deployed(lab: Lab) -> Lab:
    lab.write(PROGRAM, config="fake:region: here")
    return lab


@pytest.mark.parametrize("operation", ["preview", "up"])
def test_every_registration_is_judged_after_the_check(deployed: Lab, operation: str) -> None:
    judge = Judge()
    assert run(deployed, judge, operation).ok
    kinds = sorted(item.type for item in judge.seen.values())
    assert kinds == [
        "demo:index:Box",
        "fake:index:Thing",
        "fake:index:Thing",
        "pulumi:providers:fake",
        "pulumi:pulumi:Stack",
    ]
    [provider] = judge.of("pulumi:providers:fake")
    assert provider.properties == {"region": "here"}
    assert provider.urn == "urn:pulumi:dev::demo::pulumi:providers:fake::default"
    first, second = sorted(judge.of("fake:index:Thing"), key=lambda item: item.name)
    assert first.properties["name"].startswith("first-")
    assert first.provider == provider
    assert first.parent == judge.stack["box"].urn
    assert second.property_dependencies["ref"] == (first.urn,)
    assert second.properties["ref"] == (UNKNOWN if operation == "preview" else first_arn(deployed))


def first_arn(lab: Lab) -> str:
    return next(item.outputs["arn"] for item in lab.state.resources if item.name == "first")


@pytest.mark.parametrize(("operation", "known"), [("preview", False), ("up", True)])
def test_the_stack_is_judged_by_its_outputs(deployed: Lab, operation: str, known: bool) -> None:
    judge = Judge()
    run(deployed, judge, operation)
    first, second = judge.stack["first"], judge.stack["second"]
    assert set(judge.stack) == {"demo-dev", "default", "box", "first", "second"}
    assert (first.properties["arn"] != UNKNOWN) is known
    assert (first.properties["id"] != UNKNOWN) is known
    assert first.properties["size"] == 1
    assert second.dependencies == (first.urn,)
    assert judge.stack["demo-dev"].properties == {"arn": second.properties["arn"]}


def test_a_preview_tells_all_violations_and_fails(deployed: Lab) -> None:
    judge = Judge(objects=lambda item: item.type == "fake:index:Thing", objects_to_stack=True)
    result = run(deployed, judge, "preview")
    assert not result.ok
    assert "2 mandatory policies are violated: stack-good, thing-good" in str(result.error)
    told = [(item.severity, item.message, item.urn.rpartition("::")[2]) for item in result.diagnostics]
    assert sorted(told) == [
        (Severity.ERROR, "all bad", "demo-dev"),
        (Severity.ERROR, "first is bad", "first"),
        (Severity.ERROR, "second is bad", "second"),
    ]
    assert {item.policy for item in result.violations} == {"thing-good", "stack-good"}


def test_an_up_does_not_touch_what_is_forbidden(deployed: Lab) -> None:
    result = run(deployed, Judge(objects=bad("second")), "up")
    assert not result.ok
    assert "fake:index:Thing 'second': a mandatory policy is violated: thing-good: second is bad" in str(
        result.error
    )
    assert deployed.provider.named("create") == ["first"]


def test_a_forbidden_update_and_replacement_are_not_made(deployed: Lab) -> None:
    assert run(deployed, Judge(), "up").ok
    deployed.write(PROGRAM.replace("size=1", "size=3").replace("size=2", "size=2, kind='new'"))
    deployed.provider.calls.clear()
    assert not run(deployed, Judge(objects=lambda item: item.type == "fake:index:Thing"), "up").ok
    assert deployed.provider.calls == []


def test_a_replaced_resource_is_judged_once(deployed: Lab) -> None:
    run(deployed, Judge(), "up")
    deployed.write(PROGRAM.replace("size=2", "size=2, kind='new'"))
    judge = Judge()
    result = run(deployed, judge, "up")
    assert result.ok
    assert result.changes["replace"] == 1
    assert [item.name for item in judge.stack.values()].count("second") == 1


def test_a_stack_violation_at_up_is_told_after_the_fact(deployed: Lab) -> None:
    result = run(deployed, Judge(objects_to_stack=True), "up")
    assert not result.ok
    assert deployed.provider.named("create") == ["first", "second"]
    assert result.outputs["arn"] == deployed.state.outputs["arn"]


def test_an_advisory_violation_is_told_and_does_not_stop(deployed: Lab) -> None:
    judge = Judge(objects=bad("first"), objects_to_stack=True, level=Level.ADVISORY)
    result = run(deployed, judge, "up")
    assert result.ok
    assert [item.severity for item in result.diagnostics] == [Severity.WARNING, Severity.WARNING]


@pytest.mark.parametrize("operation", ["preview", "up"])
def test_a_policy_that_could_not_run_is_a_failure(deployed: Lab, operation: str) -> None:
    result = run(deployed, Judge(fails=True), operation)
    assert not result.ok
    assert "could not run: it crashed" in str(result.error)
    assert deployed.provider.calls == []


def test_remediated_inputs_are_what_is_created(deployed: Lab) -> None:
    judge = Judge(better={"first": {"size": 7}})
    assert run(deployed, judge, "up").ok
    assert deployed.live("first")["size"] == 7
    assert next(item for item in judge.seen.values() if item.name == "first").properties["size"] == 7


def test_what_the_program_looks_up_is_part_of_the_picture(lab: Lab) -> None:
    lab.write(PROGRAM)
    run(lab, Judge(), "up")
    there = lab.provider.cloud
    [name] = [name for name in there if name.startswith("first-")]
    lab.write(
        PROGRAM
        + f"""
class Found(pulumi.CustomResource):
    def __init__(self):
        super().__init__("fake:index:Thing", "found", {{"arn": None}}, Options(id="{name}"))
Found()
"""
    )
    judge = Judge()
    assert run(lab, judge, "preview").ok
    assert judge.stack["found"].properties["arn"] == f"arn:{name}"
    assert "found" not in {item.name for item in judge.seen.values()}


def test_violations_do_not_hide_the_programs_own_error(deployed: Lab) -> None:
    deployed.write(PROGRAM + "\nraise RuntimeError('my own mistake')\n")
    result = run(deployed, Judge(objects=bad("first")), "preview")
    assert "my own mistake" in str(result.error)
    assert [item.policy for item in result.violations] == ["thing-good"]


def test_a_violation_of_something_unknown_is_told_of_the_stack(deployed: Lab) -> None:
    class Astray(Judge):
        def analyze_stack(self, resources: list[Analyzed], /) -> list[Violation]:
            gone = f"{resources[0].urn}-gone"
            return [Violation("a", Level.ADVISORY, "b", gone)]

    [found] = run(deployed, Astray(), "preview").violations
    assert found.urn == "urn:pulumi:dev::demo::pulumi:pulumi:Stack::demo-dev"
