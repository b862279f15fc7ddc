"""The fleet of `tests/e2e/support/fleet`, up in the sandbox, and what a test does to it and sees of it."""

import json
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import BotoCoreError, ClientError

from selfheal.cli.operator.mode_override import Change, write_mode
from selfheal.cli.operator.requests import make_request, submit
from selfheal.functions.healer.ledger import Ledger
from selfheal.functions.healer.states import Verb
from selfheal.functions.shared.contract import Mode
from selfheal.sandbox.alarms import AlarmEvaluator
from selfheal.sandbox.clients import Clients
from selfheal.sandbox.emulator import Emulator
from selfheal.sandbox.provider.assets import make_zip
from tests.e2e.support.foreign_shop import ROOT, foreign_deployed
from tests.e2e.support.live_threads import Callers, Ear, every
from tests.e2e.support.platform import log_lines, wait_for

PROGRAM = Path(__file__).parent / "fleet"
PERSON = "arn:aws:iam::000000000000:user/ada"
WAKE_EVERY = 4.0
"""Seconds between two runs of a healer, beside those of its own: nothing here waits for the schedule."""


@dataclass
class Fleet:
    """The deployed fleet."""

    clients: Clients
    outputs: Mapping[str, Any]
    ear: Ear
    callers: Mapping[str, Callers]
    """By service."""

    def function(self, target: str) -> dict[str, Any]:
        """Return the configuration of a service's function."""
        return self.clients.get("lambda").get_function_configuration(
            FunctionName=self.outputs[f"function-{target}"]
        )

    def incident(self, target: str) -> dict[str, Any]:
        """Return the current or last incident of a service; empty if there never was one."""
        return self._item(target, f"target#{target}", "incident")

    def is_in(self, target: str, *statuses: str) -> bool:
        """Return whether the current incident is in one of these states."""
        return self.incident(target).get("status") in statuses

    def reasons(self, target: str) -> list[str]:
        """Return the reasons of all transitions of the current incident."""
        return [line["reason"] for line in self.incident(target).get("history", ())]

    def override(self, target: str, key: str = "FEATURE") -> tuple[str | None, int]:
        """Return what a service is told to use, and how often that was written."""
        item = self._item(target, f"override#{target}", key)
        return item.get("value"), item.get("version", 0)

    def clear_override(self, target: str) -> None:
        """Put the baseline back by hand, as someone does who takes the cause for mended."""
        key = {"pk": {"S": f"override#{target}"}, "sk": {"S": "FEATURE"}}
        self.clients.get("dynamodb").update_item(
            TableName=self.outputs[f"ledger-{target}"],
            Key=key,
            UpdateExpression="REMOVE #value ADD version :one",
            ExpressionAttributeNames={"#value": "value"},
            ExpressionAttributeValues={":one": {"N": "1"}},
        )

    def ask(self, verb: Verb, target: str, plan: str | None = None) -> None:
        """Ask something of the healer, as `selfheal approve` and `selfheal release` do."""
        dynamodb, table = self.clients.get("dynamodb"), self.outputs[f"ledger-{target}"]
        incident, now = Ledger(dynamodb, table).read(target), datetime.now(UTC)
        assert incident is not None
        request = make_request(verb, incident.id, PERSON, "seen in a test", now, plan=plan)
        submit(dynamodb, table, request, incident, now)

    def set_mode(self, target: str, mode: Mode | None) -> None:
        """Override the mode of a service's healer as `selfheal mode` does; None clears the override."""
        change = Change(mode, PERSON, "seen in a test", clear=mode is None)
        table = self.outputs[f"ledger-{target}"]
        write_mode(self.clients.get("dynamodb"), table, change, datetime.now(UTC))

    def alarm(self, target: str) -> dict[str, Any]:
        """Return the fast alarm of a service."""
        pages = self.clients.get("cloudwatch").get_paginator("describe_alarms").paginate()
        alarms = [alarm for page in pages for alarm in page["MetricAlarms"]]
        return next(alarm for alarm in alarms if f"-{target}-fast" in alarm["AlarmName"])

    def spoil_alarm(self, target: str) -> Callable[[], None]:
        """Make the fast alarm ring however well the service is: its threshold becomes no errors at all.

        What it returns mends it again.
        """
        alarm = self.alarm(target)
        kept = ("AlarmName", "AlarmActions", "OKActions", "Metrics", "EvaluationPeriods", "TreatMissingData")
        judged = ("Threshold", "ComparisonOperator")
        put = self.clients.get("cloudwatch").put_metric_alarm
        before = {key: alarm[key] for key in (*kept, *judged)}
        put(**before | {"Threshold": 0.0, "ComparisonOperator": "GreaterThanOrEqualToThreshold"})
        return lambda: put(**before)

    def copy_healer(self, healer: str, *, skew: int = 0, pause: int = 0) -> str:
        """Deploy a healer once more, on a machine whose clock is off or whose act takes long."""
        lambda_, name = self.clients.get("lambda"), f"{healer}-{skew}-{pause}"
        given = lambda_.get_function_configuration(FunctionName=self.outputs[f"healer-{healer}"])
        other = {"SKEW_SECONDS": str(skew), "PAUSE_SECONDS": str(pause)}
        files = [path for path in (ROOT / "functions").rglob("*") if path.suffix in (".py", ".json")]
        code = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in files}
        code["other_machine.py"] = (PROGRAM / "other_machine.py").read_bytes()
        lambda_.create_function(
            FunctionName=name,
            Runtime=given["Runtime"],
            Role=given["Role"],
            Handler="other_machine.handle",
            Code={"ZipFile": make_zip(code)},
            Timeout=60,
            Environment={"Variables": given["Environment"]["Variables"] | other},
        )
        lambda_.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        return name

    def wake(self, function: str) -> None:
        """Run a healer, unless another run of it is under way."""
        with suppress(BotoCoreError, ClientError):
            self.clients.get("lambda").invoke(FunctionName=function, Payload=b'{"wake": "operator"}')

    def wait_for(self, target: str, what: str, condition: Callable[[], bool]) -> None:
        """Wait until a condition holds, or fail with the target's story."""
        wait_for(f"{target}: {what}", condition, lambda: self.story(target))

    def story(self, target: str) -> str:
        """Return what the healer decided about a service and where that stands, to explain a failure."""
        decisions = [
            line for line in self._log() if line.get("target") == target and line.get("message") == "decision"
        ]
        lines: list[str] = []
        for before, line in zip([{}, *decisions], decisions, strict=False):
            if line["reason"] != before.get("reason"):
                lines.append(f"{line['time']} {line['reason']}")
        changes = [f"{key}: {self.override(target, key)}" for key in ("FEATURE", "CACHE")]
        return "\n".join([*lines, *changes, str(self.ear.subjects(target)), str(self.incident(target))])

    def _log(self) -> list[dict[str, Any]]:
        """Return what the healers logged, in the order of time."""
        return [json.loads(line) for line in log_lines(self.clients) if line.startswith('{"level"')]

    def _item(self, target: str, pk: str, sk: str) -> dict[str, Any]:
        table, key = self.outputs[f"ledger-{target}"], {"pk": {"S": pk}, "sk": {"S": sk}}
        found = self.clients.get("dynamodb").get_item(TableName=table, Key=key, ConsistentRead=True)
        return TypeDeserializer().deserialize({"M": found.get("Item", {})})


