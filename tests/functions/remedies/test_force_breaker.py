"""The circuit of a target is forced open and released, and nobody else's decision is touched."""

import time
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from selfheal.functions.healer import remedies
from selfheal.functions.healer.ledger import Ledger
from selfheal.functions.healer.states import Reason
from selfheal.functions.shared.breaker.circuit import Circuit, Forced, State
from selfheal.functions.shared.breaker.settings import BreakerSettings
from selfheal.functions.shared.breaker.store import Store
from selfheal.functions.shared.contract import FORCED_MARGIN_SECONDS
from tests.functions.support.faults import aws_error
from tests.functions.support.memory_table import MemoryTable
from tests.functions.support.remedy_fakes import CALLS_THROUGH, INCIDENT, Tried, target_with

S = BreakerSettings()


def tried(table: Any = None, name: str = "shop") -> Tried:
    remedy = Tried("force_breaker", dynamodb=table or MemoryTable(), name=name)
    remedy.function.change(**CALLS_THROUGH)
    if table is None:
        Ledger(remedy.aws.dynamodb, "ledger").write(None, None, INCIDENT)
    return remedy


@pytest.fixture
def remedy() -> Tried:
    return tried()


def store(remedy: Tried) -> Store:
    return Store(remedy.aws.dynamodb, "circuits", "payments")


def become(remedy: Tried, after: Circuit) -> None:
    """Someone else changes the circuit."""
    written, _ = store(remedy).replace(store(remedy).read(), after)
    assert written


def forced(state: State, by: str = "ann", seconds: float = 600) -> Forced:
    return Forced(state, by, "the bank moves", time.time() + seconds)


def test_it_is_forced_for_the_time_of_the_remedy_with_who_and_why(remedy: Tried) -> None:
    before = remedy.read()
    assert (before.value, before.token, before.exists, before.obstacle) == (None, "0", True, None)
    assert remedy.write(before, "open") is None
    circuit = store(remedy).read()
    assert (circuit.state, circuit.generation, circuit.episode) == (State.OPEN, 1, 1)
    decision = circuit.forced
    assert decision is not None
    assert (decision.by, decision.why) == ("healer of shop", f"incident {INCIDENT.id}")
    assert decision.until - time.time() == pytest.approx(300 + FORCED_MARGIN_SECONDS, abs=5)
    applied = remedy.read()
    assert (applied.value, applied.settled, applied.breaker_at_work) == ("open", True, False)
    assert applied.configuration == before.configuration


@pytest.mark.parametrize(("seconds", "lasts"), [(60, 360), (86_400, 86_400)])
def test_its_own_end_is_later_than_the_expiry_and_within_a_day(seconds: int, lasts: int) -> None:
    remedy = tried()
    [one] = remedy.target.remedies
    remedy.target = replace(remedy.target, remedies=(replace(one, expires_after=seconds),))
    assert remedy.write(remedy.read(), "open") is None
    decision = store(remedy).read().forced
    assert decision is not None
    assert decision.until - time.time() == pytest.approx(lasts, abs=5)


def test_released_it_is_probed_at_once_and_the_healer_waits_for_the_breaker(remedy: Tried) -> None:
    assert remedy.write(remedy.read(), "open") is None
    assert remedy.write(remedy.read(), None) is None
    circuit = store(remedy).read()
    assert (circuit.state, circuit.forced) == (State.OPEN, None)
    assert circuit.until <= time.time()
    after = remedy.read()
    assert (after.value, after.breaker_at_work) == (None, True)


@pytest.mark.parametrize("state", [State.OPEN, State.CLOSED])
def test_what_a_person_forced_is_not_overwritten_and_not_released(remedy: Tried, state: State) -> None:
    become(remedy, Circuit("payments").force(forced(state), time.time(), S))
    live = remedy.read()
    assert (live.value, live.obstacle) == (f"{state} by ann", Reason.CIRCUIT_FORCED)
    for value in ("open", None):
        assert remedy.write(live, value) == "ChangedMeanwhile"
    decision = store(remedy).read().forced
    assert decision is not None
    assert decision.by == "ann"


def test_what_another_targets_incident_forced_is_that_ones() -> None:
    first = tried()
    assert first.write(first.read(), "open") is None
    other = tried(first.aws.dynamodb, name="billing")
    live = other.read()
    assert (live.value, live.obstacle) == ("open by healer of shop", Reason.CIRCUIT_FORCED)
    assert other.write(live, None) == "ChangedMeanwhile"
    assert first.read().value == "open"


NOW = time.time()
OPENED = Circuit("payments").opened(NOW, 0.5, S)


def at_work(now: float) -> dict[str, Circuit]:
    """Return what a circuit goes through by itself."""
    opened = Circuit("payments").opened(now, 0.5, S)
    half = replace(opened, until=now).half_opened(now)
    slow = replace(half, version=3, state=State.CLOSED, limit=2)
    return {"open": opened, "half": half, "slow": slow, "rested": slow.stepped(now, 2)}


