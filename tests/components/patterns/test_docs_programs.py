"""docs/patterns.md: every program runs, every handler loads in the environment that its program gives it."""

import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.components.patterns.support.extension import INVOKES
from tests.conftest import ROOT
from tests.support.pulumi_mocks import Deployment, Registration, deploy

pytestmark = pytest.mark.slow

TEXT = (ROOT / "docs" / "patterns.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# ([\w/]+\.py)\n")
_PAGE = re.compile(r"^```html\n<!-- ([\w/]+\.html) -->\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ALARM = re.compile(r"^\| `([\w<>-]+)` \|", re.MULTILINE)
CONFIG = {"selfheal:callers": '{"ann": "' + "a" * 32 + '"}', "selfheal:apiId": "a1b2c3d4"}
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"

COMPONENTS = {
    "StorageFirstApi": ("StorageFirstApi",),
    "StaticSite": ("StaticSite",),
    "LevelledQueue": ("LevelledQueue",),
    "FanOut": ("FanOut",),
    "RetryWorkflow": ("RetryWorkflow",),
    "DeadLetters": ("DeadLetters",),
    "Circuit and CircuitBreaker": ("Circuit", "CircuitBreaker"),
    "StreamConsumer": ("StreamConsumer",),
    "ConfigurationCache": (),
    "Downstream and AuroraDownstream": ("Downstream", "AuroraDownstream"),
    "FaultInjection and ChaosExperiment": ("FaultInjection", "ChaosExperiment"),
    "OnCall": ("OnCall",),
}
"""Components that a section's programs register."""


@dataclass(frozen=True)
class Section:
    """What a section shows."""

    text: str
    programs: list[str] = field(default_factory=list[str])
    handlers: dict[str, str] = field(default_factory=dict[str, str])
    """Text by path."""


def sections() -> dict[str, Section]:
    """Return the page's sections by heading."""
    found: dict[str, Section] = {}
    for part in TEXT.split("\n## ")[1:]:
        heading, _, text = part.partition("\n")
        section = found[heading] = Section(text)
        for block in _BLOCK.findall(text):
            if file := _FILE.match(block):
                section.handlers[file[1]] = block
            else:
                section.programs.append(block)
    return found


SECTIONS = sections()


def run(
    section: Section, folder: Path, monkeypatch: pytest.MonkeyPatch, *, preview: bool
) -> list[Deployment]:
    """Run a section's programs in a folder that holds its handlers."""
    for path, text in [*section.handlers.items(), *_PAGE.findall(section.text)]:
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    monkeypatch.chdir(folder)

    def run_one(text: str) -> Deployment:
        def program() -> None:
            exec(compile(text, "docs/patterns.md", "exec"), {"__name__": "__main__"})

        return deploy(program, config=CONFIG, preview=preview, invokes=INVOKES)

    return [run_one(text) for text in section.programs]


def test_every_pattern_has_a_section_and_every_block_is_in_one() -> None:
    assert set(SECTIONS) == set(COMPONENTS)
    assert all(section.programs for section in SECTIONS.values())
    blocks = sum(len(each.programs) + len(each.handlers) for each in SECTIONS.values())
    assert blocks == TEXT.count("```python")


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize("heading", SECTIONS)
def test_a_program_registers_what_its_section_is_about(
    heading: str, preview: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployments = run(SECTIONS[heading], tmp_path, monkeypatch, preview=preview)
    types = {each.type for deployment in deployments for each in deployment.resources}
    assert {f"selfheal:index:{name}" for name in COMPONENTS[heading]} <= types


@pytest.mark.parametrize("heading", SECTIONS)
def test_a_section_names_the_alarms_that_its_component_makes(
    heading: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: set[str] = set()
    for deployment in run(SECTIONS[heading], tmp_path, monkeypatch, preview=False):
        owners = {each.urn: each for each in deployment.resources}
        for each in deployment.of(ALARM):
            owner = owners[each.parent]
            if owner.type.rpartition(":")[2] in COMPONENTS[heading]:
                made.add(suffix(heading, each, owner))
    _, _, table = SECTIONS[heading].text.partition(f"| {heading.rpartition(' ')[2]} alarm |")
    assert set(_ALARM.findall(table.partition("\n\n")[0])) == made


def suffix(heading: str, alarm: Registration, owner: Registration) -> str:
    """Return what an alarm's name adds to its component's."""
    rest = alarm.name.removeprefix(f"{owner.name}-")
    return re.sub(r"^\w+-", "<subscriber>-", rest) if heading == "FanOut" else rest


HANDLERS = [(heading, path) for heading, section in SECTIONS.items() for path in section.handlers]


class Client:
    """Any boto3 client: at the start only parameters are read."""

    def get_parameters(self, **asked: Any) -> dict[str, Any]:
        """Return each of them."""
        return {"Parameters": [{"Name": name, "Value": "book"} for name in asked["Names"]]}


@pytest.mark.parametrize(
    ("heading", "path"), HANDLERS, ids=[f"{heading}:{path}" for heading, path in HANDLERS]
)
def test_a_handler_loads_in_the_environment_that_its_program_gives_it(
    heading: str, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = SECTIONS[heading]
    module = Path(path).stem
    deployments = run(section, tmp_path, monkeypatch, preview=False)
    functions = [
        each
        for deployment in deployments
        for each in deployment.of("aws:lambda/function:Function")
        if each.inputs["handler"] == f"{module}.handle"
    ]
    assert functions, f"no program of the section runs {path}"
    clients: list[str] = []

    def client(service: str, **_: Any) -> Client:
        clients.append(service)
        return Client()

    monkeypatch.setattr(boto3, "client", client)
    monkeypatch.setattr(os, "environ", dict(functions[0].inputs["environment"]["variables"]))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    loaded: dict[str, Any] = {"__name__": module}
    exec(compile(section.handlers[path], path, "exec"), loaded)
    assert callable(loaded["handle"])
    assert ("connect" in section.handlers[path]) == bool(clients)