@contextmanager
def fleet_up(folder: Path) -> Generator[Fleet]:
    """Deploy the fleet, with callers and runs of its healers, and take everything down at the end."""
    with Emulator.start(folder / "emulator") as emulator, ExitStack() as running:
        clients = Clients(emulator.endpoint, emulator.region, emulator.credentials)
        outputs = foreign_deployed(folder / "fleet", clients, PROGRAM)
        of = {kind: _named(outputs, kind) for kind in ("function", "healer", "people")}
        callers = {name: Callers(clients.get("lambda"), given) for name, given in of["function"].items()}
        ear = Ear(clients, list(of["people"].values()))
        fleet = Fleet(clients, outputs, ear, callers)
        running.enter_context(AlarmEvaluator(emulator.endpoint, emulator.region, emulator.credentials))
        for each in callers.values():
            running.enter_context(every(1.0, each.call))
        for healer in of["healer"].values():
            running.enter_context(every(WAKE_EVERY, partial(fleet.wake, healer)))
        running.enter_context(every(1.0, ear.hear))
        yield fleet


def _named(outputs: Mapping[str, Any], kind: str) -> dict[str, str]:
    """Return the outputs of one kind by what they are of."""
    prefix = f"{kind}-"
    return {key.removeprefix(prefix): text for key, text in outputs.items() if key.startswith(prefix)}
