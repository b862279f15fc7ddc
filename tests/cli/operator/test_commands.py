"""The operator's commands as typed, on AWS as moto has it: what is written, said and returned."""

from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from selfheal.cli.console import Output
from selfheal.cli.operator import answer
from selfheal.cli.operator.ledger import Ledger
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.readings import Request
from selfheal.functions.healer.states import Reason, Status
from selfheal.functions.shared.contract import MODE_KEY
from tests.cli.support import (
    DIGEST,
    OTHER_PLAN,
    TABLE,
    client,
    create_table,
    deploy,
    drifting,
    escalated,
    incident,
    later,
    moved,
    proposed,
    put,
    said,
    stored,
    told,
    verifying,
)

pytestmark = pytest.mark.slow

CALLER = "arn:aws:sts::123456789012:user/moto"
COMMANDS = [
    *(("incidents",), ("incidents", "show", "x"), ("incidents", "follow", "x"), ("mode",)),
    *(("mode", "observe", "--why", "w"), ("approve", "x", "--plan", DIGEST, "--yes")),
    *((verb, "x", "--why", "w") for verb in ("rollback", "release", "restore", "accept", "close")),
]
APPROVE = ("approve", "fragile", "--plan", DIGEST, "--yes")
AWS = ("--aws", "--ledger", TABLE)


@pytest.fixture
def ledger(dynamodb: Any, own_home: Path) -> Iterator[None]:
    """A ledger of a stack that was deployed in mode act, with no incident."""
    assert dynamodb
    deploy("act")
    yield
    assert not own_home.exists()  # nothing of the sandbox was started


deployed = pytest.mark.usefixtures("ledger")


def request_of(kind: str) -> dict[str, Any]:
    return stored(f"{kind}#fragile", kind)


@pytest.mark.parametrize("arguments", COMMANDS)
def test_every_command_reads_the_ledger_by_its_conventional_name(
    project: Path, arguments: tuple[str, ...]
) -> None:
    with mock_aws():
        assert "selfheal-prod-ledger" in said("-C", str(project), *arguments, "--aws", "-s", "prod", code=1)
    assert "give one of them" in said(*arguments, "--aws", "--endpoint", "http://127.0.0.1:1", code=2)


@deployed
def test_another_table_can_be_named() -> None:
    create_table("other")
    put(escalated(), table="other")
    assert said("incidents", *AWS)
    assert said("incidents", "--aws", "--ledger", "other", code=3)


@deployed
def test_the_mode_is_shown_set_and_cleared() -> None:
    nothing = {"override": None, "tightens": False, "version": 0, "history": []}
    assert told("mode", *AWS) == nothing | {"baseline": "act", "effective": "act"}
    done = told("mode", "observe", "--why", "drill", *AWS)
    assert (done["effective"], done["tightens"], done["version"]) == ("observe", True, 1)
    assert (done["override"]["by"], done["override"]["why"]) == (CALLER, "drill")
    shown = said("mode", *AWS)
    for words in ("baseline act (as deployed)", f"override observe by {CALLER} at", "in effect observe"):
        assert words in shown
    assert "only --clear does" in said("mode", "act", "--why", "hurry", *AWS, code=1)
    assert "in effect suggest" in said("mode", "suggest", "--clear", "--why", "half way", *AWS)
    assert "in effect act" in said("mode", "--clear", "--why", "done", *AWS)
    assert "no override to clear" in said("mode", "--clear", "--why", "done", *AWS)
    history = stored("mode", "override")["history"]
    assert [line["mode"] for line in history] == ["observe", "suggest", "cleared"]


@deployed
def test_the_mode_that_was_deployed_counts_and_not_the_stacks_file(project: Path) -> None:
    deploy("observe", healer="healer-4711")
    assert "baseline observe (as deployed)" in said("-C", str(project), "mode", "--aws")
    shown = said("mode", "act", "--why", "x", *AWS)
    assert "does not tighten anything: the baseline is observe" in shown
    assert "in effect observe" in shown


@deployed
def test_a_plan_is_shown_asked_about_and_approved() -> None:
    put(proposed())
    shown = said("approve", "fragile", *AWS, typed_in="y\n")
    assert all(words in shown for words in ("0.3 → 0", DIGEST, "within a minute"))
    item = request_of("approval")
    assert (item["plan"], item["by"], item["incident"]) == (DIGEST, CALLER, proposed().id)
    assert later(29) < item["until"] < later(31)


@deployed
def test_a_no_approves_nothing() -> None:
    put(proposed())
    assert said("approve", "fragile", *AWS, typed_in="n\n", code=1)
    assert not request_of("approval")


@deployed
def test_a_plan_that_changed_while_it_was_looked_at_is_not_approved(monkeypatch: pytest.MonkeyPatch) -> None:
    put(proposed())

    def confirm(*_arguments: Any, **_named: Any) -> bool:
        put(proposed(version=4, plan=OTHER_PLAN))
        return True

    monkeypatch.setattr("typer.confirm", confirm)
    assert f"not {DIGEST}" in said("approve", "fragile", *AWS, code=1)
    assert not request_of("approval")


