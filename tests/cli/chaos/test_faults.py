"""How faults are made and undone: the switch on a table, FIS and the emulator's faults as they answer."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from selfheal.cli.chaos import faults, fis, undo
from selfheal.cli.chaos.faults import Kill, Switch, Throttle
from selfheal.cli.chaos.fis import START_SECONDS, Experiment, seconds_of
from selfheal.cli.chaos.record import Undo
from selfheal.cli.chaos.undo import LIVE, SEEN_SECONDS, undo_all
from selfheal.cli.errors import CliError
from selfheal.functions.downstream.core import Mode, Setting, parse_switch
from selfheal.functions.downstream.store import SETTING_KEY, Store, setting_item
from selfheal.scenarios.faults import (
    DownstreamFault,
    FunctionAction,
    FunctionFault,
    KillFault,
    ThrottleFault,
)
from tests.cli.support import TABLE as ANY_TABLE

TABLE = ANY_TABLE
BASELINE = Setting(rate=20, burst=12)


class OneClient:
    """Hands out one client, whatever is asked for."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def get(self, service: str) -> Any:
        assert service
        return self.client


def silent(_text: str) -> None: ...


@pytest.fixture
def switch(dynamodb: Any) -> Switch:
    fault = DownstreamFault("latency", seconds=3)
    return Switch(dynamodb, TABLE, fault, round(time.time() + 60, 3))


def live(dynamodb: Any, at: float) -> Setting:
    """How the downstream behaves at a moment."""
    return parse_switch(Store(dynamodb, TABLE).setting(), BASELINE).at(at, BASELINE)


@pytest.mark.slow
def test_the_switch_breaks_what_it_says_and_nothing_else_and_ends_by_itself(
    switch: Switch, dynamodb: Any
) -> None:
    assert switch.problem() == ""
    switch.make()
    # The rate stays the stack's: a switch that raised it would be another experiment.
    assert live(dynamodb, switch.until - 1) == Setting(mode=Mode.LATENCY, seconds=3, rate=20, burst=12)
    assert live(dynamodb, switch.until) == BASELINE
    assert switch.keep() == ""
    assert "ended by itself" in replace(switch, until=time.time() - 0.1).keep()


@pytest.mark.slow
def test_the_switch_is_undone_once_or_twice_or_before_it_was_made(switch: Switch, dynamodb: Any) -> None:
    undo_all(switch.undo, OneClient(dynamodb), silent)
    switch.make()
    for _ in range(2):
        undo_all(switch.undo, OneClient(dynamodb), silent)
        assert Store(dynamodb, TABLE).setting() == {}


@pytest.mark.slow
def test_what_somebody_else_switched_is_left_alone(switch: Switch, dynamodb: Any) -> None:
    theirs = setting_item(Setting(mode=Mode.OUTAGE), time.time() + 500)
    dynamodb.put_item(TableName=TABLE, Item=theirs)
    assert "switched already (outage)" in switch.problem()
    with pytest.raises(CliError, match="switched the downstream meanwhile"):
        switch.make()
    undo_all(switch.undo, OneClient(dynamodb), silent)
    assert dynamodb.get_item(TableName=TABLE, Key=SETTING_KEY)["Item"] == theirs


@pytest.mark.slow
def test_a_switch_that_has_ended_by_itself_is_in_nobodys_way(switch: Switch, dynamodb: Any) -> None:
    dynamodb.put_item(TableName=TABLE, Item=setting_item(Setting(mode=Mode.OUTAGE), time.time() - 1))
    assert switch.problem() == ""
    switch.make()
    assert live(dynamodb, time.time()).mode is Mode.LATENCY


@pytest.mark.slow
def test_one_that_cannot_be_undone_is_told_and_the_rest_is_undone(switch: Switch, dynamodb: Any) -> None:
    switch.make()
    lost = Undo("switch", {"table": "no-such-table", "until": "1.0"})
    later = Undo("of a later version", {})
    with pytest.raises(CliError, match=r"Not undone: .*no-such-table.*of a later version.*chaos stop"):
        undo_all((lost, later, *switch.undo), OneClient(dynamodb), silent)
    assert Store(dynamodb, TABLE).setting() == {}


BILLING = "arn:aws:lambda:us-east-1:123456789012:function:billing-fn"


