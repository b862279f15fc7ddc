"""One target and its healer, on fakes."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from selfheal.functions.healer.aws import Aws
from selfheal.functions.healer.clock import iso
from selfheal.functions.healer.decide import decide
from selfheal.functions.healer.execute import execute
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.incident_fields import Plan
from selfheal.functions.healer.ledger import Ledger
from selfheal.functions.healer.observation import Decision, Observation
from selfheal.functions.healer.observe import Setup, observe, read_alarms
from selfheal.functions.healer.readings import Request
from selfheal.functions.healer.states import Effect, Reason, Status, Verb
from selfheal.functions.healer.target import AlarmRule, Remedy, Target
from selfheal.functions.shared.contract import SERIES, AlarmKind, Limits, Mode, incident_key
from tests.functions.support.faults import aws_error
from tests.functions.support.memory_table import MemoryTable
from tests.functions.support.remedy_fakes import RemedyLambda

START = datetime(2026, 11, 21, 9, 40, tzinfo=UTC)
FAST = AlarmRule("fast", AlarmKind.FAST, 10, 1, 6, 0.05)
BACKSTOP = AlarmRule("backstop", AlarmKind.BACKSTOP, 60, 3, 6, 0.05)
REMEDY = Remedy("environment", "FAILURE_RATE", "0")
TOPIC = "arn:aws:sns:us-east-1:000000000000:healer"
OPERATOR = "arn:aws:iam::000000000000:user/operator"
TARGET = Target("shop", "shop-fn", 0.001, (FAST, BACKSTOP), (REMEDY,), timeout=3)
FAST_TARGET = replace(TARGET, alarms=(FAST,))
"""For tests that run many incidents to their end: Lambda's metrics say the same, minutes later."""


@dataclass
class FakeCloudWatch:
    """Alarm states, and metrics as (namespace, name) -> moment -> value."""

    states: dict[str, str]
    since: dict[str, datetime]
    metrics: dict[tuple[str, str], dict[datetime, float]] = field(default_factory=dict)
    status_code: str = "Complete"
    more: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """More of an alarm by its name, as CloudWatch would describe it."""
    now: Callable[[], datetime] = lambda: START
    """Its clock: it answers with nothing to a start more than 3 h ago and a period of less than a minute."""

    def set(self, alarm: str, state: str, now: datetime) -> None:
        self.states[alarm], self.since[alarm] = state, now

    def put(self, start: datetime, requests: int, errors: int, rule: AlarmRule = FAST) -> None:
        series = SERIES[rule.kind]
        for name, value in ((series.requests[0], requests), (series.errors[0], errors)):
            self.metrics.setdefault((series.namespace, name), {})[start] = value

    def add(self, start: datetime, requests: int, errors: int) -> None:
        """Count calls as Lambda does: in the minute in which they began."""
        minute = start.replace(second=0, microsecond=0)
        for name, value in (("Invocations", requests), ("Errors", errors)):
            points = self.metrics.setdefault(("AWS/Lambda", name), {})
            points[minute] = points.get(minute, 0) + value

    def forget(self, age: timedelta) -> None:
        """Forget old datapoints, so that a long test takes no longer than many short ones."""
        for points in self.metrics.values():
            for start in [start for start in points if start < self.now() - age]:
                del points[start]

    def get_paginator(self, operation: str) -> Any:
        answer = getattr(self, f"_{operation}")
        return SimpleNamespace(paginate=lambda **arguments: iter([answer(**arguments)]))

    def _describe_alarms(self, AlarmNames: list[str], AlarmTypes: list[str]) -> dict[str, Any]:
        assert AlarmTypes == ["MetricAlarm"]
        found = [
            {
                "AlarmName": name,
                "StateValue": self.states[name],
                "StateUpdatedTimestamp": self.since[name],
                "StateTransitionedTimestamp": self.since[name],
                **self.more.get(name, {}),
            }
            for name in AlarmNames
            if name in self.states
        ]
        return {"MetricAlarms": found}

    def _get_metric_data(
        self, MetricDataQueries: list[dict[str, Any]], StartTime: datetime, EndTime: datetime
    ) -> dict[str, Any]:
        results: list[dict[str, Any]] = []
        for query in MetricDataQueries:
            metric, period = query["MetricStat"]["Metric"], query["MetricStat"]["Period"]
            if period < 60 and self.now() - StartTime > timedelta(hours=3):
                results.append({"Id": query["Id"], "StatusCode": "Complete", "Timestamps": [], "Values": []})
                continue
            points = self.metrics.get((metric["Namespace"], metric["MetricName"]), {})
            chosen = sorted([(at, value) for at, value in points.items() if StartTime <= at < EndTime])
            results.append(
                {
                    "Id": query["Id"],
                    "StatusCode": self.status_code,
                    "Timestamps": [at for at, _ in chosen],
                    "Values": [value for _, value in chosen],
                }
            )
        return {"MetricDataResults": results}


