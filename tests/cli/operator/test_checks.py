"""What may be asked for, and what is said when it may not."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from selfheal.cli.errors import CliError
from selfheal.cli.operator.checks import approvable_plan, check_command, is_allowed, is_held
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.incident_fields import Hold
from selfheal.functions.healer.states import Effect, Reason, Status, Verb
from selfheal.functions.shared.contract import Mode
from tests.cli.support import (
    DIGEST,
    NOW,
    OTHER_PLAN,
    PLAN,
    drifting,
    escalated,
    incident,
    item_of,
    ledger_of,
    proposed,
    verifying,
)

COMMANDS = [Verb.ROLLBACK, Verb.RELEASE, Verb.RESTORE, Verb.ACCEPT, Verb.CLOSE]
NOTHING = set[Verb]()


@pytest.mark.parametrize("mode", [Mode.SUGGEST, Mode.ACT])
@pytest.mark.parametrize("digest", [None, DIGEST])
def test_the_plan_that_was_proposed_may_be_approved(mode: Mode, digest: str | None) -> None:
    assert approvable_plan(proposed(), ledger_of(proposed()), mode, digest) == PLAN


@pytest.mark.parametrize(
    ("one", "mode", "digest", "words"),
    [
        (verifying(), Mode.SUGGEST, None, "Only an incident in PROPOSED.*is VERIFYING"),
        (drifting(), Mode.SUGGEST, None, "is RECOVERED"),
        (proposed(), Mode.OBSERVE, None, "in effect is observe"),
        (proposed(), Mode.SUGGEST, "0" * 16, "The world changed: the plan .* is [0-9a-f]{16} now, not 0{16}"),
        (incident(Status.PROPOSED), Mode.SUGGEST, None, "has no plan"),
    ],
)
def test_anything_else_may_not(one: Incident, mode: Mode, digest: str | None, words: str) -> None:
    with pytest.raises(CliError, match=words):
        approvable_plan(one, ledger_of(one), mode, digest)


@pytest.mark.parametrize("digest", ["f" * 16, "", OTHER_PLAN.digest("fragile")])
def test_a_plan_that_was_tampered_with_is_not_approved(digest: str) -> None:
    tampered = item_of(proposed(), plan_digest=digest)
    with pytest.raises(CliError, match="contradicts itself"):
        approvable_plan(proposed(), ledger_of(tampered), Mode.SUGGEST)


def held(status: Status, until: str | None) -> Incident:
    return incident(status, hold=Hold(Reason.FLAPPING, "2026-11-21T09:00:00.000Z", until))


@pytest.mark.parametrize(
    ("one", "sensible"),
    [
        (incident(Status.OPEN), NOTHING),
        (proposed(), NOTHING),
        (incident(Status.ACTING, plan=PLAN, effect=Effect.APPLY), {Verb.ROLLBACK}),
        (verifying(), {Verb.ROLLBACK}),
        (incident(Status.ESCALATED), {Verb.RELEASE}),
        (escalated(), {Verb.ROLLBACK, Verb.RELEASE}),
        (incident(Status.RECOVERED), NOTHING),
        (drifting(), {Verb.RESTORE, Verb.ACCEPT}),
        (held(Status.RECOVERED, None), {Verb.RELEASE}),
        (held(Status.RECOVERED, "2026-11-21T09:50:01.000Z"), {Verb.RELEASE}),
        (held(Status.RECOVERED, "2026-11-21T09:49:59.000Z"), NOTHING),
    ],
)
def test_each_command_has_its_states(one: Incident, sensible: set[Verb]) -> None:
    assert {verb for verb in COMMANDS if is_allowed(verb, one, ledger_of(one), Mode.ACT, NOW)} == sensible


@pytest.mark.parametrize(
    ("verb", "one", "words"),
    [
        (Verb.ROLLBACK, drifting(), "Only an open incident.*is RECOVERED.*`selfheal restore fragile`"),
        (Verb.ROLLBACK, proposed(), "needs a change to undo.*PROPOSED"),
        (Verb.RELEASE, verifying(), "Only a hold, or an incident in ESCALATED.*is VERIFYING"),
        (Verb.RESTORE, verifying(), "after recovery.*is VERIFYING.*`selfheal rollback"),
        (Verb.ACCEPT, incident(Status.RECOVERED), "`accept` needs a change that still stands"),
    ],
)
def test_an_error_says_what_is_allowed_what_is_and_what_to_do(verb: Verb, one: Incident, words: str) -> None:
    with pytest.raises(CliError, match=f"(?s){words}.*selfheal incidents show {one.id}"):
        check_command(verb, one, ledger_of(one), NOW)


def test_what_to_look_at_is_in_the_same_stack() -> None:
    one, options = verifying(), " --stack orders --aws"
    incidents = replace(ledger_of(one), options=options)
    for check in (
        partial(check_command, Verb.RELEASE, one, incidents, NOW),
        partial(approvable_plan, one, incidents, Mode.ACT),
    ):
        with pytest.raises(CliError, match=f"selfheal incidents show {one.id}{options}$"):
            check()
    with pytest.raises(CliError, match=f"`selfheal rollback {one.id}{options}`"):
        check_command(Verb.RESTORE, one, incidents, NOW)
    with pytest.raises(CliError, match=f"`selfheal mode{options}` shows who restricted it"):
        approvable_plan(proposed(), replace(ledger_of(proposed()), options=options), Mode.OBSERVE)


REMOVED = Reason.TARGET_REMOVED


@pytest.mark.parametrize(
    ("one", "targets", "sensible"),
    [
        (verifying(), {"shop"}, {Verb.CLOSE}),
        (proposed(), {"shop"}, {Verb.CLOSE}),
        (escalated(), {"shop"}, {Verb.CLOSE}),
        (drifting(), {"shop"}, {Verb.CLOSE}),
        (held(Status.RECOVERED, None), {"shop"}, NOTHING),
        (incident(Status.CLOSED), {"shop"}, NOTHING),
        (incident(Status.CLOSED), {"fragile"}, NOTHING),
        (verifying(), {"fragile", "shop"}, {Verb.ROLLBACK}),
        # Configured again: the healer has not run yet.
        (escalated(reason=REMOVED), {"fragile"}, {Verb.ROLLBACK, Verb.RELEASE}),
        # The ledger does not tell which targets there are.
        (escalated(reason=REMOVED), None, {Verb.CLOSE}),
        (escalated(), None, {Verb.ROLLBACK, Verb.RELEASE}),
    ],
)
def test_for_a_removed_target_there_is_one_command(
    one: Incident, targets: set[str] | None, sensible: set[Verb]
) -> None:
    incidents = replace(ledger_of(one), targets=None if targets is None else frozenset(targets))
    found = {verb for verb in Verb if is_allowed(verb, one, incidents, Mode.ACT, NOW)}
    assert found == sensible


@pytest.mark.parametrize("verb", Verb)
def test_a_refusal_for_a_removed_target_says_why_and_what_to_do(verb: Verb) -> None:
    one = proposed()
    incidents = replace(ledger_of(one), targets=frozenset({"shop"}))
    if verb is Verb.CLOSE:
        incidents = replace(incidents, targets=frozenset({"fragile"}))
        words = "fragile is a target of the healer, which closes .* by evidence"
    else:
        words = f"a deployment removed it.*no {verb}.*selfheal close {one.id} --why TEXT"
    check = partial(check_command, verb, one, incidents, NOW)
    if verb is Verb.APPROVE:
        check = partial(approvable_plan, one, incidents, Mode.SUGGEST)
    with pytest.raises(CliError, match=words):
        check()


def test_a_hold_is_over_when_its_time_is() -> None:
    assert is_held(escalated(), NOW)
    assert not is_held(incident(Status.OPEN), NOW)


@pytest.mark.parametrize("newer", [verifying(), item_of(verifying(), schema=3)])
@pytest.mark.parametrize("verb", Verb)
def test_an_incident_that_a_newer_one_took_over_is_not_acted_on(verb: Verb, newer: Any) -> None:
    """Also if the newer one cannot be read."""
    old = drifting(id="fragile-old", opened_at="2026-11-20T00:00:00.000Z")
    incidents = ledger_of(newer, item_of(old, archived=True))
    check = partial(check_command, verb, old, incidents, NOW)
    if verb is Verb.APPROVE:
        check = partial(approvable_plan, old, incidents, Mode.ACT)
    with pytest.raises(CliError, match=f"newer incident, {verifying().id}, which is VERIFYING"):
        check()
