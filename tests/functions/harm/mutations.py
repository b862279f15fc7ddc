"""Parts of a healer that lack a safeguard, and ways to put them in place of the real ones."""

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from selfheal.functions.healer import execute, guards, remedies, respond
from selfheal.functions.healer.aws import Aws
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.ledger import Ledger
from selfheal.functions.healer.live import Live
from selfheal.functions.healer.observation import Decision, Observation
from selfheal.functions.healer.states import Effect, Reason
from selfheal.functions.healer.target import Setting
from tests.functions.support.memory_table import MemoryTable

Mutate = Callable[[pytest.MonkeyPatch], None]
live_of, waiting, put, write = Observation.live_of, guards.waiting, vars(Ledger)["_put"], Ledger.write
put_item, act = MemoryTable.put_item, vars(respond)["_act"]


def always(answer: Any) -> Callable[..., Any]:
    return lambda *_arguments, **_more: answer


def everywhere(original: Any, replacement: Any) -> Mutate:
    """Replace a function of the healer's in every module that uses it."""

    def mutate(patch: pytest.MonkeyPatch) -> None:
        for name, module in list(sys.modules.items()):
            if name.startswith("selfheal.functions.healer"):
                for each in [key for key, value in vars(module).items() if value is original]:
                    patch.setattr(module, each, replacement)

    return mutate


def on(owner: Any, name: str, replacement: Any) -> Mutate:
    return lambda patch: patch.setattr(owner, name, replacement)


def both(*mutations: Mutate) -> Mutate:
    def mutate(patch: pytest.MonkeyPatch) -> None:
        for each in mutations:
            each(patch)

    return mutate


def put_anyway(self: Ledger, before: Incident | None, after: Incident) -> dict[str, Any]:
    entry = put(self, before, after)["Put"]
    return {"Put": {key: entry[key] for key in ("TableName", "Item")}}


def write_without_counting(self: Ledger, seen: Any, before: Any, after: Any, **_act: bool) -> None:
    write(self, seen, before, after)


def act_first(seen: Observation, decision: Decision, aws: Aws, clock: Callable[[], datetime]) -> None:
    if decision.incident is None:
        return
    outcome = vars(execute)["_perform"](seen, decision.incident, aws, clock, 0)
    aws.ledger.write(seen, seen.incident, decision.incident, counts=decision.counts)
    if outcome is not None:
        aws.ledger.write(None, decision.incident, outcome)


def change_whatever_is_asked(seen: Observation, intent: Incident, aws: Aws) -> str | None:
    plan, live = intent.plan, seen.live
    assert plan is not None
    assert live is not None
    value = plan.after if intent.effect is Effect.APPLY else plan.before
    return remedies.write(aws, seen.target, plan.key, live, value)


def believe_that_it_stands(seen: Observation, setting: Setting) -> Live:
    live = live_of(seen, setting)
    standing = seen.incident.standing if seen.incident else ()
    own = [each.plan.after for each in standing if each.plan.key == setting]
    return replace(live, value=own[-1]) if own else live


def notify_again(seen: Observation, incident: Incident) -> Decision:
    return Decision(Reason.NOTICE_DUE, incident.trying_again(seen.now))


def act_without_answering(*arguments: Any) -> Decision:
    return act(*arguments[:5])


def wait_for_others_only(seen: Observation, draft: Incident) -> Any:
    return waiting(seen, replace(draft, acts=1))


def overwriting(kind: Any) -> Mutate:
    """Have a kind of remedy name no revision when it writes."""
    attempt = kind.attempt

    def overwrite(call: Callable[..., Any], **arguments: Any) -> Any:
        return attempt(call, **{key: value for key, value in arguments.items() if key != "RevisionId"})

    return on(kind, "attempt", overwrite)


def put_item_anyway(self: MemoryTable, **arguments: Any) -> dict[str, Any]:
    return put_item(self, Item=arguments["Item"])
