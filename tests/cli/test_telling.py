"""An incident in words."""

from typing import Any

import pytest

from selfheal.cli.operator.answer import Answer, answer_of, news
from selfheal.cli.operator.ledger import change, drifts, row, shown, standing_of
from selfheal.cli.operator.mode import caution
from selfheal.cli.operator.render import farewell_lines, history_lines, incident_lines, next_steps, plan_lines
from selfheal.functions.healer.incident import Plan
from selfheal.functions.healer.observation import ModeOverride
from selfheal.functions.healer.words import Verb
from selfheal.functions.shared.contract import Mode
from tests.cli.support import NOW, PLAN, drifting, escalated, incident, proposed, verifying

SCHEMA_1: dict[str, Any] = {
    "id": "fragile-1",
    "target": "fragile",
    "status": "VERIFYING",
    "opened_at": "2026-11-21T09:40:10.123Z",
    "reason": "applied",
    "override_stands": True,
    "plan": {"kind": "environment", "variable": "FAILURE_RATE", "before": "0.3", "after": "0"},
}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("0.3", "0.3"),
        (None, "not set"),
        ("", "''"),
        (" 0", "' 0'"),
        ("\x1b[2J", r"'\x1b[2J'"),
        ("a\u202eb", r"'a\u202eb'"),
    ],
)
def test_a_value_hides_nothing(given: str | None, told: str) -> None:
    assert shown(given) == told


def test_all_that_is_approved_is_shown() -> None:
    told = "\n".join(plan_lines(Plan("override", "RATE", None, "0", "c" * 44, "d" * 64, 600), "shop"))
    for words in ("shop", "override", "RATE", "not set → 0", "c" * 12, "d" * 12, "under watch 600 s"):
        assert words in told
    assert plan_lines(PLAN, "fragile")[-1].split() == ["plan", PLAN.digest("fragile")]
    assert "of the function itself" in "\n".join(
        plan_lines(Plan("limit_concurrency", "", None, "1", "", ""), "x")
    )


def test_a_change_in_words() -> None:
    assert change(PLAN) == "environment:FAILURE_RATE 0.3 → 0"
    assert change(Plan("limit_concurrency", "", None, "1", "", "")) == "limit_concurrency not set → 1"


def test_schema_1_is_understood() -> None:
    (stands,) = standing_of(SCHEMA_1)
    assert change(stands.plan) == row(SCHEMA_1)[4] == "environment:FAILURE_RATE 0.3 → 0"
    assert "stands" in "\n".join(incident_lines(SCHEMA_1, NOW))
    assert standing_of(SCHEMA_1 | {"override_stands": False}) == ()


def test_drift_is_told_in_the_list() -> None:
    one = drifting()
    assert row(one, drift=True)[2:5:2] == ("RECOVERED, drift stands", "environment:FAILURE_RATE 0.3 → 0")


def test_everything_about_an_incident() -> None:
    told = "\n".join(
        incident_lines(
            escalated(
                guard={"reason": "budget-spent", "limit": 6, "found": 6, "until": "2026-11-22T00:00:00.000Z"},
                evidence={
                    "since": "x", "requests": 140, "errors": 3, "verdict": "ill",
                    "probes": 20, "probe_errors": 1,
                },
                tried=["environment:FAILURE_RATE"],
                approval={"plan": "0" * 16, "by": "arn:ann", "at": "noon"},
                effect="revert",
                lease_until="2026-11-21T09:51:00.000Z",
            ),
            NOW,
        )
    )  # fmt: skip
    for words in (
        "ESCALATED (mode-forbids-acting)",
        "budget-spent, limit 6, found 6, until 2026-11-22",
        "3 errors of 140 requests, 1 of 20 probes since x: ill",
        "environment:FAILURE_RATE",
        "of 0000000000000000 by arn:ann at noon",
        "revert, lease until",
        "remedy-ineffective, since 2026-11-21T09:45:00.000Z, until it is released",
    ):
        assert words in told
    assert "(over)" in "\n".join(
        incident_lines(
            incident("OPEN", hold={"reason": "flapping", "until": "2026-11-21T09:00:00.000Z"}), NOW
        )
    )


