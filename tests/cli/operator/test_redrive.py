"""The loop of a redrive: what is sent, what stays, and what a crash leaves."""

from collections.abc import Callable
from typing import Any

import pytest

from selfheal.cli.errors import CliError
from selfheal.cli.operator.delivery import LONGEST_INVOCATION_SECONDS, Deliveries, NoAddressError
from selfheal.cli.operator.places import HOLD_SECONDS, QueuePlace
from selfheal.cli.operator.redrive import FAILURES_IN_A_ROW, Fate, Outcome, Pace, Redrive, Wish
from tests.cli.operator.fake_queues import ARN, FUNCTION, START, URL, Fakes, Lambda, Sqs, refused, written

TO_ORDERS = written(origin=f"{ARN}orders", target="orders", reason="poison")


class World:
    """A dead-letter queue, two queues, and functions."""

    def __init__(self, **answers: Any) -> None:
        self.sqs = Sqs({"dead": [], "orders": [], "other": []})
        self.functions = Lambda({f"{FUNCTION}{name}": answer for name, answer in answers.items()})
        self.clients = Fakes({"sqs": self.sqs, "lambda": self.functions})
        self.slept: list[float] = []
        self.sqs.now = START - 60

    def letters(self, *bodies: str, attributes: dict[str, Any] = TO_ORDERS, **system: str) -> list[str]:
        return [self.sqs.put("dead", body, attributes, **system)["MessageId"] for body in bodies]

    def redrive(self, *, to: str = "", rate: float = 1000.0, **wish: Any) -> tuple[list[Outcome], Redrive]:
        self.sqs.now = max(self.sqs.now, START)
        outcomes: list[Outcome] = []

        def sleep(seconds: float) -> None:
            self.slept.append(seconds)
            self.sqs.now += seconds

        run = Redrive(
            Timed("dead", f"{URL}dead", self.sqs),
            Deliveries(self.clients, f"{URL}dead", to),
            Wish(**wish),
            outcomes.append,
            Pace(rate, sleep, lambda: self.sqs.now),
        )
        self.ended = run.run()
        return outcomes, run


class Timed(QueuePlace):
    """A queue whose clock is the fake's."""

    def now(self) -> float:
        return self.sqs.now


def fates(outcomes: list[Outcome]) -> list[tuple[str, str]]:
    return [(each.letter.body, each.fate) for each in outcomes]


def test_each_letter_goes_to_its_own_target_and_is_gone_after_that() -> None:
    world = World(bill={})
    world.letters("one", "two")
    world.letters("three", attributes={}, DeadLetterQueueSourceArn=f"{ARN}other")
    world.letters('{"id": 4}', attributes=TO_ORDERS | written(target=f"{FUNCTION}bill"))
    outcomes, run = world.redrive()
    assert {each.fate for each in outcomes} == {Fate.REDRIVEN}
    assert world.sqs.bodies("orders") == ["one", "two"]
    assert world.sqs.bodies("other") == ["three"]
    assert world.functions.payloads == [(f"{FUNCTION}bill", {"id": 4})]
    assert world.sqs.bodies("dead") == []
    assert world.sqs.queues["orders"][0]["MessageAttributes"] == written(redriven="1")
    assert (world.ended, run.came_back()) == ("", [])


def test_a_function_is_called_once_and_waited_for() -> None:
    world = World(bill={})
    world.letters("{}", "{}", attributes=TO_ORDERS | written(target=f"{FUNCTION}bill"))
    world.redrive()
    assert world.clients.waits == [LONGEST_INVOCATION_SECONDS]
    assert HOLD_SECONDS > LONGEST_INVOCATION_SECONDS


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (ValueError("no"), "the function failed (Unhandled): ValueError: no"),
        ({"batchItemFailures": [{"itemIdentifier": "1"}]}, "did not take 1 of its records"),
        ({"batchItemFailures": "nonsense"}, "did not take 1 of its records"),
    ],
)
def test_a_function_that_fails_keeps_its_letter(answer: Any, problem: str) -> None:
    world = World(bill=answer)
    world.letters("{}", attributes=TO_ORDERS | written(target=f"{FUNCTION}bill"))
    outcomes, _ = world.redrive()
    assert [(each.fate, problem in each.problem) for each in outcomes] == [(Fate.LEFT, True)]
    assert (world.sqs.bodies("dead"), world.sqs.visible("dead")) == (["{}"], 1)