@dataclass
class FakeSns:
    """What people were told. It refuses what SNS refuses (API reference, Publish)."""

    sent: list[dict[str, str]] = field(default_factory=list)
    """The mails: subject and message."""
    forms: list[dict[str, str]] = field(default_factory=list)
    """The same notices, in the form of each protocol."""
    failing: bool = False

    def publish(self, *, TopicArn: str, Subject: str, Message: str, MessageStructure: str) -> None:
        if self.failing:
            raise aws_error("InternalError", "Publish")
        assert (TopicArn, MessageStructure) == ("people", "json")
        assert Subject.isascii()
        assert Subject.isprintable()
        assert 0 < len(Subject) < 100
        assert len(Message.encode()) <= 256 * 1024
        forms = json.loads(Message)
        assert "default" in forms
        assert {type(form) for form in forms.values()} == {str}
        self.forms.append(forms)
        self.sent.append({"Subject": Subject, "Message": forms["email"]})


class World:
    """One target and its healer, with a clock that the test moves."""

    def __init__(self, target: Target = TARGET, mode: Mode = Mode.ACT, table: Any = None) -> None:
        self.target, self.mode, self.now = target, mode, START
        self.dynamodb = table or MemoryTable()
        self.book = Ledger(self.dynamodb, "ledger")
        """The ledger, for the test."""
        arn = f"arn:aws:lambda:us-east-1:000000000000:function:{target.function}"
        self.function, self.sns = RemedyLambda(target.function, fed=arn), FakeSns()
        names = [rule.name for rule in target.alarms]
        self.cloudwatch = FakeCloudWatch(dict.fromkeys(names, "OK"), dict.fromkeys(names, START))
        self.cloudwatch.now = self.clock
        self.limits, self.fleet_size = Limits(), 1
        self.aws = self.connect()
        self._read: tuple[Any, Incident | None] = None, None

    def connect(self) -> Aws:
        """Make the healer's clients."""
        ledger, table = Ledger(self.dynamodb, "ledger"), self.dynamodb
        return Aws(self.cloudwatch, self.function, self.sns, ledger, "people", table, "ledger", self.function)

    @property
    def last(self) -> Incident | None:
        """The current or last incident, if there ever was one."""
        key = incident_key(self.target.name)
        stored = getattr(self.dynamodb, "items", {}).get((key["pk"]["S"], key["sk"]["S"]))
        # Items in memory are replaced, never changed: reading one again takes longer than the healer's run.
        if stored is None or stored is not self._read[0]:
            self._read = stored, self.book.read(self.target.name)
        return self._read[1]

    @property
    def incident(self) -> Incident:
        incident = self.last
        assert incident is not None
        return incident

    @property
    def standing(self) -> list[str]:
        """The settings that the ledger records as changed by the healer."""
        return [str(each.plan.key) for each in self.incident.standing]

    @property
    def reasons(self) -> list[str]:
        """The reasons of all transitions of the incident."""
        return [line.reason for line in self.incident.history]

    @property
    def statuses(self) -> list[str]:
        """The statuses that the incident moved to."""
        return [line.to for line in self.incident.history]

    def live(self) -> dict[str, str | None]:
        """What the target's remedies set, as it is."""
        return {str(remedy.setting): self._value(remedy.kind, remedy.name) for remedy in self.target.remedies}

    def _value(self, kind: str, name: str) -> str | None:
        function = self.function
        match kind:
            case "environment":
                return function.variables.get(name)
            case "override":
                item = self.dynamodb.items.get((f"override#{self.target.name}", name), {})
                return item.get("value", {}).get("S")
            case "rollback_alias":
                return function.alias["FunctionVersion"] if function.alias else None
            case "limit_concurrency":
                return None if function.reserved is None else str(function.reserved)
            case "force_breaker":
                item = self.dynamodb.items.get((f"breaker#{name}", "breaker"), {})
                forced = item.get("forced", {}).get("M", {})
                return forced["state"]["S"] if forced else None
            case _:
                return "Enabled" if function.mapping in ("Enabled", "Enabling") else "Disabled"

    def clock(self) -> datetime:
        return self.now

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def traffic(self, requests: int, errors: int, seconds: int = 10) -> None:
        """Let time pass in whole fast periods, each with so many requests and errors."""
        for _ in range(seconds // 10):
            self.cloudwatch.put(self.now, requests, errors)
            self.cloudwatch.add(self.now, requests, errors)
            self.pass_time(10)

    def break_down(self) -> None:
        """Fail for a period, and let the fast alarm see it."""
        self.traffic(100, 30)
        self.cloudwatch.set("fast", "ALARM", self.now)

    def act(self) -> Decision:
        """Break down, and run the healer once."""
        self.break_down()
        return self.step()

    def keep_failing(self, seconds: int = 30) -> None:
        """Let the last change settle, and go on failing."""
        self._settle()
        self.traffic(100, 30, seconds)
        self.pass_time(2)

    def be_well(self, seconds: int = 200) -> None:
        """Clear the alarm, let the last change settle, and serve without errors until that has become known.

        Lambda's metrics take the longest: SETTLE, the rest of a minute, a minute, and then as long as they
        may be late.
        """
        self.cloudwatch.set("fast", "OK", self.now)
        self._settle()
        self.traffic(100, 0, seconds)
        self.pass_time(2)

    def heal(self) -> None:
        """Break down, act, and collect the evidence of recovery."""
        self.act()
        self.be_well()

    def align(self) -> None:
        """Let time pass to the next fast period, unless one begins now."""
        self.pass_time(-self.now.second % 10)

    def _settle(self) -> None:
        """Let a run see that the last change is carried out, and pass the time that it takes to be met."""
        last = self.last
        verifying = last is not None and last.status is Status.VERIFYING and last.settled_at is None
        if verifying and self.function.status == "Successful":
            self.step()
        self.pass_time(-self.now.second % 10 or 10)

    def step(self) -> Decision:
        """Run once."""
        seen = self.observe()
        decision = decide(seen)
        execute(seen, decision, self.aws, self.clock)
        return decision

    def observe(self) -> Observation:
        """Read what one run reads."""
        alarms = read_alarms(self.aws.cloudwatch, [rule.name for rule in self.target.alarms])
        setup = Setup(self.mode, self.aws.ledger.read_mode(), self.limits, self.fleet_size)
        return observe(self.target, setup, alarms, self.aws, self.now)

    def ask(self, verb: Verb, plan: str | None = None, minutes: float = 30, incident: str = "") -> Request:
        """A person asks for something, as the command line writes it."""
        kind = "approval" if verb is Verb.APPROVE else "command"
        until = iso(self.now + timedelta(minutes=minutes))
        wanted = incident or self.incident.id
        request = Request(uuid4().hex, verb, wanted, OPERATOR, iso(self.now), until, "a test", plan)
        item = {key: {"S": str(value)} for key, value in asdict(request).items() if value is not None}
        item |= {"pk": {"S": f"{kind}#{self.target.name}"}, "sk": {"S": kind}, "schema": {"N": "2"}}
        self.dynamodb.put_item(TableName="ledger", Item=item)
        return request

    def set_mode(self, mode: Mode | None, version: int = 1) -> None:
        """An operator overrides the mode, or clears the override."""
        item = {"pk": {"S": "mode"}, "sk": {"S": "override"}, "version": {"N": str(version)}}
        item |= {"by": {"S": OPERATOR}, "why": {"S": "a test"}, "at": {"S": iso(self.now)}}
        item |= {"mode": {"S": mode.value}} if mode else {}
        self.dynamodb.put_item(TableName="ledger", Item=item)

    def forge_intent(self) -> Plan:
        """Make the ledger intend to revert a change of a variable that no remedy sets."""
        incident = self.incident
        assert incident.plan is not None
        plan = replace(incident.plan, setting="OTHER", before="evil", after="kept")
        forged = replace(incident, version=incident.version + 1, status=Status.ACTING, plan=plan, token="")
        forged = replace(forged, effect=Effect.REVERT, purpose=Reason.ROLLED_BACK)
        self.book.write(None, incident, forged)
        return plan

    def open_targets(self) -> frozenset[str]:
        """Return the targets that `up` would be refused for."""
        return self.book.read_fleet().blocking

    def everything_written(self) -> str:
        """Return all that left the healer: ledger items and messages."""
        return f"{self.dynamodb.items} {self.sns.sent} {iso(self.now)}"