@deployed
def test_a_script_approves_the_plan_that_it_names_or_none() -> None:
    put(proposed())
    assert "The world changed" in said("approve", "fragile", "--plan", "0" * 16, "--yes", *AWS, code=1)
    done = told(*APPROVE, "--expires", "5", *AWS)
    assert done["request"]["plan"] == DIGEST
    assert (done["asked_earlier"], done["healer_woken"], done["answer"]) == (False, False, None)
    assert told(*APPROVE, *AWS) == done | {"asked_earlier": True}


@deployed
def test_nothing_is_approved_in_observe() -> None:
    put(proposed())
    said("mode", "observe", "--why", "drill", *AWS)
    assert "observe" in said(*APPROVE, *AWS, code=1)
    assert not request_of("approval")


@deployed
@pytest.mark.parametrize(
    ("status", "reason", "words"),
    [
        (Status.VERIFYING, Reason.APPLIED, "Accepted: the incident is VERIFYING (applied)"),
        (Status.PROPOSED, Reason.APPROVAL_STALE, "Refused: approval-stale. The incident is PROPOSED"),
    ],
)
def test_the_answer_is_waited_for_and_a_refusal_is_exit_code_3(
    monkeypatch: pytest.MonkeyPatch, status: Status, reason: Reason, words: str
) -> None:
    def wake_healer(_ledger: Ledger, _output: Output) -> bool:
        item = request_of("approval")
        given: dict[str, Any] = {field.name: item.get(field.name) for field in fields(Request)}
        record = Request(**given).answered(datetime.now(UTC), reason, done=reason is Reason.APPLIED)
        put(moved(proposed(), status, reason).answering(record))
        return True

    monkeypatch.setattr(answer, "wake_healer", wake_healer)
    refused = words.startswith("Refused")
    put(proposed())
    assert words in said(*APPROVE, *AWS, code=3 if refused else 0)
    put(proposed())
    document = told(*APPROVE, *AWS, code=3 if refused else 0)
    advice = document["answer"].pop("next")
    assert document["answer"] == {"status": status, "reason": reason, "refused": refused}
    assert (advice is not None) is refused


@deployed
def test_nothing_is_asked_of_a_healer_that_does_not_exist_but_its_mode_can_be_set() -> None:
    """What is asked expires; the mode holds whenever there is a healer again."""
    put(verifying())
    refused = said("rollback", "fragile", "--why", "worse", "--healer", "nobody", *AWS, code=1)
    assert "the healer nobody, which the ledger selfheal-dev-ledger names, does not exist" in refused
    assert not request_of("command")
    shown = said("mode", "observe", "--why", "worse", "--healer", "nobody", *AWS)
    assert "could not be woken" in shown
    assert "in effect observe" in shown


@deployed
@pytest.mark.parametrize(
    ("one", "verb", "name"),
    [
        (verifying(), "rollback", "fragile"),
        (escalated(), "release", "fragile"),
        (drifting(), "restore", "fragile"),
        (drifting(), "accept", drifting().id),
    ],
)
def test_commands_are_written(one: Incident, verb: str, name: str) -> None:
    put(one)
    request = told(verb, name, "--why", "because", *AWS)["request"]
    item = request_of("command")
    assert (item["verb"], item["incident"], item["by"]) == (verb, one.id, CALLER)
    assert request["id"] == item["id"]


@deployed
@pytest.mark.parametrize("verb", ["rollback", "release", "restore", "accept", "close"])
def test_a_command_that_makes_no_sense_is_not_written(verb: str) -> None:
    put(proposed())
    assert "selfheal incidents show" in said(verb, "fragile", "--why", "because", *AWS, code=1)
    assert not request_of("command")


@deployed
@pytest.mark.parametrize("baseline", ["act", "observe"])
def test_after_the_kill_switch_a_rollback_is_still_asked_for(baseline: str) -> None:
    """A baseline of observe does forbid it: the healer's role then has no permission."""
    deploy(baseline)
    put(verifying())
    said("mode", "observe", "--why", "drill", *AWS)
    shown = said("rollback", "fragile", "--why", "worse", *AWS)
    assert ("no permission" in shown) is (baseline == "observe")
    assert request_of("command")


@deployed
def test_drift_is_open_work_and_what_is_over_is_none() -> None:
    put(incident(Status.RECOVERED))
    assert said("incidents", *AWS)
    put(drifting())
    put(drifting(), archived=True)
    assert "0 open, 1 closed, 1 of them with a change that stands" in said("incidents", *AWS, code=3)
    (listed,) = told("incidents", *AWS, code=3)
    assert (listed["open"], listed["drift"]) == (False, True)


