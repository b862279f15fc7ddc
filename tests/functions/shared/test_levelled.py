"""The consumer of a levelled queue, on a clock of its own, with an SQS client that keeps what it is asked."""

import json
from dataclasses import dataclass, field, replace
from itertools import count, pairwise
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from selfheal.functions.shared import levelled
from selfheal.functions.shared.batch import DeadLetterQueue, PoisonError, Record, RefusedError
from selfheal.functions.shared.contract import SERIES, AlarmKind
from selfheal.functions.shared.levelled import PROBE_ATTRIBUTE, Level, LevelledQueue
from selfheal.functions.shared.pace import SPARE_SECONDS, Pace, has_time, too_old

HOUR, DAY = 3600.0, 86400.0
EPOCH = 1_800_000_000.0
LEVEL = Level(seconds_per_message=0.5, max_age_seconds=6 * HOUR, retention_seconds=4 * DAY)
NUMBERS = count(1)


@dataclass
class Place:
    """A function, its clock, and its SQS: one of the places of a queue."""

    level: Level = LEVEL
    outages: float = 0.0
    timeout: float = 30.0
    queue_takes_letters: bool = True
    call_seconds: float = 0.001
    """How long SQS takes to answer."""
    now: float = 0.0
    ends: float = 0.0
    began: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    """When each message was begun, and its body."""
    hidden: dict[str, int] = field(default_factory=dict[str, int])
    """Receipt handle to visibility timeout."""
    letters: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    function_name: str = "consumer"
    started: list[bool] = field(default_factory=lambda: [True])
    """Empty for an environment that runs its first batch."""

    def run(self, *records: Record) -> list[str]:
        """Run a batch and return the bodies of what comes again."""
        dead, evicted = (DeadLetterQueue(self, url, "fulfilment") for url in ("dead", "evicted"))
        queue = LevelledQueue(
            self,
            "url",
            dead,
            evicted,
            self.level,
            lambda _since, _until: self.outages,
            wall=lambda: EPOCH + self.now,
            clock=lambda: self.now,
            sleep=self.sleep,
            chance=lambda: 0.5,
            started=self.started,
        )
        self.ends = self.now + self.timeout
        answer = queue.run({"Records": records}, self, self.one)
        bodies = {record["messageId"]: record["body"] for record in records}
        return [bodies[failure["itemIdentifier"]] for failure in answer["batchItemFailures"]]

    def one(self, record: Record) -> None:
        """Take as long as the body says, and end as it says."""
        self.began.append((self.now, record["body"]))
        seconds, _, how = record["body"].partition(" ")
        self.now += float(seconds)
        match how:
            case "poison":
                raise PoisonError("no amount")
            case "refused":
                raise RefusedError("circuit open", 60)
            case "bug":
                raise KeyError("amount")
            case _:
                return

    def sleep(self, seconds: float) -> None:
        # A little early, as sleeps may end.
        self.now += seconds * 0.999 if seconds > 1e-6 else seconds + 1e-9

    def get_remaining_time_in_millis(self) -> float:
        return (self.ends - self.now) * 1000

    def change_message_visibility_batch(self, **arguments: Any) -> dict[str, Any]:
        self.now += self.call_seconds
        self.hidden |= {each["ReceiptHandle"]: each["VisibilityTimeout"] for each in arguments["Entries"]}
        return {}

    def send_message(self, **arguments: Any) -> None:
        self.now += self.call_seconds
        if not self.queue_takes_letters:
            raise ClientError({"Error": {"Code": "ServiceUnavailable", "Message": "no"}}, "SendMessage")
        self.letters.append(arguments)

    def bodies(self) -> list[str]:
        return [body for _, body in self.began]


def message(body: str = "0.1", *, age: float = 1.0, receives: int = 1, now: float = 0.0) -> Record:
    """Return a record as Lambda passes it."""
    number = str(next(NUMBERS))
    attributes = {
        "SentTimestamp": str(int((EPOCH + now - age) * 1000)),
        "ApproximateReceiveCount": str(receives),
    }
    return {
        "messageId": number,
        "receiptHandle": f"handle-{body}",
        "body": body,
        "attributes": attributes,
        "messageAttributes": {},
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:fulfilment",
    }