@pytest.mark.parametrize("answer", [None, "done", {}, {"batchItemFailures": []}, {"batchItemFailures": None}])
def test_a_function_that_answers_anything_else_took_it(answer: Any) -> None:
    world = World(bill=answer)
    world.letters("{}", attributes=TO_ORDERS | written(target=f"{FUNCTION}bill"))
    assert [each.fate for each in world.redrive()[0]] == [Fate.REDRIVEN]
    assert world.sqs.bodies("dead") == []


BUS = "arn:aws:events:us-east-1:123456789012:event-bus/orders"


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ("", "cannot be told"),
        ("dead", "the dead-letter queue itself"),
        (f"{ARN}dead", "the dead-letter queue itself"),
        (f"{URL}dead", "the dead-letter queue itself"),
        ("nobody", "the queue nobody cannot be had"),
        (BUS, "neither a queue nor a function"),
        ("arn:aws:kinesis:us-east-1:123456789012:stream/s", "neither a queue nor a function"),
        ("arn:aws:lambda:us-east-1:123456789012:layer:l", "neither a queue nor a function"),
        ("arn:aws:sqs:eu-west-1:123456789012:orders", "is in region eu-west-1"),
        ("https://sqs.eu-west-1.amazonaws.com/123456789012/orders", "is in region eu-west-1"),
        (f"{FUNCTION}bill".replace("us-east-1", "eu-west-1"), "is in region eu-west-1"),
        ("../orders", "neither an ARN nor a queue's name"),
    ],
)
def test_a_letter_that_has_nowhere_to_go_stays_where_it_is(target: str, problem: str) -> None:
    world = World()
    world.letters("lost", attributes=TO_ORDERS | written(target=target))
    world.letters("found")
    outcomes, _ = world.redrive()
    assert fates(outcomes) == [("lost", Fate.LEFT), ("found", Fate.REDRIVEN)]
    assert problem in outcomes[0].problem
    assert (world.sqs.bodies("dead"), world.sqs.visible("dead")) == (["lost"], 1)


def test_a_target_can_be_given_but_not_the_queue_itself() -> None:
    world = World()
    world.letters("garbage", attributes={})
    assert [each.fate for each in world.redrive(to="other")[0]] == [Fate.REDRIVEN]
    assert world.sqs.bodies("other") == ["garbage"]
    with pytest.raises(NoAddressError, match="itself"):
        Deliveries(world.clients, f"{URL}dead").resolve(f"{ARN}dead")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(1)])
def test_a_crash_before_the_send_changes_nothing(error: BaseException) -> None:
    world = World()
    world.letters("one", "two")
    world.sqs.crash["send_message"] = error
    with pytest.raises(type(error)):
        world.redrive()
    assert (world.sqs.bodies("dead"), world.sqs.visible("dead")) == (["one", "two"], 2)
    assert world.sqs.bodies("orders") == []