class FakeFis:
    """FIS with one template: experiments go through states as they are looked at."""

    def __init__(
        self,
        *,
        percent: str = "20",
        duration: str = "PT1M",
        prevent: str = "true",
        action: str = "aws:lambda:invocation-error",
        target: dict[str, Any] = {"resourceArns": [BILLING]},  # noqa: B006 - never changed
        besides: dict[str, Any] = {},  # noqa: B006 - never changed
        states: tuple[str, ...] = (),
    ) -> None:
        given = {"invocationPercentage": percent, "duration": duration, "preventExecution": prevent}
        self.template = {
            "actions": {"fault": {"actionId": action, "parameters": given}, **besides},
            "targets": {"function": target},
        }
        self.states = list(states) or ["running"]
        self.experiments: dict[str, dict[str, Any]] = {}
        self.stopped: list[str] = []

    def get_experiment_template(self, **_given: str) -> Any:
        return {"experimentTemplate": self.template}

    def start_experiment(self, *, clientToken: str, experimentTemplateId: str, tags: dict[str, str]) -> Any:
        assert experimentTemplateId == "EXT1"
        made = {"id": f"EXP{len(self.experiments)}", "tags": tags, "state": {"status": "pending"}}
        return {"experiment": self.experiments.setdefault(clientToken, made)}

    def get_experiment(self, *, id: str) -> Any:  # noqa: A002 - boto3's name
        found = next(each for each in self.experiments.values() if each["id"] == id)
        found["state"] = {"status": self.states.pop(0) if len(self.states) > 1 else self.states[0]}
        return {"experiment": found}

    def get_paginator(self, name: str) -> Any:
        assert name == "list_experiments"
        return self

    def paginate(self, *, experimentTemplateId: str) -> Any:
        assert experimentTemplateId == "EXT1"
        return [{"experiments": list(self.experiments.values())}]

    def stop_experiment(self, *, id: str) -> None:  # noqa: A002 - boto3's name
        self.stopped.append(id)
        for each in self.experiments.values():
            if each["id"] == id:
                if each["state"]["status"] not in LIVE:
                    raise ClientError({"Error": {"Code": "ValidationException", "Message": "over"}}, "Stop")
                each["state"] = {"status": "stopped"}


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 100.0
        self.wakes: Callable[[], object] = lambda: None

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.wakes()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (faults, fis, undo):
        monkeypatch.setattr(module, "time", clock)
    return clock


def experiment(fis: FakeFis, run_id: str = "run-1") -> Experiment:
    fault = FunctionFault("billing", FunctionAction.ERROR, 20)
    return Experiment(fis, "EXT1", fault, "billing-fn", 60, run_id)


def test_an_experiment_is_started_once_and_waited_for() -> None:
    fis = FakeFis(states=("initiating", "running"))
    made = experiment(fis)
    made.make()
    assert [made.begun(), made.begun()] == [False, True]
    assert (made.id, made.keep()) == ("EXP0", "")
    assert "experiment EXP0" in made.how
    experiment(fis).make()  # the same run: a retried call is the same experiment
    assert len(fis.experiments) == 1


def test_an_experiment_that_does_not_run_is_an_error(clock: Clock) -> None:
    failed, slow = experiment(FakeFis(states=("failed",))), experiment(FakeFis(states=("pending",)))
    failed.make()
    with pytest.raises(CliError, match="did not run the experiment EXP0: failed"):
        failed.begun()
    slow.make()
    clock.sleep(START_SECONDS)
    assert not slow.begun()
    clock.sleep(1)
    with pytest.raises(CliError, match="has not begun the experiment EXP0 within 120 s"):
        slow.begun()


def test_a_stop_condition_ends_the_fault() -> None:
    fis = FakeFis(states=("running", "stopped"))
    made = experiment(fis)
    made.make()
    assert made.begun()
    assert made.keep() == "FIS ended the experiment: stopped"


@pytest.mark.usefixtures("clock")
def test_only_what_this_run_started_is_stopped() -> None:
    fis = FakeFis()
    experiment(fis, "run-1").make()
    experiment(fis, "run-2").make()
    undo_all(experiment(fis, "run-1").undo, OneClient(fis), silent)
    assert fis.stopped == ["EXP0"]
    undo_all(experiment(fis, "run-1").undo, OneClient(fis), silent)
    assert fis.stopped == ["EXP0"]
    assert fis.experiments["run-2"]["state"]["status"] == "pending"