def told(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return the metrics that were printed, in order."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in lines if "_aws" in line]


HOWS = st.sampled_from(["", "", "", " poison", " refused", " bug"])
BATCHES = st.lists(
    st.lists(
        st.tuples(st.floats(0, 1.5), HOWS).map(lambda drawn: f"{drawn[0]:.3f}{drawn[1]}"),
        min_size=1,
        max_size=10,
    ),
    min_size=1,
    max_size=6,
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(places=st.lists(BATCHES, min_size=1, max_size=5), seconds=st.floats(0.005, 1.0))
@example(places=[[["0"] * 10] * 6] * 5, seconds=0.5)
def test_the_places_together_never_begin_more_than_the_rate(
    places: list[list[list[str]]], seconds: float
) -> None:
    """Whatever the messages do, and though a place runs its batches one right after the other."""
    cap = 5
    rate = cap / seconds
    moments: list[float] = []
    for batches in places:
        place = Place(Level(seconds, HOUR, 4 * DAY))
        for batch in batches:
            place.run(*(message(body, now=place.now) for body in batch))
        assert all(after - before >= seconds - 1e-9 for (before, _), (after, _) in pairwise(place.began))
        moments += [began for began, _ in place.began]
    moments.sort()
    for first, since in enumerate(moments):
        for last in range(first + cap, len(moments)):
            begun = last - first + 1
            assert begun - cap <= rate * (moments[last] - since) + 1e-6


@settings(max_examples=30, deadline=None)
@given(batches=BATCHES, seconds=st.floats(0.02, 1.0))
def test_messages_that_are_quick_enough_come_at_nine_tenths_of_the_rate_or_more(
    batches: list[list[str]], seconds: float
) -> None:
    place = Place(Level(seconds, HOUR, 4 * DAY))
    for batch in batches:
        quick = [f"{float(body.split()[0]) / 1.5 * seconds * 0.9:.6f}" for body in batch]
        place.run(*(message(body, now=place.now) for body in quick))
    assert len(place.began) == sum(map(len, batches))
    assert len(place.began) * seconds / place.now >= 0.9


def test_a_message_that_takes_longer_is_not_waited_for_beyond_that() -> None:
    place = Place()
    place.run(message("2"), message("3"), message("0.1"))
    assert [began for began, _ in place.began] == [0, 2, 5]
    # The last one also keeps its place: another batch begins as soon as this ends.
    assert place.now == pytest.approx(5.5, abs=1e-6)


def test_what_waited_too_long_is_a_letter_and_is_not_handled(capsys: pytest.CaptureFixture[str]) -> None:
    place = Place()
    assert place.run(message("0 old", age=6 * HOUR + 5), message("0 young", age=6 * HOUR - 5)) == []
    assert place.bodies() == ["0 young"]
    (letter,) = place.letters
    said = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert (letter["QueueUrl"], letter["MessageBody"]) == ("evicted", "0 old")
    assert said == {
        "origin": "arn:aws:sqs:us-east-1:123456789012:fulfilment",
        "target": "fulfilment",
        "reason": "waited 21605 s; 21600 s are allowed",
    }
    (line,) = told(capsys)
    assert (line["Evicted"], line["Requests"], line["Errors"]) == (1, 1, 0)
    assert line["OldestAge"] == pytest.approx(21605, abs=0.1)


def test_what_is_evicted_takes_no_time() -> None:
    place = Place()
    place.run(*(message(age=DAY) for _ in range(10)))
    assert place.now < 0.5
    assert len(place.letters) == 10


def test_what_cannot_be_moved_comes_again_and_is_not_handled(capsys: pytest.CaptureFixture[str]) -> None:
    place = Place(queue_takes_letters=False)
    assert place.run(message("0 old", age=DAY)) == ["0 old"]
    assert place.began == []
    assert told(capsys)[0]["Evicted"] == 0


def test_time_in_which_the_circuit_was_open_does_not_count(capsys: pytest.CaptureFixture[str]) -> None:
    place = Place(outages=20 * HOUR)
    assert place.run(message(age=DAY)) == []
    assert (len(place.began), place.letters) == (1, [])
    assert told(capsys)[0]["OldestAge"] == pytest.approx(4 * HOUR, abs=0.1)


@pytest.mark.parametrize(
    ("age", "outages", "reason"),
    [
        (99.0, 0.0, None),
        (100.0, 0.0, None),
        (101.0, 0.0, "waited 101 s; 100 s are allowed"),
        (500.0, 400.0, None),
        (500.0, 300.0, "waited 200 s, beside 300 s in which the circuit was open; 100 s are allowed"),
        (3 * DAY, 3 * DAY, None),
        # An outage does not make the queue keep it longer.
        (3 * DAY + 1, 3 * DAY + 1, "is 259201 s old, and its queue deletes it after 345600 s"),
    ],
)
def test_what_is_too_old(age: float, outages: float, reason: str | None) -> None:
    assert too_old(age, outages, max_age=100, retention=4 * DAY) == reason


def test_what_there_is_no_time_for_goes_back_at_once_untried(capsys: pytest.CaptureFixture[str]) -> None:
    place = Place(timeout=10)
    # After 4 s, 6 remain: enough for another of 4. After 8 s, 2 are not.
    assert place.run(message("4 a"), message("4 b"), message("4 c"), message("0 d")) == ["4 c", "0 d"]
    assert place.bodies() == ["4 a", "4 b"]
    assert place.hidden == {"handle-4 c": 0, "handle-0 d": 0}
    (line,) = [line for line in told(capsys) if line["NotTried"]]
    assert line["NotTried"] == 2


def test_a_queue_that_answers_slowly_does_not_have_a_batch_stopped_while_it_is_given_back() -> None:
    """One call gives them all back: nine would take 8 s of the second that is left."""
    place = Place(timeout=30, call_seconds=0.9)
    records = [message("25 a"), *(message(f"9 {number}") for number in range(9))]
    assert len(place.run(*records)) == 9
    assert place.bodies() == ["25 a"]
    assert list(place.hidden.values()) == [0] * 9
    assert place.now < place.ends


@pytest.mark.parametrize("how", ["bug", "poison"])
def test_what_a_message_asks_of_its_queue_is_a_part_of_its_time(how: str) -> None:
    """Three take 9 s with their calls. The fourth would take another 3, and one to spare: 3.5 are left."""
    place = Place(timeout=12.5, call_seconds=1.0)
    place.run(*(message(f"2 {how}") for _ in range(10)))
    assert len(place.began) == 3
    assert place.now < place.ends


def test_the_first_of_a_batch_is_always_tried() -> None:
    place = Place(timeout=0.3)
    assert place.run(message("0.1 a"), message("0.1 b")) == ["0.1 b"]
    assert place.bodies() == ["0.1 a"]


def test_a_batch_at_its_pace_has_time_to_its_last_message() -> None:
    # The component leaves two seconds beside the pace.
    place = Place(Level(1.0, HOUR, 4 * DAY), timeout=12)
    assert place.run(*(message("0.9") for _ in range(10))) == []


@given(
    remaining=st.floats(0, 900),
    busy=st.floats(0, 30),
    seconds=st.floats(0.001, 30),
    longest=st.floats(0, 900),
)
def test_a_message_is_begun_only_if_the_function_outlives_its_place(
    remaining: float, busy: float, seconds: float, longest: float
) -> None:
    """Who is stopped leaves the place at once, and then the rate would not hold."""
    if has_time(remaining, busy, seconds, longest):
        assert remaining - busy - max(seconds, longest) >= SPARE_SECONDS - 1e-6


def test_what_was_received_most_often_is_tried_first() -> None:
    place = Place(timeout=3)
    records = [message("1 once"), message("1 thrice", receives=3), message("1 twice", receives=2)]
    assert place.run(*records) == ["1 once"]
    assert place.bodies() == ["1 thrice", "1 twice"]


def test_a_failed_message_comes_again_after_a_pause_and_its_neighbours_do_not() -> None:
    place = Place()
    assert place.run(message("0 good"), message("0 bug", receives=3), message("0 fine")) == ["0 bug"]
    assert place.hidden == {"handle-0 bug": 4}


def test_a_probe_is_neither_paced_nor_evicted_nor_given_back() -> None:
    place = Place(timeout=0.2)
    assert place.run({**message("0 probe", age=DAY), PROBE_ATTRIBUTE: "lease"}) == []
    assert (place.bodies(), place.letters, place.now) == (["0 probe"], [], 0)


def test_the_key_of_a_probe_is_the_one_that_the_breaker_writes() -> None:
    from selfheal.functions.breaker import probes

    assert probes.PROBE_ATTRIBUTE == PROBE_ATTRIBUTE


def test_calls_and_failures_are_counted_as_the_fast_alarm_reads_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Poison is a call that did not fail: bad input must not roll a good version back. A refusal is none."""
    place = Place()
    place.run(*(message(f"0 {how}") for how in ("good", "bug", "bug", "poison", "refused")))
    (line,) = told(capsys)
    own = SERIES[AlarmKind.FAST]
    assert {own.requests, own.errors} == {("Requests",), ("Errors",)}
    assert (line["Requests"], line["Errors"]) == (4, 2)
    assert line["FunctionName"] == "consumer"
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == (own.namespace, [["FunctionName"]])
    assert {each["Name"]: each["Unit"] for each in directive["Metrics"]} == {
        **dict.fromkeys(("Requests", "Errors", "Evicted", "NotTried"), "Count"),
        "OldestAge": "Seconds",
    }


@pytest.mark.parametrize(("each", "later"), [(0.5, 0.25), (4.0, 0.5)])
def test_the_first_batch_of_an_environment_begins_at_a_random_moment(each: float, later: float) -> None:
    """Environments that start together are not to call together ever after."""
    place = Place(level=replace(LEVEL, seconds_per_message=each), started=[])
    place.run(message("0 good"))
    place.run(message("0 good"))
    assert [began for began, _ in place.began] == pytest.approx([later, later + each], abs=0.1)


def test_a_long_batch_tells_its_counts_on_the_way_and_none_twice(capsys: pytest.CaptureFixture[str]) -> None:
    place = Place(timeout=120)
    place.run(*(message("6 bug") for _ in range(3)))
    lines = told(capsys)
    assert [(line["Requests"], line["Errors"]) for line in lines] == [(1, 1), (1, 1), (1, 1), (0, 0)]
    assert [line["_aws"]["Timestamp"] / 1000 - EPOCH for line in lines[:2]] == pytest.approx([6, 12], abs=0.1)


def test_a_consumer_reads_what_the_component_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "QUEUE_URL": "https://queue",
        "QUEUE_NAME": "fulfilment",
        "DEAD_LETTERS_URL": "https://dead",
        "EVICTED_URL": "https://evicted",
        "SECONDS_PER_MESSAGE": "0.25",
        "MAX_AGE_SECONDS": "600",
        "RETENTION_SECONDS": "345600",
    }.items():
        monkeypatch.setenv(name, value)
    queue = levelled.connect()
    assert queue.level == Level(0.25, 600, 345600)
    assert (queue.queue_url, queue.dead_letters.url, queue.evicted.url) == (
        "https://queue",
        "https://dead",
        "https://evicted",
    )
    assert queue.dead_letters.target == queue.evicted.target == "fulfilment"
    assert queue.outage_seconds(0, 100) == 0


def test_a_place_is_waited_for_until_it_is_free_though_a_sleep_ends_early() -> None:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds / 2 if seconds > 0.01 else seconds

    pace = Pace(1.0, lambda: now[0], sleep)
    pace.begin()
    assert now[0] == 0
    pace.begin()
    assert now[0] >= 1