@deployed
def test_everything_about_one_incident_is_shown() -> None:
    put(proposed())
    said(*APPROVE, "--why", "looked at it", *AWS)
    shown = said("incidents", "show", "fragile", *AWS)
    for text in (
        proposed().id,
        "OPEN → PROPOSED",
        f"asked approve by {CALLER}",
        "looked at it",
        f"selfheal approve {proposed().id} --plan {DIGEST} --aws",
        "selfheal mode observe --why TEXT --aws",
    ):
        assert text in shown
    document = told("incidents", "show", "fragile", *AWS)
    assert document["asked"][0]["plan"] == document["plan_digest"] == DIGEST
    assert document["next"][0]["command"].startswith("selfheal approve")


@deployed
def test_an_unknown_incident_is_an_error_that_helps() -> None:
    put(proposed())
    assert "Did you mean fragile" in said("incidents", "show", "fragle", *AWS, code=1)


def on_sleep(monkeypatch: pytest.MonkeyPatch, *steps: Callable[[], object]) -> None:
    """Let one thing after the other happen while a command sleeps."""
    left = iter(steps)
    monkeypatch.setattr("time.sleep", lambda _seconds: next(left)())


@deployed
def test_following_prints_each_new_line_until_it_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    one = verifying()
    done = moved(one, Status.VERIFYING, Reason.APPLIED)
    over = moved(done, Status.RECOVERED, Reason.RECOVERED)
    put(one)
    on_sleep(monkeypatch, lambda: put(done), lambda: put(over))
    shown = said("incidents", "follow", "fragile", *AWS)
    assert shown.count("VERIFYING → VERIFYING applied") == 1
    assert shown.count("VERIFYING → RECOVERED recovered-by-evidence") == 1
    assert "Closed: RECOVERED" in shown


@deployed
def test_a_target_without_an_incident_is_followed_from_its_first_on(monkeypatch: pytest.MonkeyPatch) -> None:
    deploy("act", targets=["fragile"])
    one = verifying()
    over = moved(one, Status.RECOVERED, Reason.RECOVERED)
    on_sleep(monkeypatch, lambda: None, lambda: put(one), lambda: put(over))
    shown = said("incidents", "follow", "fragile", *AWS)
    assert shown.count("fragile has no incident. Waiting for the first.") == 1
    assert "Closed: RECOVERED" in shown


@deployed
def test_waiting_for_the_first_incident_ends_when_its_time_is_up() -> None:
    deploy("act", targets=["fragile"])
    assert told("incidents", "follow", "fragile", "--timeout", "0", *AWS) is None
    assert "There is no incident and no target" in said("incidents", "follow", "fragil", *AWS, code=1)


@deployed
def test_following_ends_when_its_time_is_up() -> None:
    put(proposed())
    assert told("incidents", "follow", "fragile", "--timeout", "0", *AWS, code=3)["open"]


@deployed
def test_a_closed_incident_is_followed_in_its_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    one = verifying()

    def close() -> None:
        put(moved(one, Status.RECOVERED, Reason.RECOVERED), archived=True)
        put(proposed(id="fragile-next", opened_at="2026-11-22T00:00:00.000Z"))

    put(one)
    on_sleep(monkeypatch, close)
    assert said("incidents", "follow", "fragile", *AWS)


@deployed
def test_one_that_cannot_be_read_is_refused_by_name_and_hides_no_other() -> None:
    put(drifting(), schema=3)
    put(proposed(target="shop"))
    shown = said("incidents", *AWS, code=3)
    for text in ("2 open, 0 closed", proposed(target="shop").id, f"{drifting().id} fragile RECOVERED"):
        assert text in shown
    assert [one["open"] for one in told("incidents", *AWS, code=3)] == [True, True]
    for arguments in (("incidents", "show"), ("incidents", "follow"), ("accept", "--why", "w"), ("approve",)):
        refused = said(*arguments, "fragile", *AWS, code=1)
        assert f"{drifting().id} was recorded by a newer healer (schema 3)" in refused
    assert not request_of("command")
    assert said("incidents", "show", "shop", *AWS)


@deployed
def test_a_mode_that_cannot_be_read_hides_no_incident_and_counts_as_observe() -> None:
    put(proposed())
    damaged = {"version": {"N": "1"}, "mode": {"S": "yolo"}}
    client().put_item(TableName=TABLE, Item=MODE_KEY | damaged)
    assert "mode in effect not known, so nothing is changed" in said("incidents", "show", "fragile", *AWS)
    shown = told("incidents", "show", "fragile", *AWS)
    assert shown["mode_in_effect"] is None
    assert "approve" not in str(shown["next"])
    assert said("incidents", *AWS, code=3)
    assert "Until it is written again, the healer only observes" in said("mode", *AWS, code=1)
    assert "in effect observe" in said("mode", "observe", "--why", "mended", *AWS)
    assert told("incidents", "show", "fragile", *AWS)["mode_in_effect"] == "observe"