def test_the_history_is_a_timeline() -> None:
    (line,) = history_lines(proposed()["history"])
    assert line.split() == ["2026-11-21T09:40:11.000Z", "OPEN", "→", "PROPOSED", "mode-forbids-acting"]


@pytest.mark.parametrize(
    ("one", "mode", "verbs"),
    [
        (proposed(), Mode.SUGGEST, ["approve", "incidents", "mode"]),
        (proposed(), Mode.OBSERVE, ["incidents"]),
        (verifying(), Mode.ACT, ["rollback", "incidents", "mode"]),
        (escalated(), Mode.ACT, ["rollback", "release", "incidents", "mode"]),
        (drifting(), Mode.ACT, ["restore", "accept"]),
        (incident("RECOVERED"), Mode.ACT, []),
    ],
)
def test_only_what_makes_sense_is_offered(one: dict[str, Any], mode: Mode, verbs: list[str]) -> None:
    steps = next_steps(one, [one], mode, NOW, " --stack prod --aws")
    assert [step.command.split()[1] for step in steps] == verbs
    assert all(step.command.endswith(" --stack prod --aws") for step in steps)


def test_the_offered_approval_names_the_plan() -> None:
    one = proposed()
    first = next_steps(one, [one], Mode.SUGGEST, NOW)[0]
    assert first.command == f"selfheal approve {one['id']} --plan {PLAN.digest('fragile')}"


def test_before_all_is_deleted_it_is_said_what_stays() -> None:
    found = [verifying(), drifting(target="shop"), incident("RECOVERED", target="well")]
    told = farewell_lines(found, drifts(found), " --aws")
    assert f"record of {found[0]['id']} is deleted" in told[0]
    assert f"selfheal rollback {found[0]['id']} --why TEXT --aws" in told[1]
    assert "On shop stands" in told[2]
    assert "selfheal restore shop --why TEXT --aws" in told[2]
    assert "stay changed" in told[3]
    assert len(told) == 4
    assert farewell_lines(found[2:], []) == []
    assert "stay changed" not in " ".join(farewell_lines([proposed()], []))


def test_an_override_that_makes_no_difference_is_said_to() -> None:
    assert "the mode in effect is observe" in str(caution(Mode.OBSERVE, ModeOverride(1, Mode.ACT)))
    assert caution(Mode.ACT, ModeOverride(1, Mode.OBSERVE)) is None
    assert caution(Mode.ACT, ModeOverride(1)) is None
    assert caution(None, ModeOverride(1, Mode.OBSERVE)) is None
    assert "least restrictive" in str(caution(None, ModeOverride(1, Mode.ACT)))


def moved(one: dict[str, Any], to: str, reason: str) -> dict[str, Any]:
    line = {"at": "2026-11-21T09:51:00.000Z", "source": one["status"], "to": to, "reason": reason}
    return one | {"status": to, "reason": reason, "history": [*one["history"], line]}


def test_an_answer_is_what_is_new() -> None:
    before = proposed()
    done = moved(moved(before, "ACTING", "approved"), "VERIFYING", "applied")
    assert answer_of(Verb.APPROVE, done, before) == Answer("VERIFYING", "applied", refused=False)
    assert [line["reason"] for line in news(done, before)] == ["approved", "applied"]


def test_a_refusal_is_told_even_if_the_healer_went_on() -> None:
    before = proposed()
    stale = moved(before, "PROPOSED", "approval-stale")
    assert answer_of(Verb.APPROVE, stale, before) == Answer("PROPOSED", "approval-stale", refused=True)
    gone_on = moved(stale, "RECOVERED", "recovered-without-an-act")
    assert answer_of(Verb.APPROVE, gone_on, before) == Answer("RECOVERED", "approval-stale", refused=True)


def test_what_is_found_after_a_release_is_no_refusal_of_it() -> None:
    before = escalated()
    found = moved(moved(before, "OPEN", "released"), "ESCALATED", "value-changed-by-someone-else")
    assert not answer_of(Verb.RELEASE, found, before).refused
    assert answer_of(Verb.ROLLBACK, found, before).refused
