"""Throwaway Pulumi projects, and an engine on a fake cloud to run them."""

import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.events import Event, Status
from sandbox.engine.project import Project
from sandbox.engine.stack_config import StackConfig
from sandbox.engine.state import State
from sandbox.engine.state_file import StateFile
from tests.support.engine_fake import FakeProvider

PRELUDE = """
import pulumi

class Thing(pulumi.CustomResource):
    arn: pulumi.Output[str]
    size: pulumi.Output[int]

    def __init__(self, logical, type_="fake:index:Thing", opts=None, **props):
        super().__init__(type_, logical, {"arn": None, "size": None, "name": None, **props}, opts)

class Box(pulumi.ComponentResource):
    def __init__(self, name, opts=None):
        super().__init__("demo:index:Box", name, {}, opts)

Options = pulumi.ResourceOptions
"""


@dataclass
class Lab:
    """One project in a folder, its state, its fake cloud, and what the engine told."""

    folder: Path
    provider: FakeProvider = field(default_factory=FakeProvider)
    events: list[Event] = field(default_factory=list[Event])

    def write(self, program: str, settings: str = "", config: str = "") -> None:
        """Write the program (after PRELUDE), more of Pulumi.yaml, and the stack's configuration."""
        self.folder.mkdir(exist_ok=True)
        (self.folder / "__main__.py").write_text(PRELUDE + textwrap.dedent(program))
        (self.folder / "Pulumi.yaml").write_text("name: demo\nruntime: python\n" + textwrap.dedent(settings))
        (self.folder / "Pulumi.dev.yaml").write_text("config:\n" + textwrap.indent(config, "  "))

    @property
    def state_file(self) -> StateFile:
        return StateFile(self.folder / "state" / "state.json")

    @property
    def state(self) -> State:
        return self.state_file.load("demo", "dev")

    @property
    def engine(self) -> Engine:
        """A new engine, as each command makes one; `events` then holds that operation's only."""
        self.events = []
        return Engine(
            Project.load(self.folder),
            StackConfig.load(self.folder, "dev"),
            self.state_file,
            self.provider,
            self.events.append,
        )

    def happened(self, op: str, status: Status = Status.DONE) -> list[str]:
        """Return the names of the resources that went through `op`, in order."""
        return [event.name for event in self.events if (event.op, event.status) == (op, status)]

    def live(self, logical: str) -> dict[str, Any]:
        """Return the properties of the only live resource with this logical name."""
        [found] = [value for name, value in self.provider.cloud.items() if name.rsplit("-", 1)[0] == logical]
        return found
