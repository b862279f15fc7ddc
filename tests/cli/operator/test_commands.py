"""The operator's commands as typed, on AWS as moto has it: what is written, said and returned."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from selfheal.cli.console import Output
from selfheal.cli.operator import answer
from selfheal.cli.operator import incidents as incidents_module
from selfheal.cli.operator.ledger import Ledger
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.words import Reason, Status
from tests.cli.support import (
    DIGEST,
    OTHER_PLAN,
    create_table,
    deploy,
    drifting,
    escalated,
    incident,
    later,
    moved,
    proposed,
    put,
    run,
    stored,
    verifying,
    words,
)

pytestmark = pytest.mark.slow

CALLER = "arn:aws:sts::123456789012:user/moto"
READING = [("incidents",), ("incidents", "show", "x"), ("incidents", "follow", "x"), ("mode",)]
WRITING = [
    ("mode", "observe", "--why", "w"),
    ("approve", "x", "--plan", DIGEST, "--yes"),
    *((verb, "x", "--why", "w") for verb in ("rollback", "release", "restore", "accept")),
]


@pytest.fixture
def aws(project: Path, own_home: Path, dynamodb: Any) -> Iterator[Callable[..., Any]]:
    """Run a command with --aws on a project that was deployed in mode act, its ledger empty otherwise."""
    deploy("act")

    def command(*arguments: str, typed_in: str | None = None) -> Any:
        return run("-C", str(project), *arguments, "--aws", typed_in=typed_in)

    yield command
    assert dynamodb
    assert not own_home.exists()  # nothing of the sandbox was started


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let a healer answer whatever is asked as soon as it is woken."""

    def answer_with(status: Status, reason: Reason) -> None:
        def healer(_ledger: Ledger, _output: Output) -> bool:
            asked = stored("approval#fragile", "approval") or {}
            put(moved(proposed(), status, reason, answered=(asked["id"],)))
            return True

        monkeypatch.setattr(answer, "wake_healer", healer)

    return answer_with


@pytest.mark.parametrize("arguments", [*READING, *WRITING])
def test_aws_and_an_endpoint_contradict_each_other(project: Path, arguments: tuple[str, ...]) -> None:
    outcome = run("-C", str(project), *arguments, "--aws", "--endpoint", "http://127.0.0.1:1")
    assert outcome.exit_code == 2
    assert "give one of them" in words(outcome)


@pytest.mark.parametrize("arguments", [*READING, *WRITING])
def test_every_command_reads_the_ledger_by_its_conventional_name(
    project: Path, arguments: tuple[str, ...]
) -> None:
    with mock_aws():
        outcome = run("-C", str(project), *arguments, "--aws", "-s", "prod")
    assert outcome.exit_code == 1
    assert "selfheal-prod-ledger" in outcome.stderr
    assert "Traceback" not in outcome.output


def test_another_table_can_be_named(aws: Callable[..., Any]) -> None:
    create_table("other")
    put(escalated(), table="other")
    assert aws("incidents").exit_code == 0
    assert aws("incidents", "--ledger", "other").exit_code == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("mode", "observe"), "--why"),
        (("mode", "--clear"), "--why"),
        (("mode", "--why", "x"), "name a mode"),
        (("mode", "fly", "--why", "x"), "observe"),
        (("mode", "observe", "--why", " "), "say why in 1 to 500"),
        (("mode", "observe", "--why", "a\nb"), "on one line"),
        (("approve", "x", "--yes"), "--plan DIGEST"),
        (("approve", "x", "--json"), "nothing can be asked"),
        (("approve", "x", "--plan", "xyz"), "has 16 of the characters"),
        (("approve", "x", "--expires", "0"), "--expires"),
        (("approve", "x", "--expires", "1441"), "--expires"),
        (("rollback", "x"), "--why"),
        (("release", "x", "--json"), "--why"),
        (("restore",), "Missing argument"),
        (("accept", "x", "--why", "y", "--wait", "-1"), "--wait"),
    ],
)
def test_wrong_usage_starts_nothing(
    project: Path, own_home: Path, arguments: tuple[str, ...], said: str
) -> None:
    outcome = run("-C", str(project), *arguments)
    assert outcome.exit_code == 2, outcome.output
    assert said in words(outcome)
    assert not own_home.exists()


