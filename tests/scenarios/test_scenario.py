"""What a scenario's file may say, and how it is refused."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from selfheal.functions.downstream.core import LONGEST_PAUSE_SECONDS, Mode
from selfheal.scenarios.faults import (
    MODES,
    DownstreamFault,
    FaultKind,
    FunctionAction,
    FunctionFault,
    KillFault,
    ThrottleFault,
)
from selfheal.scenarios.fields import ScenarioError
from selfheal.scenarios.measures import MEASURES
from selfheal.scenarios.scenario import Bound, Scenario, Traffic, load, parse, shipped

GOOD: dict[str, Any] = {
    "schema": 1,
    "title": "It is out",
    "story": "A story\nof two lines.",
    "fault": {"kind": "downstream", "mode": "outage"},
    "traffic": {"per_second": 3, "callers": 2},
    "before_seconds": 10,
    "fault_seconds": 20,
    "after_seconds": 60,
    "hypothesis": [{"measure": "lost_orders", "at_most": 0, "why": "nothing is lost"}],
}


def read(changes: dict[str, Any] | None = None, name: str = "out") -> Scenario:
    """Parse GOOD with changes; a field that becomes None is left out."""
    values = {key: value for key, value in (GOOD | (changes or {})).items() if value is not None}
    return parse(name, yaml.safe_dump(values), "out.yaml")


def test_a_file_becomes_a_scenario() -> None:
    assert read() == Scenario(
        "out",
        "It is out",
        "A story of two lines.",
        DownstreamFault("outage"),
        Traffic(3.0, 2, ("book",), 0),
        10,
        20,
        60,
        (Bound("lost_orders", at_most=0.0, why="nothing is lost"),),
        (),
    )


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"kind": "downstream", "mode": "latency", "seconds": 8}, DownstreamFault("latency", seconds=8)),
        ({"kind": "downstream", "mode": "errors", "share": 0.2}, DownstreamFault("errors", share=0.2)),
        (
            {"kind": "function", "target": "billing", "action": "error", "percent": 30},
            FunctionFault("billing", FunctionAction.ERROR, 30, prevent_execution=True),
        ),
        (
            {"kind": "function", "target": "a", "action": "delay", "percent": 1, "delay_seconds": 0.5},
            FunctionFault("a", FunctionAction.DELAY, 1, delay_seconds=0.5, prevent_execution=False),
        ),
        (
            {
                "kind": "function",
                "target": "a",
                "action": "response",
                "percent": 100,
                "status_code": 503,
                "prevent_execution": False,
            },
            FunctionFault("a", FunctionAction.RESPONSE, 100, status_code=503, prevent_execution=False),
        ),
        (
            {"kind": "throttle", "service": "ssm", "operation": "GetParameters", "share": 1},
            ThrottleFault("ssm", "GetParameters", 1.0),
        ),
        ({"kind": "kill", "target": "billing", "every_seconds": 5}, KillFault("billing", 5.0)),
    ],
)
def test_each_kind_of_fault(fault: dict[str, Any], expected: object) -> None:
    scenario = read({"fault": fault, "fault_seconds": 60})
    assert scenario.fault == expected
    assert scenario.fault.kind == fault["kind"]
    assert scenario.only_in_sandbox == (fault["kind"] in ("throttle", "kill"))


FUNCTION = {"kind": "function", "target": "billing", "action": "error", "percent": 30}
DOWN = {"kind": "downstream", "mode": "outage"}
BOUND = {"measure": "lost_orders", "at_most": 0, "why": "x"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"schema": 2}, "schema must be 1, the only one that there is, got 2"),
        ({"schema": None}, "schema must be a whole number from 0 to 1000000, got nothing"),
        ({"title": ""}, "title must be a text of 1 to 100 characters, all of them visible, got ''"),
        ({"sotry": "x"}, "'sotry' is not known here. Did you mean story?"),
        ({"before_seconds": 4}, "before_seconds must be a whole number from 5 to 600, got 4"),
        ({"before_seconds": True}, "before_seconds must be a whole number from 5 to 600, got True"),
        ({"fault_seconds": 3600}, "fault_seconds must be a whole number from 5 to 900, got 3600"),
        ({"fault_seconds": 7.5}, "fault_seconds must be a whole number from 5 to 900, got 7.5"),
        ({"fault": None}, "fault must be fields with names, got nothing"),
        ({"fault": []}, "fault: must be fields with names, got []"),
        ({"fault": {"kind": "fire"}}, "kind must be one of downstream, function, throttle, kill, got 'fire'"),
        (
            {"fault": {**DOWN, "mode": 429}},
            "429, latency, errors, outage, partial-outage, data-shape (a text: put it into quotes), got 429",
        ),
        ({"fault": {**DOWN, "mode": "healthy"}}, "fault: mode must be one of 429,"),
        ({"fault": {**DOWN, "mode": "latency"}}, "fault: seconds must be a number from 0 to 60, got nothing"),
        ({"fault": {**DOWN, "mode": "latency", "seconds": float("nan")}}, "from 0 to 60, got nan"),
        ({"fault": {**DOWN, "seconds": 3}}, "fault: 'seconds' is not known here. Known are: kind, mode"),
        ({"fault": {**DOWN, "mode": "errors", "share": 0}}, "share must be a number above 0 and at most 1"),
        ({"fault": {**FUNCTION, "percent": 0}}, "fault: percent must be a whole number from 1 to 100, got 0"),
        ({"fault": {**FUNCTION, "percent": 12.5}}, "percent must be a whole number from 1 to 100, got 12.5"),
        ({"fault": {**FUNCTION, "target": "*"}}, "target must be the logical name of a function"),
        ({"fault": {**FUNCTION, "target": "arn:aws:lambda:x"}}, "target must be the logical name"),
        ({"fault": {**FUNCTION, "status_code": 500}}, "fault: 'status_code' is not known here"),
        (
            {"fault": {**FUNCTION, "action": "delay"}},
            "delay_seconds must be a number above 0 and at most 900",
        ),
        (
            {"fault": {**FUNCTION, "action": "delay", "delay_seconds": 1, "prevent_execution": True}},
            "'prevent_execution' is not known here",
        ),
        (
            {"fault": FUNCTION},
            "fault_seconds must be at least 60 with a fault of kind function, as in FIS, got 20",
        ),
        ({"fault": {"kind": "kill", "target": "a", "every_seconds": 0.1}}, "from 1 to 600, got 0.1"),
        (
            {"fault": {"kind": "throttle", "service": "ssm", "operation": "get_parameters", "share": 1}},
            "operation must be an operation of its API reference, such as GetParameters, got",
        ),
        (
            {"traffic": {"per_second": 500, "callers": 1}},
            "traffic: per_second must be a number from 0.1 to 50",
        ),
        ({"traffic": {"per_second": 5}}, "traffic: callers must be a whole number from 1 to 50, got nothing"),
        (
            {"traffic": {"per_second": 5, "callers": 1, "note_bytes": 1001}},
            "note_bytes must be a whole number from 0 to 1000, got 1001",
        ),
        (
            {"traffic": {"per_second": 5, "callers": 1, "articles": []}},
            "articles must be a list of one or more",
        ),
        ({"hypothesis": []}, "hypothesis must be a list of one or more entries, got []"),
        (
            {"hypothesis": [{**BOUND, "measure": "luck"}]},
            "hypothesis[0]: measure must be one of accepted_share,",
        ),
        ({"hypothesis": [{"measure": "lost_orders", "at_most": 0}]}, "why must be a text"),
        (
            {"hypothesis": [{"measure": "lost_orders", "why": "x"}]},
            "at_least must be given, or at_most, and not both",
        ),
        ({"hypothesis": [{**BOUND, "at_least": 0}]}, "given, or at_most, and not both, got 0"),
        (
            {"hypothesis": [{"measure": "accepted_share", "at_least": 99, "why": "percent"}]},
            "at_least must be a number from 0 to 1, got 99",
        ),
        ({"hypothesis": [BOUND, dict(BOUND)]}, "one bound in each direction a measure, not two of lost_"),
        (
            {"hypothesis": [{"measure": "settled_after_seconds", "at_most": 61, "why": "x"}]},
            "at least what the hypothesis allows: settled_after_seconds at most 61, got 60",
        ),
        ({"stop_when": []}, "stop_when must be a list of one or more entries"),
        ({"stop_when": [{"measure": "lost_orders", "at_least": 1}]}, "stop_when[0]: measure must be one of"),
        (
            {"stop_when": [{"measure": "openings", "at_least": 1, "why": "x"}]},
            "stop_when[0]: 'why' is not known",
        ),
    ],
)
def test_what_is_wrong_is_refused_by_name(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ScenarioError, match=re.escape(said)) as caught:
        read(changes)
    assert str(caught.value).startswith("out.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must be fields with names, got None"),
        ("- a", "must be fields with names"),
        ("a: [", "is no YAML"),
        ("schema: 1\nschema: 2", "'schema' is given twice"),
        ("schema: !!python/object/apply:os.system [true]", "is no YAML"),
        ("1: 2", "must be fields with names"),
        ("[" * 5000, "is nested too deeply"),
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]", "aliases are not allowed"),
        ("a: &a [*a]", "aliases are not allowed"),
        ("schema: 2026-02-30", "is no YAML"),
        (f"schema: {'9' * 5000}", "is no YAML"),
        (f"schema: 0x{'f' * 5000}", "schema must be a whole number"),
        ("schema: !!bool x", "is no YAML"),
        ("schema: !!timestamp x", "is no YAML"),
        ("schema: !!int ''", "is no YAML"),
        ("schema: !!float ''", "is no YAML"),
        ("[a]: 1\n[a]: 2", "is no YAML"),
        ("schema: 1\nschema: 1 # " + "x" * 20_000, "at most 20000 characters"),
        ('"\\e[2J": 1\nschema: 1\n', "title must be"),
    ],
)
def test_what_is_no_mapping_is_refused(text: str, said: str) -> None:
    with pytest.raises(ScenarioError, match=re.escape(said)):
        parse("x", text, "out.yaml")


@pytest.mark.parametrize("name", ["Out!", "..", "../out", "o/ut", "öut", "out\n", "o" * 42, "", "ou\udcffx"])
def test_a_name_is_that_of_a_file(name: str) -> None:
    """It is part of the path of the report."""
    with pytest.raises(ScenarioError, match="lower-case letters, digits and hyphens") as refused:
        read(name=name)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("text", ["\x1b[2Jall is well", "a\u202eb", "a\x00", "\ud800", " \n ", "a\u200bb"])
def test_a_text_cannot_change_what_a_terminal_shows_beside_it(text: str) -> None:
    with pytest.raises(
        ScenarioError, match="title must be a text of 1 to 100 characters, all of them visible"
    ):
        read({"title": text})


def test_a_scenario_is_found_by_name_and_by_path(tmp_path: Path) -> None:
    path, folder = tmp_path / "mine.yaml", tmp_path / "folder.yaml"
    path.write_text(yaml.safe_dump(GOOD))
    folder.mkdir()
    assert load(str(path)).name == "mine"
    assert load("third-party-out").fault == DownstreamFault("outage")
    with pytest.raises(ScenarioError, match="Did you mean third-party-out"):
        load("third-party-in")
    with pytest.raises(ScenarioError, match=r"cannot be read: .*No such file"):
        load(str(tmp_path / "none.yaml"))
    with pytest.raises(ScenarioError, match="it is no file"):
        load(str(folder))
    (tmp_path / "latin.yaml").write_bytes(b"title: \xe9")
    with pytest.raises(ScenarioError, match="it is no text in UTF-8"):
        load(str(tmp_path / "latin.yaml"))


def test_bounds() -> None:
    most, least = Bound("openings", at_most=2), Bound("openings", at_least=2)
    assert [most.holds(value) for value in (1, 2, 3)] == [True, True, False]
    assert [least.holds(value) for value in (1, 2, 3)] == [False, True, True]
    assert (str(most), str(least)) == ("openings at most 2", "openings at least 2")


def test_the_modes_are_those_of_the_downstream() -> None:
    assert set(MODES) == set(Mode) - {Mode.HEALTHY}
    with pytest.raises(ScenarioError):
        read({"fault": {**DOWN, "mode": "latency", "seconds": LONGEST_PAUSE_SECONDS + 1}})


def test_six_ship_and_each_states_that_nothing_is_repeated() -> None:
    scenarios = {each.name: each for each in shipped()}
    assert set(scenarios) == {
        "billing-fails",
        "consumer-killed",
        "one-address-in-three",
        "parameter-store-throttled",
        "slow-query",
        "third-party-out",
    }
    assert {each.fault.kind for each in scenarios.values()} == set(FaultKind)
    for each in scenarios.values():
        stated = {bound.measure: bound for bound in each.hypothesis}
        assert stated["repeated_effects"].at_most == 0
        assert stated["accepted_share"].at_least == 0.99
        assert {"lost_orders", "fulfilled_share"} & stated.keys(), each.name
        assert each.stop_when, each.name


@pytest.mark.parametrize("scenario", shipped(), ids=lambda each: each.name)
def test_no_bound_that_ships_is_met_by_every_value(scenario: Scenario) -> None:
    for bound in scenario.hypothesis:
        most = MEASURES[bound.measure].most or 1e9
        assert not (bound.holds(0) and bound.holds(most)), f"{bound} cannot fail"


@pytest.mark.parametrize("scenario", shipped(), ids=lambda each: each.name)
def test_a_run_is_not_stopped_by_what_its_hypothesis_allows(scenario: Scenario) -> None:
    for stop in scenario.stop_when:
        for bound in scenario.hypothesis:
            if bound.measure != stop.measure:
                continue
            limit = bound.at_most if bound.at_least is None else bound.at_least
            assert limit is not None
            assert not stop.holds(limit), f"{stop} contradicts {bound}"