def test_a_crash_between_send_and_delete_sends_a_letter_twice_with_the_same_mark_and_loses_none() -> None:
    world = World()
    world.letters("one", "two")
    world.sqs.crash["delete_message"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        world.redrive()
    assert (world.sqs.bodies("dead"), world.sqs.visible("dead")) == (["one", "two"], 2)
    assert world.sqs.bodies("orders") == ["one"]
    world.sqs.crash.clear()
    world.redrive()
    assert world.sqs.bodies("dead") == []
    assert world.sqs.bodies("orders") == ["one", "one", "two"]
    marks = {each["MessageAttributes"]["redriven"]["StringValue"] for each in world.sqs.queues["orders"]}
    assert marks == {"1"}


def test_a_delete_that_is_refused_is_said() -> None:
    world = World()
    world.letters("one")
    world.sqs.crash["delete_message"] = refused("AccessDenied", "no", "DeleteMessage")
    outcomes, _ = world.redrive()
    assert outcomes[0].fate is Fate.REDRIVEN
    assert "not deleted" in outcomes[0].problem
    assert world.sqs.bodies("orders") == ["one"]


def test_the_rate_is_kept() -> None:
    world = World()
    world.letters(*"abcde")
    world.redrive(rate=4)
    assert world.slept == [0.25] * 4


def test_a_pause_is_not_caught_up_with() -> None:
    now, slept = [0.0], list[float]()
    pace = Pace(2, slept.append, lambda: now[0])
    for moment in (0.0, 10.0, 10.0, 10.5):
        now[0] = moment
        pace.wait()
    assert slept == [0.5, 0.5]


def test_only_what_is_wanted_is_sent_and_the_rest_is_visible_again() -> None:
    world = World()
    ids = world.letters("one", "two", "three")
    outcomes, _ = world.redrive(only=frozenset(ids[1:2]))
    assert fates(outcomes) == [("two", Fate.REDRIVEN)]
    assert (world.sqs.bodies("dead"), world.sqs.visible("dead")) == (["one", "three"], 2)


def test_the_limit_counts_what_was_tried() -> None:
    world = World()
    world.letters("lost", attributes=TO_ORDERS | written(target=""))
    world.letters("one", "two", "three")
    outcomes, _ = world.redrive(limit=2)
    assert [each.fate for each in outcomes] == [Fate.LEFT, Fate.REDRIVEN, Fate.REDRIVEN]
    assert world.ended == "the limit of 2 was reached"
    assert world.sqs.visible("dead") == 2


def test_a_dry_run_sends_nothing_and_hides_nothing() -> None:
    world = World()
    world.letters("one", "two")
    world.letters("lost", attributes={})
    outcomes, _ = world.redrive(dry_run=True)
    assert [each.fate for each in outcomes] == [Fate.WOULD_BE, Fate.WOULD_BE, Fate.LEFT]
    assert (world.sqs.visible("dead"), world.sqs.bodies("orders"), world.slept) == (3, [], [])


def test_the_run_ends_when_what_was_to_be_mended_is_not() -> None:
    world = World(bill=RuntimeError("still down"))
    world.letters(*["{}"] * 30, attributes=TO_ORDERS | written(target=f"{FUNCTION}bill"))
    outcomes, _ = world.redrive()
    assert len(outcomes) == len(world.functions.payloads) == FAILURES_IN_A_ROW
    assert "in a row failed again" in world.ended
    assert world.sqs.visible("dead") == 30


def _moved_by_sqs(world: World) -> Callable[[str, dict[str, Any]], None]:
    def consume(queue: str, message: dict[str, Any]) -> None:
        if message["Body"] == "poison":
            world.sqs.queues[queue].remove(message)
            system = {**message["Attributes"], "DeadLetterQueueSourceArn": ARN + queue}
            world.sqs.queues["dead"].append({**message, "Attributes": system})

    return consume


def _moved_by_the_consumer(world: World) -> Callable[[str, dict[str, Any]], None]:
    def consume(queue: str, message: dict[str, Any]) -> None:
        if message["Body"] == "poison":
            world.sqs.queues[queue].remove(message)
            world.sqs.put("dead", "poison", message["MessageAttributes"] | TO_ORDERS)

    return consume


@pytest.mark.parametrize("moved", [_moved_by_sqs, _moved_by_the_consumer])
def test_what_comes_back_during_the_run_is_told_and_not_sent_again(
    moved: Callable[[World], Callable[[str, dict[str, Any]], None]],
) -> None:
    world = World()
    world.letters("poison", "good")
    world.sqs.on_sent = moved(world)
    outcomes, run = world.redrive()
    assert fates(outcomes) == [("poison", "redriven"), ("good", "redriven"), ("poison", "came back")]
    assert [each.body for each in run.came_back()] == ["poison"]
    assert world.sqs.bodies("orders") == ["good"]
    world.sqs.on_sent = lambda _queue, _message: None
    world.sqs.now += 60
    outcomes, _ = world.redrive()
    assert fates(outcomes) == [("poison", "redriven")]
    assert world.sqs.queues["orders"][-1]["MessageAttributes"]["redriven"]["StringValue"] == "2"


def test_what_sqs_moves_back_is_known_even_without_a_mark() -> None:
    world = World()
    own = written(**{f"a{number}": "x" for number in range(10)})
    world.letters("poison", attributes=own, DeadLetterQueueSourceArn=f"{ARN}orders")
    world.sqs.on_sent = _moved_by_sqs(world)
    assert fates(world.redrive()[0]) == [("poison", "redriven"), ("poison", "came back")]


def test_two_letters_alike_are_both_sent() -> None:
    world = World()
    world.letters("same", "same")
    assert fates(world.redrive()[0]) == [("same", "redriven")] * 2


def test_what_arrives_during_the_run_is_left_for_the_next() -> None:
    world = World()
    world.letters("old")

    def consume(_queue: str, message: dict[str, Any]) -> None:
        if message["Body"] == "old":
            world.sqs.now += 10
            world.letters("new")

    world.sqs.on_sent = consume
    outcomes, _ = world.redrive()
    assert fates(outcomes) == [("old", Fate.REDRIVEN), ("new", Fate.ARRIVED)]
    assert (world.sqs.bodies("dead"), world.sqs.visible("dead")) == (["new"], 1)


def test_letters_that_stay_do_not_keep_a_long_run_from_ending() -> None:
    """They become visible again while it runs, and are received again, but not tried again."""
    world = World()
    world.letters(*"abc", attributes=TO_ORDERS | written(target=""))
    world.letters("x", "y", "z")
    outcomes, _ = world.redrive(rate=1 / HOLD_SECONDS)
    assert sorted(fates(outcomes)) == [
        *((each, Fate.LEFT) for each in "abc"),
        *((each, "redriven") for each in "xyz"),
    ]
    assert (world.sqs.bodies("dead"), world.sqs.visible("dead")) == (["a", "b", "c"], 3)


def test_letters_that_stay_do_not_keep_a_slow_queue_from_being_left() -> None:
    """Where a receive takes as long as letters stay hidden, there is always one to receive."""
    world = World()
    world.letters(*"abc", attributes=TO_ORDERS | written(target=""))
    world.sqs.receive_seconds = HOLD_SECONDS
    outcomes, _ = world.redrive()
    assert {each.fate for each in outcomes} == {Fate.LEFT}
    assert len(outcomes) == len({each.letter.id for each in outcomes})


def test_a_look_gives_everything_back() -> None:
    world = World()
    world.letters(*map(str, range(25)))
    place = QueuePlace("dead", f"{URL}dead", world.sqs)
    assert [each.body for each in place.look(100)] == list(map(str, range(25)))
    assert len(place.look(3)) == 3
    assert place.depth().held == 0


def test_a_queue_that_is_no_dead_letter_queue_is_refused() -> None:
    world = World()
    world.sqs.policy = '{"deadLetterTargetArn": "x"}'
    with pytest.raises(CliError, match="is no dead-letter queue"):
        QueuePlace("dead", f"{URL}dead", world.sqs).depth()


def test_a_fifo_target_gets_the_group_and_drops_a_letter_that_is_sent_twice() -> None:
    world = World()
    world.sqs.queues["orders.fifo"] = []
    world.letters(
        "one",
        attributes=TO_ORDERS | written(target="orders.fifo"),
        MessageGroupId="g",
    )
    world.sqs.crash["delete_message"] = KeyboardInterrupt()
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            world.redrive()
    first, second = (each["Attributes"] for each in world.sqs.queues["orders.fifo"])
    assert first["MessageGroupId"] == "g"
    assert first["MessageDeduplicationId"] == second["MessageDeduplicationId"]
