"""How many calls a run makes that has nothing to do, and what it makes of answers that are not whole."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from selfheal.functions.healer import ledger
from selfheal.functions.healer.ledger import Ledger
from selfheal.functions.healer.states import Status, Verb
from selfheal.functions.healer.target import Target
from tests.functions.support.faults import aws_error
from tests.functions.support.handler import SCHEDULE, Healer
from tests.functions.support.tap import Tap, Tapped
from tests.functions.support.world import TARGET, TOPIC

OPERATOR = {"wake": "operator"}
OK_MESSAGE = {"Records": [{"EventSource": "aws:sns", "Sns": {"TopicArn": TOPIC, "Message": "OK"}}]}
AT_ONCE = ["batch_get_item", "describe_alarms"]
OTHERS = ("cart", "search", "users", "mail", "stock", "prices", "reports")


def eight(healer: Healer) -> list[str]:
    """Let the healer look after eight targets that are well; return where its calls are noted."""
    others = [named(name) for name in OTHERS]
    for rule in (rule for target in others for rule in target.alarms):
        healer.cloudwatch.set(rule.name, "OK", healer.now)
    healer.look_after(TARGET, *others)
    return noted(healer)


def named(name: str) -> Target:
    alarms = tuple(replace(rule, name=f"{name}-{rule.name}") for rule in TARGET.alarms)
    return replace(TARGET, name=name, function=f"{name}-fn", alarms=alarms)


def noted(healer: Healer) -> list[str]:
    calls: list[str] = []
    tap = Tap(dict, lambda name, _arguments, _before: calls.append(name))
    aws = healer.aws
    dynamodb, cloudwatch = Tapped(aws.dynamodb, tap), Tapped(aws.cloudwatch, tap)
    lambda_, sns = Tapped(aws.lambda_, tap), Tapped(aws.sns, tap)
    more = {"lambda_": lambda_, "sns": sns, "prober": Tapped(aws.prober, tap)}
    healer.set(
        AWS=replace(aws, dynamodb=dynamodb, cloudwatch=cloudwatch, ledger=Ledger(dynamodb, "ledger"), **more)
    )
    return calls


@pytest.mark.parametrize("event", [SCHEDULE, OPERATOR, OK_MESSAGE])
def test_a_run_that_finds_all_eight_targets_well_makes_two_calls(
    healer: Healer, event: dict[str, Any]
) -> None:
    calls = eight(healer)
    decisions = healer.handle(event)["decisions"]
    assert decisions == dict.fromkeys(("shop", *OTHERS), "healthy")
    assert calls == AT_ONCE


@pytest.mark.parametrize("event", [SCHEDULE, OPERATOR, OK_MESSAGE])
def test_an_incident_that_is_over_and_a_request_that_is_answered_cost_nothing_more(
    healer: Healer, event: dict[str, Any]
) -> None:
    healer.break_down()
    healer.handle()
    healer.cloudwatch.set("fast", "OK", healer.now)
    healer.ask(Verb.ROLLBACK)
    healer.handle(OPERATOR)
    known = healer.incident
    closed = known.closed(healer.now, "someone", "a test").notified()
    closed = replace(closed, version=known.version + 1, hold=None)
    healer.aws.ledger.write(None, known, closed)
    assert closed.answered
    calls = eight(healer)
    healer.handle(event)
    assert calls == AT_ONCE


def test_a_request_of_a_person_is_read_when_they_have_woken_the_healer(healer: Healer) -> None:
    healer.break_down()
    healer.handle()
    healer.cloudwatch.set("fast", "OK", healer.now)
    calls = eight(healer)
    healer.ask(Verb.ROLLBACK)
    healer.handle(OPERATOR)
    assert healer.function.variables["FAILURE_RATE"] == "0.3"
    # Of the seven others nothing more was read.
    assert calls.count("describe_alarms") == 2


def test_an_alarm_that_is_missing_fails_its_own_target_only(healer: Healer) -> None:
    eight(healer)
    del healer.cloudwatch.states["cart-fast"]
    healer.break_down()
    wrong = "1 of 8 targets failed: cart: alarms not found: cart-fast"
    with pytest.raises(healer.handler.RunFailedError, match=wrong):
        healer.handle()
    assert (healer.incident.status, len(healer.function.updates)) == (Status.VERIFYING, 1)


def test_when_the_alarms_cannot_be_read_at_once_each_target_reads_its_own(
    healer: Healer, monkeypatch: pytest.MonkeyPatch
) -> None:
    eight(healer)
    describe: Any = getattr(healer.cloudwatch, "_describe_alarms")  # noqa: B009 - the fake's own

    def limited(AlarmNames: list[str], AlarmTypes: list[str]) -> dict[str, Any]:
        if len(AlarmNames) > 2:
            raise aws_error("Throttling", "DescribeAlarms")
        return describe(AlarmNames, AlarmTypes)

    monkeypatch.setattr(healer.cloudwatch, "_describe_alarms", limited)
    healer.break_down()
    assert healer.handle()["decisions"]["cart"] == "healthy"
    assert len(healer.function.updates) == 1


def test_an_item_that_is_damaged_hides_its_own_target_only(healer: Healer) -> None:
    eight(healer)
    item = {"pk": {"S": "target#cart"}, "sk": {"S": "incident"}, "schema": {"N": "2"}}
    healer.dynamodb.put_item(TableName="ledger", Item=item)
    healer.break_down()
    with pytest.raises(healer.handler.RunFailedError, match=r"1 of 8 targets failed: cart: .*is damaged"):
        healer.handle()
    assert (healer.incident.status, len(healer.function.updates)) == (Status.VERIFYING, 1)


def test_what_decides_a_change_is_read_after_what_was_read_at_once(
    healer: Healer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An alarm that rang when the run began, and is OK when its target is looked at, changes nothing."""
    eight(healer)
    healer.break_down()
    describe: Any = getattr(healer.cloudwatch, "_describe_alarms")  # noqa: B009 - the fake's own

    def then_ok(AlarmNames: list[str], AlarmTypes: list[str]) -> dict[str, Any]:
        answer = describe(AlarmNames, AlarmTypes)
        healer.cloudwatch.set("fast", "OK", healer.now)
        return answer

    monkeypatch.setattr(healer.cloudwatch, "_describe_alarms", then_ok)
    healer.handle()
    assert healer.function.updates == []


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    waited: list[float] = []
    with monkeypatch.context() as patch:
        patch.setattr(ledger.time, "sleep", waited.append)
        yield waited


