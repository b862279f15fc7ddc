"""Whoever can write the ledger must not thereby choose what is changed."""

from dataclasses import replace

import pytest

from selfheal.functions.healer.execute import execute
from selfheal.functions.healer.incident_fields import Plan
from selfheal.functions.healer.live import Live
from selfheal.functions.healer.observation import Decision
from selfheal.functions.healer.states import Effect, Reason, Status
from selfheal.functions.healer.target import Setting
from tests.functions.support.world import World


def forge(world: World) -> Plan:
    """Have the incident intend to take a change of another variable back."""
    world.break_down()
    world.step()
    world.cloudwatch.set("fast", "OK", world.now)
    incident = world.incident
    assert incident.plan is not None
    plan = replace(incident.plan, setting="OTHER", before="evil", after="kept")
    forged = replace(
        incident,
        status=Status.ACTING,
        version=incident.version + 1,
        plan=plan,
        effect=Effect.REVERT,
        purpose=Reason.ROLLED_BACK,
    )
    world.aws.ledger.write(None, incident, forged)
    return plan


def test_a_forged_intent_on_a_setting_that_is_no_remedy_is_refused(world: World) -> None:
    forge(world)
    assert world.step().reason is Reason.NO_REMEDY
    assert world.function.variables["OTHER"] == "kept"
    assert len(world.function.updates) == 1


def test_the_last_step_refuses_it_too(world: World) -> None:
    plan = forge(world)
    seen = replace(world.observe(), about=Setting("environment", "OTHER"), live=Live("kept", "1", None))
    intent = replace(world.incident, version=world.incident.version + 1, plan=plan)
    with pytest.raises(ValueError, match="environment:OTHER is no remedy of target shop"):
        execute(seen, Decision(Reason.ROLLED_BACK, intent), world.aws, world.clock)
    assert world.function.variables["OTHER"] == "kept"
