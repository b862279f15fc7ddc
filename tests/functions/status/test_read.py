"""Reading a picture of an account that moto keeps: what cannot be read is said, and hides nothing else."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
import pytest
from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import ClientError, ReadTimeoutError
from moto import mock_aws

from selfheal.functions.healer.clock import iso
from selfheal.functions.shared.breaker.circuit import Circuit
from selfheal.functions.shared.breaker.settings import BreakerSettings
from selfheal.functions.shared.breaker.store import Store
from selfheal.functions.shared.contract import DEPLOYMENT_KEY, FLEET_KEY, MODE_KEY, SCHEMA
from selfheal.functions.status.picture import LettersNow, Picture
from selfheal.functions.status.read import read_picture
from selfheal.functions.status.sources import Sources
from tests.functions.status.incidents import incident, item
from tests.functions.support.remedy_fakes import create_table

NOW = datetime.now(UTC)
LEDGER, CIRCUIT = "ledger", "bank-circuit"
READS = {"GetItem", "Query", "GetQueueAttributes", "DescribeAlarms", "ListObjectsV2"}


@dataclass
class Account:
    """An account; what is in `broken` raises, by service and operation."""

    sources: Sources
    broken: dict[str, Exception] = field(default_factory=dict[str, Exception])
    asked: set[str] = field(default_factory=set[str])

    def get(self, service: str) -> Any:
        client = boto3.client(service, region_name="us-east-1")
        client.meta.events.register(f"before-call.{service}", self._before)
        return client

    def _before(self, model: Any, params: Any, **_: Any) -> None:
        self.asked.add(model.name)
        asked = f"{model.name} {params.get('body', b'')!r} {params.get('url', '')}"
        for what, error in self.broken.items():
            if all(word in asked for word in what.split()):
                raise error

    def picture(self) -> Picture:
        return read_picture(self, self.sources, NOW)


@cache
def client_of(service: str) -> Any:
    """A client that sees nothing break, for all tests: making one takes longer than most of them."""
    return boto3.client(
        service, region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing"
    )


def put(**attributes: Any) -> None:
    key = attributes.pop("key")
    client_of("dynamodb").put_item(
        TableName=LEDGER, Item={**TypeSerializer().serialize(attributes)["M"], **key}
    )


def deployed(**changes: Any) -> None:
    more = {
        "schema": SCHEMA,
        "mode": "act",
        "healer": "healer",
        "targets": ["billing", "intake"],
        "alarms": {"billing": ["fast"], "intake": ["slow"]},
        "budget": 12,
        **changes,
    }
    put(key=DEPLOYMENT_KEY, **{name: value for name, value in more.items() if value is not None})


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        dynamodb, sqs, cloudwatch, s3 = map(client_of, ("dynamodb", "sqs", "cloudwatch", "s3"))
        create_table(dynamodb, LEDGER)
        create_table(dynamodb, CIRCUIT)
        deployed()
        put(key=FLEET_KEY, version=1, acts=[iso(NOW)])
        dynamodb.put_item(TableName=LEDGER, Item=item(incident()))
        store = Store(dynamodb, CIRCUIT, "bank")
        store.replace(Circuit("bank"), Circuit("bank").opened(NOW.timestamp(), 0.5, BreakerSettings()))
        urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("intake", "bus", "dead")}
        sqs.send_message(QueueUrl=urls["intake"], MessageBody="x")
        sqs.send_message(QueueUrl=urls["dead"], MessageBody="x")
        s3.create_bucket(Bucket="failures")
        s3.put_object(Bucket="failures", Key="a", Body=b"x")
        for name, state in (("fast", "ALARM"), ("slow", "OK")):
            cloudwatch.put_metric_alarm(
                AlarmName=name, ComparisonOperator="LessThanThreshold", EvaluationPeriods=1, Threshold=1
            )
            cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="because")
        queues = {name: urls[name] for name in ("intake", "bus")}
        letters = {"dead": urls["dead"], "stream": "s3://failures"}
        yield Account(Sources(LEDGER, {"bank": CIRCUIT}, queues, letters))


def test_everything_is_read_and_nothing_is_changed(account: Account) -> None:
    found = account.picture()
    assert found.problems == ()
    assert (found.mode, found.baseline) == ("act", "act")
    assert {(each.name, alarm.state, alarm.reason) for each in found.targets for alarm in each.alarms} == {
        ("billing", "ALARM", "because"),
        ("intake", "OK", "because"),
    }
    assert [each.target for each in found.incidents] == ["billing"]
    assert (found.budget.used, found.budget.limit) == (1, 12) if found.budget else False
    assert [(each.name, each.state) for each in found.circuits] == [("bank", "open")]
    assert [(each.name, each.waiting) for each in found.queues] == [("intake", 1), ("bus", 0)]
    assert [(each.name, each.letters) for each in found.dead_letters] == [("dead", 1), ("stream", 1)]
    assert account.asked == READS


DENIED = ClientError({"Error": {"Code": "AccessDenied", "Message": "not you"}}, "x")
SLOW = ReadTimeoutError(endpoint_url="https://aws")

Check = Callable[[Picture], bool]
BROKEN: dict[str, tuple[str, str, Check]] = {
    "circuit": ("GetItem bank-circuit", "the circuit bank", lambda found: found.circuits == ()),
    "queue": ("GetQueueAttributes intake", "the queue intake", lambda found: len(found.queues) == 1),
    "letters": (
        "GetQueueAttributes dead",
        "the dead letters dead",
        lambda found: [each.letters for each in found.dead_letters] == [None, 1],
    ),
    "bucket": (
        "ListObjectsV2",
        "the dead letters stream",
        lambda found: [each.letters for each in found.dead_letters] == [1, None],
    ),
    "alarms": (
        "DescribeAlarms",
        "alarms",
        lambda found: {alarm.state for each in found.targets for alarm in each.alarms} == {None},
    ),
    "budget": ("GetItem fleet", "the budget", lambda found: found.budget is None),
    "mode": (
        "GetItem override",
        "the mode",
        lambda found: (found.mode, found.baseline) == (None, "act"),
    ),
    "incidents": ("Query billing", "the incidents of billing", lambda found: found.incidents == ()),
    "deployment": (
        "GetItem deployment",
        "what was deployed",
        lambda found: (found.mode, found.baseline, found.targets) == (None, None, ()),
    ),
}


@pytest.mark.parametrize("error", [DENIED, SLOW], ids=["denied", "slow"])
@pytest.mark.parametrize("source", sorted(BROKEN))
def test_a_source_that_cannot_be_read_is_a_problem_and_hides_no_other(
    account: Account, source: str, error: Exception
) -> None:
    whole = account.picture()
    what, name, is_unknown = BROKEN[source]
    account.broken = {what: error}
    found = account.picture()
    [problem] = found.problems
    assert problem.startswith(f"could not read {name}: ")
    assert problem.endswith("AccessDenied not you" if error is DENIED else f"{SLOW}")
    assert is_unknown(found)
    for part in ("circuits", "queues", "dead_letters", "budget", "incidents", "targets"):
        touched = part in {
            "circuit": {"circuits"},
            "queue": {"queues"},
            "letters": {"dead_letters"},
            "bucket": {"dead_letters"},
            "alarms": {"targets"},
            "budget": {"budget"},
            "incidents": {"incidents"},
            # Without it nobody knows the targets, nor the limit of the budget.
            "deployment": {"targets", "incidents", "budget"},
        }.get(source, set())
        assert (getattr(found, part) == getattr(whole, part)) is not touched, part


def test_with_everything_out_each_source_is_a_problem(account: Account) -> None:
    account.broken = {"": DENIED}
    found = account.picture()
    unknown = (LettersNow("dead", None), LettersNow("stream", None))
    assert found == Picture(iso(NOW), dead_letters=unknown, problems=found.problems)
    assert len(found.problems) == 8
    assert found.problems[0].startswith("could not read what was deployed")


def test_a_ledger_that_is_not_named_or_empty_is_a_problem(account: Account) -> None:
    account.sources = Sources()
    assert "no ledger is named" in account.picture().problems[0]
    client_of("dynamodb").delete_item(TableName=LEDGER, Key=DEPLOYMENT_KEY)
    account.sources = Sources(LEDGER)
    assert account.picture().problems == (
        "could not read what was deployed: the ledger holds no deployment of a healer",
    )


def test_a_ledger_of_an_earlier_version_does_not_tell_its_alarms(account: Account) -> None:
    deployed(alarms=None, budget=None)
    found = account.picture()
    assert len(found.problems) == 2
    assert "does not name the alarms of target billing: an earlier version" in found.problems[0]
    assert (found.budget.used, found.budget.limit) == (1, None) if found.budget else False
    assert "DescribeAlarms" not in account.asked, "without names it would answer with every alarm"


@pytest.mark.parametrize(
    "odd", [{"alarms": ["fast"]}, {"budget": "many"}, {"mode": "wondering"}, {"targets": 7}, {"mode": None}]
)
def test_an_odd_item_is_a_problem_and_no_exception(account: Account, odd: dict[str, Any]) -> None:
    deployed(**odd)
    found = account.picture()
    assert found.baseline is None
    assert found.problems[0].startswith("could not read what was deployed: ")
    assert [each.name for each in found.circuits] == ["bank"]


def test_the_more_restrictive_mode_is_in_effect(account: Account) -> None:
    put(key=MODE_KEY, version=1, mode="observe", by="ann", why="drill", at=iso(NOW))
    found = account.picture()
    assert (found.mode, found.baseline) == ("observe", "act")
    put(key=MODE_KEY, version=2, mode="wondering", by="ann", why="drill", at=iso(NOW))
    found = account.picture()
    assert found.mode is None
    assert any("could not read the mode: " in each and "'wondering'" in each for each in found.problems)


def test_unfinished_work_on_a_target_that_was_removed_is_found(account: Account) -> None:
    put(key=FLEET_KEY, version=1, acts=[], unfinished={"gone"})
    dynamodb = client_of("dynamodb")
    dynamodb.put_item(TableName=LEDGER, Item=item(incident(target="gone")))
    dynamodb.put_item(TableName=LEDGER, Item=item(incident(target="elsewhere")))
    assert {each.target for each in account.picture().incidents} == {"billing", "gone"}