class Reluctant:
    """A DynamoDB that leaves keys out of its answers, the last ones first."""

    def __init__(self, healer: Healer, answers: int) -> None:
        self.table, self.answers = healer.dynamodb, answers
        self.asked: list[int] = []

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:
        ((table, asked),) = RequestItems.items()
        keys = asked["Keys"]
        self.asked.append(len(keys))
        some = keys if len(self.asked) > self.answers else keys[:-1]
        answer = self.table.batch_get_item({table: asked | {"Keys": some}})
        left = [key for key in keys if key not in some]
        return answer | {"UnprocessedKeys": {table: asked | {"Keys": left}} if left else {}}


def test_what_dynamodb_left_out_is_asked_for_again(healer: Healer, waits: list[float]) -> None:
    healer.break_down()
    healer.handle()
    table = Reluctant(healer, 1)
    seen = Ledger(table, "ledger").glance(["cart", "shop"])
    assert seen.incident("shop") == healer.incident
    assert seen.incident("cart") is None
    assert (table.asked, waits) == ([4, 1], [0.1])


def test_what_dynamodb_leaves_out_for_good_is_not_taken_for_absent(
    healer: Healer, waits: list[float]
) -> None:
    healer.break_down()
    table = Reluctant(healer, 9)
    healer.set(AWS=replace(healer.aws, ledger=Ledger(table, "ledger")))
    with pytest.raises(ValueError, match="DynamoDB did not read target#shop/incident"):
        healer.handle()
    assert healer.function.updates == []
    assert waits == [0.1, 0.3]


def test_the_clock_is_the_one_of_the_ledger(healer: Healer) -> None:
    healer.dynamodb.clock = lambda: healer.now - timedelta(hours=1)
    ahead = healer.aws.ledger.glance([]).clock.ahead
    assert timedelta(minutes=59) < ahead < timedelta(minutes=62)
