"""What may be asked for, and what is said when it may not."""

from typing import Any

import pytest

from selfheal.cli.errors import CliError
from selfheal.cli.operator.checks import allowed, approvable, commandable, held
from selfheal.cli.operator.ledger import current_of, drifts, find
from selfheal.functions.healer.words import Verb
from selfheal.functions.shared.contract import Mode
from tests.cli.support import HELD, NOW, PLAN, drifting, escalated, incident, proposed, verifying

COMMANDS = [Verb.ROLLBACK, Verb.RELEASE, Verb.RESTORE, Verb.ACCEPT]
OLD: dict[str, Any] = {
    "version": 3,
    "id": "fragile-1",
    "target": "fragile",
    "opened_at": "2026-11-21T09:40:10.123Z",
    "reason": "mode-forbids-acting",
    "status": "PROPOSED",
    "plan": {"kind": "environment", "variable": "FAILURE_RATE", "before": "0.3", "after": "0"},
    "history": [],
}
"""As schema 1 had it."""


@pytest.mark.parametrize("mode", [Mode.SUGGEST, Mode.ACT])
def test_the_plan_that_was_proposed_may_be_approved(mode: Mode) -> None:
    one = proposed()
    assert approvable(one, [one], mode) == PLAN
    assert approvable(one, [one], mode, PLAN.digest("fragile")) == PLAN


@pytest.mark.parametrize(
    ("one", "mode", "digest", "words"),
    [
        (verifying(), Mode.SUGGEST, None, "Only an incident in PROPOSED.*is VERIFYING"),
        (drifting(), Mode.SUGGEST, None, "is RECOVERED"),
        (proposed(), Mode.OBSERVE, None, "in effect is observe"),
        (proposed(), Mode.SUGGEST, "0" * 16, "The world changed: the plan .* is [0-9a-f]{16} now, not 0{16}"),
        (proposed(plan_digest="f" * 16), Mode.SUGGEST, None, "contradicts itself"),
        (incident("PROPOSED"), Mode.SUGGEST, None, "has no plan"),
        (OLD, Mode.SUGGEST, None, "earlier version"),
        (proposed(schema=3), Mode.SUGGEST, None, "newer healer"),
    ],
)
def test_anything_else_may_not(one: dict[str, Any], mode: Mode, digest: str | None, words: str) -> None:
    with pytest.raises(CliError, match=words):
        approvable(one, [one], mode, digest)


def test_a_plan_that_was_tampered_with_is_not_approved() -> None:
    one = proposed()
    one["plan"] = {**one["plan"], "after": "1"}
    with pytest.raises(CliError, match="contradicts itself"):
        approvable(one, [one], Mode.SUGGEST)


def release_only(hold: Any) -> dict[str, Any]:
    return incident("RECOVERED", hold={"reason": "flapping", "since": "2026-11-21T09:00:00.000Z", **hold})


@pytest.mark.parametrize(
    ("one", "sensible"),
    [
        (incident("OPEN"), set[Verb]()),
        (proposed(), set[Verb]()),
        (incident("ACTING", plan=PLAN, effect="apply"), {Verb.ROLLBACK}),
        (verifying(), {Verb.ROLLBACK}),
        (incident("ESCALATED"), {Verb.RELEASE}),
        (escalated(), {Verb.ROLLBACK, Verb.RELEASE}),
        (incident("RECOVERED"), set[Verb]()),
        (drifting(), {Verb.RESTORE, Verb.ACCEPT}),
        (release_only({}), {Verb.RELEASE}),
        (release_only({"until": "2026-11-21T09:50:01.000Z"}), {Verb.RELEASE}),
        (release_only({"until": "2026-11-21T09:49:59.000Z"}), set[Verb]()),
        (OLD | {"status": "VERIFYING", "override_stands": True}, {Verb.ROLLBACK}),
        (drifting(schema=3), set[Verb]()),
    ],
)
def test_each_command_has_its_states(one: dict[str, Any], sensible: set[Verb]) -> None:
    assert {verb for verb in COMMANDS if allowed(verb, one, [one], Mode.ACT, NOW)} == sensible


@pytest.mark.parametrize(
    ("verb", "one", "words"),
    [
        (Verb.ROLLBACK, drifting(), "Only an open incident.*is RECOVERED.*`selfheal restore fragile`"),
        (Verb.ROLLBACK, proposed(), "needs a change to undo.*PROPOSED"),
        (Verb.RELEASE, verifying(), "Only a hold, or an incident in ESCALATED.*is VERIFYING"),
        (Verb.RESTORE, verifying(), "after recovery.*is VERIFYING.*`selfheal rollback"),
        (Verb.ACCEPT, incident("RECOVERED"), "`accept` needs a change that still stands"),
    ],
)
def test_an_error_says_what_is_allowed_what_is_and_what_to_do(
    verb: Verb, one: dict[str, Any], words: str
) -> None:
    with pytest.raises(CliError, match=f"(?s){words}.*selfheal incidents show {one['id']}"):
        commandable(verb, one, [one], NOW)


def test_a_hold_is_over_when_its_time_is() -> None:
    assert held(escalated(), NOW)
    assert not held(incident("OPEN"), NOW)
    assert HELD.until is None


def test_an_incident_that_a_newer_one_took_over_is_not_acted_on() -> None:
    old = drifting(id="fragile-old", opened_at="2026-11-20T00:00:00.000Z")
    new = verifying()
    with pytest.raises(CliError, match=f"newer incident, {new['id']}, which is VERIFYING"):
        commandable(Verb.RESTORE, old, [new, old], NOW)
    assert current_of("fragile", [old, new]) is new
    assert drifts([old, new]) == []
    assert drifts([old]) == [old]
    other = drifting(target="other")
    assert drifts([old, other]) == [old, other]


def test_an_incident_is_found_by_its_id_or_its_targets_name() -> None:
    old = drifting(id="fragile-old", opened_at="2026-11-20T00:00:00.000Z")
    new = verifying()
    assert find([new, old], "fragile") is new
    assert find([new, old], "fragile-old") is old


def test_an_unknown_one_names_what_comes_close() -> None:
    with pytest.raises(CliError, match=r"no target 'fragil' in the ledger\. Did you mean fragile"):
        find([verifying()], "fragil")
    with pytest.raises(CliError, match="`selfheal incidents` lists them"):
        find([verifying()], "zzz")
    with pytest.raises(CliError, match="which has none"):
        find([], "fragile")