def test_the_mode_is_shown_set_and_cleared(aws: Callable[..., Any]) -> None:
    assert json.loads(aws("mode", "--json").stdout) == {
        "baseline": "act",
        "override": None,
        "effective": "act",
        "tightens": False,
        "version": 0,
        "history": [],
    }
    done = json.loads(aws("mode", "observe", "--why", "drill", "--json").stdout)
    assert (done["effective"], done["tightens"], done["version"]) == ("observe", True, 1)
    assert (done["override"]["by"], done["override"]["why"]) == (CALLER, "drill")

    shown = words(aws("mode"))
    assert "baseline act (as deployed)" in shown
    assert f"override observe by {CALLER} at" in shown
    assert "in effect observe" in shown

    refused = aws("mode", "act", "--why", "hurry")
    assert refused.exit_code == 1
    assert "only --clear does" in refused.stderr

    assert "in effect suggest" in words(aws("mode", "suggest", "--clear", "--why", "half way"))
    assert "in effect act" in words(aws("mode", "--clear", "--why", "done"))
    again = aws("mode", "--clear", "--why", "done")
    assert again.exit_code == 0
    assert "no override to clear" in words(again)
    item = stored("mode", "override")
    assert item is not None
    assert [line["mode"] for line in item["history"]] == ["observe", "suggest", "cleared"]


def test_the_mode_that_was_deployed_counts_and_not_the_stacks_file(aws: Callable[..., Any]) -> None:
    deploy("suggest", healer="healer-4711")
    assert "baseline suggest (as deployed)" in words(aws("mode"))
    assert json.loads(aws("mode", "--json").stdout)["effective"] == "suggest"


def test_an_override_that_does_not_tighten_is_said_to(aws: Callable[..., Any]) -> None:
    create_table("prod")
    deploy("observe", table="prod")
    outcome = aws("mode", "act", "--why", "x", "-s", "prod", "--ledger", "prod")
    assert outcome.exit_code == 0
    assert "does not tighten anything: the baseline is observe" in words(outcome)
    assert "in effect observe" in words(outcome)


def test_a_plan_is_shown_asked_about_and_approved(aws: Callable[..., Any]) -> None:
    put(proposed())
    outcome = aws("approve", "fragile", typed_in="y\n")
    assert outcome.exit_code == 0, outcome.output
    assert "0.3 → 0" in outcome.stdout
    assert DIGEST in outcome.stdout
    item = stored("approval#fragile", "approval")
    assert item is not None
    assert (item["plan"], item["by"], item["incident"]) == (DIGEST, CALLER, proposed().id)
    assert later(29) < item["until"] < later(31)
    assert "within a minute" in words(outcome)


def test_a_no_approves_nothing(aws: Callable[..., Any]) -> None:
    put(proposed())
    assert aws("approve", "fragile", typed_in="n\n").exit_code == 1
    assert stored("approval#fragile", "approval") is None