RESTED = at_work(NOW)["rested"]


@pytest.mark.parametrize("stage", ["open", "half", "slow", "rested"])
def test_a_breaker_at_work_is_left_to_it(remedy: Tried, stage: str) -> None:
    # Made now: the clock is real, and tests are collected long before they run.
    circuit = at_work(time.time())[stage]
    become(remedy, circuit)
    live = remedy.read()
    assert (live.value, live.settled, live.breaker_at_work) == (None, True, True)
    assert remedy.write(live, "open") == "ChangedMeanwhile"
    assert store(remedy).read() == circuit


def test_two_minutes_after_an_outage_it_may_be_forced_again(remedy: Tried) -> None:
    become(remedy, replace(RESTED, changed_at=NOW - 121))
    live = remedy.read()
    assert not live.breaker_at_work
    assert remedy.write(live, "open") is None


def test_a_force_whose_time_is_over_is_none(remedy: Tried) -> None:
    past = replace(forced(State.OPEN, "healer of shop"), until=time.time() - 1)
    become(remedy, replace(OPENED, forced=past))
    assert remedy.read().value is None
    assert remedy.write(replace(remedy.read(), value="open"), None) == "ChangedMeanwhile"


def test_a_circuit_that_changed_since_the_read_is_not_written(remedy: Tried) -> None:
    live = remedy.read()
    become(remedy, replace(RESTED, changed_at=NOW - 500))
    assert remedy.write(live, "open") == "ChangedMeanwhile"
    assert store(remedy).read().forced is None


def test_of_two_writers_between_read_and_write_the_first_wins() -> None:
    """The version is compared again by DynamoDB itself."""

    class Overtaken(MemoryTable):
        overtaken = False

        def update_item(self, **arguments: Any) -> dict[str, Any]:
            if not self.overtaken:
                self.overtaken = True
                Store(self, "circuits", "payments").replace(Circuit("payments"), OPENED)
            return super().update_item(**arguments)

    table = Overtaken()
    Ledger(table, "ledger").write(None, None, INCIDENT)
    remedy = tried(table)
    assert remedy.write(remedy.read(), "open") == "ChangedMeanwhile"
    assert store(remedy).read() == OPENED


@pytest.mark.parametrize(
    ("variables", "readable", "gone"),
    [
        ({"CIRCUIT": "other"}, True, True),
        ({"BREAKER_TABLE": ""}, True, True),
        ({}, False, False),
    ],
)
def test_only_the_circuit_that_the_function_calls_through_is_read_or_written(
    remedy: Tried, variables: dict[str, str], readable: bool, gone: bool
) -> None:
    remedy.function.change(**variables)
    remedy.function.readable = readable
    live = remedy.read()
    assert live.exists is not gone
    assert live.value is None
    assert live.is_readable("force_breaker") is (readable and not gone)
    with pytest.raises(ValueError, match="not known to call through force_breaker:payments"):
        remedy.write(live, "open")
    assert store(remedy).read().version == 0


def test_a_value_that_is_none_of_its_own_is_refused(remedy: Tried) -> None:
    with pytest.raises(ValueError, match="only ever forced open or released, not 'closed'"):
        remedy.write(remedy.read(), "closed")


def test_without_a_recorded_incident_nothing_is_forced() -> None:
    remedy = tried(MemoryTable())
    with pytest.raises(ValueError, match="no incident intends to force"):
        remedy.write(remedy.read(), "open")
    assert store(remedy).read().version == 0


@pytest.mark.parametrize(
    ("code", "raises"),
    [("ThrottlingException", False), ("AccessDeniedException", False), ("InternalServerError", True)],
)
def test_what_dynamodb_rejects_is_told_from_an_error(
    remedy: Tried, monkeypatch: pytest.MonkeyPatch, code: str, raises: bool
) -> None:
    def refuse(**_: Any) -> None:
        raise aws_error(code, "UpdateItem")

    live = remedy.read()
    monkeypatch.setattr(remedy.aws.dynamodb, "update_item", refuse)
    if not raises:
        assert remedy.write(live, "open") == code
        return
    with pytest.raises(ClientError):
        remedy.write(live, "open")


@pytest.mark.parametrize("kind", ["rollback_alias", "limit_concurrency"])
@pytest.mark.parametrize(("circuit", "at_work"), [(OPENED, True), (Circuit("payments", version=1), False)])
def test_other_remedies_of_the_target_learn_that_its_breaker_is_at_work(
    remedy: Tried, kind: str, circuit: Circuit, at_work: bool
) -> None:
    become(remedy, circuit)
    target = target_with(kind, "force_breaker")
    assert remedies.read(remedy.aws, target, target.remedies[0].setting).breaker_at_work is at_work