def test_one_that_fis_lists_a_little_later_is_stopped_too(clock: Clock) -> None:
    """Its start was cut off, and FIS has taken it all the same."""
    fis, began = FakeFis(), clock.now

    def listed() -> None:
        if clock.now == began + SEEN_SECONDS - 1:
            experiment(fis).make()

    clock.wakes = listed
    undo_all(experiment(fis).undo, OneClient(fis), silent)
    assert fis.stopped == ["EXP0"]


def test_where_none_was_started_it_is_looked_for_a_few_seconds(clock: Clock) -> None:
    undo_all(experiment(FakeFis()).undo, OneClient(FakeFis()), silent)
    assert clock.now == 100 + SEEN_SECONDS


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({}, ""),
        ({"percent": "10"}, "breaks 10 % of the invocations and not 20 %"),
        ({"duration": "PT2M"}, "lasts PT2M and the scenario lasts 60 s"),
        ({"prevent": "false"}, "has preventExecution false and the scenario has preventExecution true"),
        (
            {"action": "aws:lambda:invocation-add-delay"},
            "does aws:lambda:invocation-add-delay and the scenario is aws:lambda:invocation-error",
        ),
        (
            {"besides": {"more": {"actionId": "aws:fis:wait"}}},
            "invocation-error, aws:fis:wait and the scenario",
        ),
        ({"target": {"resourceArns": [BILLING, f"{BILLING}-2"]}}, "breaks billing-fn, billing-fn-2 and"),
        ({"target": {"resourceArns": [f"{BILLING}:live"]}}, "breaks billing-fn:live and the scenario breaks"),
        ({"target": {"resourceTags": {"a": "b"}}}, "breaks functions by their tags and the scenario breaks"),
    ],
)
def test_a_template_must_be_what_the_scenario_says(given: dict[str, Any], problem: str) -> None:
    found = experiment(FakeFis(**given)).problem()
    assert problem in found
    assert bool(found) is bool(problem)


@pytest.mark.parametrize(("text", "seconds"), [("PT60S", 60), ("PT1M30S", 90), ("PT2H", 7200)])
def test_durations_of_fis(text: str, seconds: int) -> None:
    assert seconds_of(text) == seconds


def test_a_duration_in_another_form_is_refused() -> None:
    with pytest.raises(CliError, match="P1D"):
        seconds_of("P1D")


class FakeFaults:
    """The emulator's faults."""

    def __init__(self) -> None:
        self.throttles: dict[str, tuple[Any, ...]] = {}
        self.kills: list[str] = []

    def throttle(self, id_: str, *given: Any) -> None:
        self.throttles[id_] = given

    def kill(self, function: str) -> int:
        self.kills.append(function)
        return 2

    def end(self, id_: str) -> bool:
        return self.throttles.pop(id_, None) is not None

    def list(self) -> list[dict[str, str]]:
        return [{"id": each} for each in self.throttles]


class Endpoint:
    """A client whose endpoint is known."""

    class meta:  # noqa: N801 - boto3's name
        endpoint_url = "http://127.0.0.1:1"


def test_a_throttle_is_made_and_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    emulator = FakeFaults()
    monkeypatch.setattr(undo, "Faults", lambda _endpoint: emulator)  # pyright: ignore[reportUnknownLambdaType]
    made = Throttle(emulator, ThrottleFault("ssm", "GetParameters", 0.5), "run-1", 99.0)  # pyright: ignore[reportArgumentType]
    made.make()
    assert emulator.throttles == {"run-1": ("ssm", "GetParameters", 0.5, 99.0)}
    undo_all(made.undo, OneClient(Endpoint), silent)
    undo_all(made.undo, OneClient(Endpoint), silent)
    assert emulator.throttles == {}
    monkeypatch.setattr(FakeFaults, "end", lambda *_: False)  # pyright: ignore[reportUnknownLambdaType]
    made.make()
    with pytest.raises(CliError, match="the emulator still has it"):
        undo_all(made.undo, OneClient(Endpoint), silent)


def test_workers_are_killed_again_and_again(clock: Clock) -> None:
    emulator = FakeFaults()
    made = Kill(emulator, "billing-1a2b", KillFault("billing", 2))  # pyright: ignore[reportArgumentType]
    made.make()
    for clock.now in (101.0, 102.0, 103.9, 104.0):
        assert made.keep() == ""
    assert emulator.kills == ["billing-1a2b"] * 3
    assert "killed 6 workers" in made.how
    assert made.undo == ()