def test_a_plan_that_changed_while_it_was_looked_at_is_not_approved(
    aws: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(proposed())

    def confirm(*_arguments: Any, **_named: Any) -> bool:
        put(proposed(version=4, plan=OTHER_PLAN))
        return True

    monkeypatch.setattr("typer.confirm", confirm)
    outcome = aws("approve", "fragile")
    assert outcome.exit_code == 1
    assert f"not {DIGEST}" in words(outcome)
    assert stored("approval#fragile", "approval") is None


def test_a_script_approves_the_plan_that_it_names_or_none(aws: Callable[..., Any]) -> None:
    put(proposed())
    stale = aws("approve", "fragile", "--plan", "0" * 16, "--yes")
    assert stale.exit_code == 1
    assert "The world changed" in stale.stderr
    done = json.loads(aws("approve", "fragile", "--plan", DIGEST, "-y", "--expires", "5", "--json").stdout)
    assert done["request"]["plan"] == DIGEST
    assert (done["asked_earlier"], done["healer_woken"], done["answer"]) == (False, False, None)
    again = json.loads(aws("approve", "fragile", "--plan", DIGEST, "-y", "--json").stdout)
    assert again["asked_earlier"]
    assert again["request"] == done["request"]


def test_nothing_is_approved_in_observe(aws: Callable[..., Any]) -> None:
    put(proposed())
    aws("mode", "observe", "--why", "drill")
    outcome = aws("approve", "fragile", "--plan", DIGEST, "--yes")
    assert outcome.exit_code == 1
    assert "observe" in outcome.stderr


def test_the_answer_is_waited_for(aws: Callable[..., Any], answering: Callable[..., None]) -> None:
    put(proposed())
    answering(Status.VERIFYING, Reason.APPLIED)
    outcome = aws("approve", "fragile", "--plan", DIGEST, "--yes")
    assert outcome.exit_code == 0
    assert "Accepted: the incident is VERIFYING (applied)" in words(outcome)


def test_a_refusal_is_exit_code_3(aws: Callable[..., Any], answering: Callable[..., None]) -> None:
    put(proposed())
    answering(Status.PROPOSED, Reason.APPROVAL_STALE)
    outcome = aws("approve", "fragile", "--plan", DIGEST, "--yes", "--json")
    assert outcome.exit_code == 3
    assert json.loads(outcome.stdout)["answer"] == {
        "status": "PROPOSED",
        "reason": "approval-stale",
        "refused": True,
    }


def test_a_healer_that_cannot_be_woken_is_only_told(aws: Callable[..., Any]) -> None:
    put(verifying())
    outcome = aws("rollback", "fragile", "--why", "worse", "--healer", "nobody")
    assert outcome.exit_code == 0
    assert "could not be woken" in words(outcome)
    assert "selfheal incidents follow" in words(outcome)


@pytest.mark.parametrize(
    ("one", "arguments"),
    [
        (verifying(), ("rollback", "fragile")),
        (escalated(), ("release", "fragile")),
        (drifting(), ("restore", "fragile")),
        (drifting(), ("accept", drifting().id)),
    ],
)
def test_commands_are_written(aws: Callable[..., Any], one: Incident, arguments: tuple[str, str]) -> None:
    put(one)
    outcome = aws(*arguments, "--why", "because", "--json")
    assert outcome.exit_code == 0, outcome.output
    item = stored("command#fragile", "command")
    assert item is not None
    assert (item["verb"], item["incident"], item["by"]) == (arguments[0], one.id, CALLER)
    assert json.loads(outcome.stdout)["request"]["id"] == item["id"]


def test_a_command_that_makes_no_sense_is_not_written(aws: Callable[..., Any]) -> None:
    put(proposed())
    for verb in ("rollback", "release", "restore", "accept"):
        outcome = aws(verb, "fragile", "--why", "because")
        assert outcome.exit_code == 1
        assert "selfheal incidents show" in outcome.stderr
    assert stored("command#fragile", "command") is None


def test_after_the_kill_switch_a_rollback_is_still_asked_for(aws: Callable[..., Any]) -> None:
    put(verifying())
    aws("mode", "observe", "--why", "drill")
    assert "no permission" not in words(aws("rollback", "fragile", "--why", "worse"))
    assert stored("command#fragile", "command") is not None


def test_drift_is_open_work(aws: Callable[..., Any]) -> None:
    put(drifting())
    put(drifting(), archived=True)
    outcome = aws("incidents")
    assert outcome.exit_code == 3
    assert "0 open, 1 closed, 1 of them with a change that stands" in words(outcome)
    (listed,) = json.loads(aws("incidents", "--json").stdout)
    assert (listed["open"], listed["drift"]) == (False, True)


def test_what_is_over_is_no_work(aws: Callable[..., Any]) -> None:
    put(incident(Status.RECOVERED))
    assert aws("incidents").exit_code == 0


def test_options_before_a_subcommand_are_refused_rather_than_ignored(project: Path) -> None:
    outcome = run("-C", str(project), "incidents", "--stack", "prod", "show", "fragile")
    assert outcome.exit_code == 2
    assert "write the options after" in words(outcome)


def test_everything_about_one_incident_is_shown(aws: Callable[..., Any]) -> None:
    put(proposed())
    aws("approve", "fragile", "--plan", DIGEST, "--yes", "--why", "looked at it")
    shown = words(aws("incidents", "show", "fragile"))
    for text in (
        proposed().id,
        "OPEN → PROPOSED",
        f"asked approve by {CALLER}",
        "looked at it",
        f"selfheal approve {proposed().id} --plan {DIGEST} --aws",
        "selfheal mode observe --why TEXT --aws",
    ):
        assert text in shown
    told = json.loads(aws("incidents", "show", "fragile", "--json").stdout)
    assert told["asked"][0]["plan"] == told["plan_digest"] == DIGEST
    assert told["next"][0]["command"].startswith("selfheal approve")


def test_an_unknown_incident_is_an_error_that_helps(aws: Callable[..., Any]) -> None:
    put(proposed())
    outcome = aws("incidents", "show", "fragle")
    assert outcome.exit_code == 1
    assert "Did you mean fragile" in words(outcome)


def test_following_prints_each_new_line_until_it_closes(
    aws: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = verifying()
    put(one)
    done = moved(one, Status.VERIFYING, Reason.APPLIED)
    steps = iter((done, moved(done, Status.RECOVERED, Reason.RECOVERED)))

    def sleep(_seconds: float) -> None:
        put(next(steps))

    monkeypatch.setattr(incidents_module.time, "sleep", sleep)
    outcome = aws("incidents", "follow", "fragile")
    assert outcome.exit_code == 0, outcome.output
    assert words(outcome).count("2026-11-21T09:51:00.000Z VERIFYING → VERIFYING applied") == 1
    assert words(outcome).count("2026-11-21T09:51:00.000Z VERIFYING → RECOVERED recovered-by-evidence") == 1
    assert "Closed: RECOVERED" in words(outcome)


def test_following_ends_when_its_time_is_up(aws: Callable[..., Any]) -> None:
    put(proposed())
    outcome = aws("incidents", "follow", "fragile", "--timeout", "0", "--json")
    assert outcome.exit_code == 3
    assert json.loads(outcome.stdout)["open"]


def test_a_closed_incident_is_followed_in_its_copy(
    aws: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = verifying()
    put(one)

    def sleep(_seconds: float) -> None:
        put(moved(one, Status.RECOVERED, Reason.RECOVERED), archived=True)
        put(proposed(id="fragile-next", opened_at="2026-11-22T00:00:00.000Z"))

    monkeypatch.setattr(incidents_module.time, "sleep", sleep)
    assert aws("incidents", "follow", "fragile").exit_code == 0


def test_one_that_cannot_be_read_is_refused_by_name_and_hides_no_other(aws: Callable[..., Any]) -> None:
    put(drifting(), schema=3)
    put(proposed(target="shop"))
    outcome = aws("incidents")
    assert outcome.exit_code == 3
    for text in ("2 open, 0 closed", proposed(target="shop").id, f"{drifting().id} fragile RECOVERED"):
        assert text in words(outcome)
    assert [one["open"] for one in json.loads(aws("incidents", "--json").stdout)] == [True, True]
    for arguments in (("incidents", "show"), ("incidents", "follow"), ("accept", "--why", "w"), ("approve",)):
        refused = aws(*arguments, "fragile")
        assert refused.exit_code == 1
        assert f"{drifting().id} was recorded by a newer healer (schema 3)" in refused.stderr
    assert stored("command#fragile", "command") is None
    assert aws("mode", "observe", "--why", "stop it").exit_code == 0
    assert aws("incidents", "show", "shop").exit_code == 0
