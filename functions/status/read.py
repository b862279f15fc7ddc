"""Reads a picture. Each source is read by itself: what cannot be read is a problem and hides no other."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import BotoCoreError, ClientError

from selfheal.functions.healer.clock import iso
from selfheal.functions.healer.ledger import Ledger
from selfheal.functions.healer.readings import Fleet
from selfheal.functions.shared.breaker.store import Store
from selfheal.functions.shared.contract import DEPLOYMENT_KEY, Mode, incident_key, most_restrictive
from selfheal.functions.status.picture import (
    MOST_INCIDENTS,
    QUEUE_ATTRIBUTES,
    AlarmNow,
    CircuitNow,
    LettersNow,
    Picture,
    QueueNow,
    alarm_now,
    budget_now,
    circuit_now,
    incidents_now,
    letters_now,
    queue_now,
    targets_now,
)
from selfheal.functions.status.sources import Sources

READERS = 8
"""Sources that are read at the same time."""

MOST_ALARMS = 100
"""Of one call. Source: API reference of DescribeAlarms, AlarmNames."""

S3 = "s3://"

UNREADABLE = (
    *(BotoCoreError, ClientError),
    *(ArithmeticError, AttributeError, LookupError, TypeError, ValueError),
)
"""What reading raises when AWS does not answer, or with something else than was expected."""

Part = TypeVar("Part")
Item = Mapping[str, Any]


class Clients(Protocol):
    """Whatever hands out boto3 clients."""

    def get(self, service: str) -> Any:
        """Return the client of a service, by boto3's name for it."""
        ...


@dataclass(frozen=True)
class Deployed:
    """What `up` wrote into the ledger."""

    mode: Mode | None = None
    targets: tuple[str, ...] = ()
    alarms: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    """Names of alarms by target."""
    budget: int | None = None
    """Remediations that are allowed in 24 hours."""


def read_picture(clients: Clients, sources: Sources, now: datetime) -> Picture:
    """Return how the stack is now. It only reads, and raises nothing that comes of an answer of AWS.

    Args:
        clients: Of the account and region.
        sources: Where each part is.
        now: The time, which tells what is recent.

    """
    # Clients are safe to share between threads, but not to be made in them.
    dynamodb, sqs, cloudwatch = (clients.get(name) for name in ("dynamodb", "sqs", "cloudwatch"))
    s3 = clients.get("s3") if any(place.startswith(S3) for place in sources.dead_letters.values()) else None
    with ThreadPoolExecutor(READERS) as pool:
        reader = _Reader(pool)
        circuits = [
            reader.start(f"the circuit {name}", _circuit, dynamodb, table, name, now)
            for name, table in sources.circuits.items()
        ]
        queues = [
            reader.start(f"the queue {name}", _queue, sqs, name, url) for name, url in sources.queues.items()
        ]
        letters = {
            name: reader.start(f"the dead letters {name}", _letters, sqs, s3, name, place)
            for name, place in sources.dead_letters.items()
        }
        healing = _healing(reader, dynamodb, cloudwatch, sources.ledger, now)
        return Picture(
            at=iso(now),
            **healing,
            circuits=tuple(_known(circuits)),
            queues=tuple(_known(queues)),
            dead_letters=tuple(result() or LettersNow(name, None) for name, result in letters.items()),
            problems=tuple(reader.problems),
        )


class _Reader:
    """Reads sources at the same time, and notes those that could not be read."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool
        self.problems: list[str] = []

    def start(self, what: str, read: Callable[..., Part], *args: Any) -> Callable[[], Part | None]:
        """Begin to read; what is returned waits for it, and is None if there was a problem."""
        future = self._pool.submit(read, *args)

        def result() -> Part | None:
            try:
                return future.result()
            # An item that another version wrote is as unknown as the answer of a service that is out.
            except UNREADABLE as error:
                self.problems.append(f"could not read {what}: {_why(error)}")
                return None

        return result


def _why(error: Exception) -> str:
    if isinstance(error, ClientError):
        told = error.response["Error"]
        return f"{told['Code']} {told.get('Message', '')}".strip()
    if isinstance(error, LookupError):
        return f"{error} is missing"
    return str(error) or type(error).__name__


def _known(results: Iterable[Callable[[], Any]]) -> list[Any]:
    return [part for result in results if (part := result()) is not None]


def _healing(reader: _Reader, dynamodb: Any, cloudwatch: Any, table: str, now: datetime) -> dict[str, Any]:
    """Return the parts of a picture that the ledger tells of."""
    if not table:
        reader.problems.append("no ledger is named: mode, targets, incidents and budget are not known")
        return {}
    ledger = Ledger(dynamodb, table)
    read_deployed = reader.start("what was deployed", _deployed, dynamodb, table)
    read_fleet = reader.start("the budget", ledger.read_fleet)
    read_mode = reader.start("the mode", ledger.read_mode)
    deployed, fleet, override = read_deployed() or Deployed(), read_fleet(), read_mode()
    names = sorted({name for of in deployed.alarms.values() for name in of})
    read_alarms = [
        reader.start("alarms", _alarms, cloudwatch, names[first : first + MOST_ALARMS])
        for first in range(0, len(names), MOST_ALARMS)
    ]
    if fleet is not None and fleet.problem is not None:
        reader.problems.append(fleet.problem)
    # Of a target that was removed only unfinished work is known: it is in the fleet's item.
    left = fleet or Fleet()
    concerned = [*deployed.targets, *sorted((left.unfinished | left.standing) - {*deployed.targets})]
    read_incidents = [
        reader.start(f"the incidents of {target}", _incident_items, dynamodb, table, target)
        for target in concerned
    ]
    incidents, unreadable = incidents_now(item for items in _known(read_incidents) for item in items)
    answers = _known(read_alarms)
    found = {alarm.name: alarm for answer in answers for alarm in answer}
    targets, missing = targets_now({name: deployed.alarms.get(name, ()) for name in deployed.targets}, found)
    # After an answer that did not come, what is missing is not known to be missing.
    reader.problems += unreadable + (missing if len(answers) == len(read_alarms) else [])
    reader.problems += [
        f"the ledger does not name the alarms of target {name}: an earlier version deployed it. Deploy again"
        for name in deployed.targets
        if name not in deployed.alarms
    ]
    return {
        "mode": None if not deployed.mode or not override else most_restrictive(deployed.mode, override.mode),
        "baseline": deployed.mode,
        "targets": targets,
        "incidents": incidents,
        "budget": None if fleet is None else budget_now(fleet.acts, deployed.budget, now),
    }


def _deployed(dynamodb: Any, table: str) -> Deployed:
    item = dynamodb.get_item(TableName=table, Key=DEPLOYMENT_KEY, ConsistentRead=True).get("Item")
    if not item:
        raise ValueError("the ledger holds no deployment of a healer")
    raw: dict[str, Any] = TypeDeserializer().deserialize({"M": item})
    budget = raw.get("budget")
    return Deployed(
        Mode(raw["mode"]),
        tuple(map(str, raw["targets"])),
        {str(name): tuple(map(str, alarms)) for name, alarms in raw.get("alarms", {}).items()},
        None if budget is None else int(budget),
    )


def _incident_items(dynamodb: Any, table: str, target: str) -> list[Item]:
    """Return the current incident of a target and the last that were closed, the newest first.

    A query and not a scan: it costs the same after a year of incidents, and its permission can be limited to
    incidents, without people's requests and the values of overrides.
    """
    return dynamodb.query(
        TableName=table,
        KeyConditionExpression="pk = :target",
        ExpressionAttributeValues={":target": incident_key(target)["pk"]},
        ScanIndexForward=False,
        Limit=MOST_INCIDENTS + 1,  # the current one may have a copy among those that were closed
        ConsistentRead=True,
    )["Items"]


def _alarms(cloudwatch: Any, names: Sequence[str]) -> list[AlarmNow]:
    answer = cloudwatch.describe_alarms(AlarmNames=names, AlarmTypes=["MetricAlarm"], MaxRecords=MOST_ALARMS)
    return [alarm_now(alarm) for alarm in answer["MetricAlarms"]]


def _circuit(dynamodb: Any, table: str, name: str, now: datetime) -> CircuitNow:
    return circuit_now(Store(dynamodb, table, name).read(), now)


def _attributes(sqs: Any, url: str) -> Mapping[str, str]:
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(QUEUE_ATTRIBUTES))["Attributes"]


def _queue(sqs: Any, name: str, url: str) -> QueueNow:
    return queue_now(name, _attributes(sqs, url))


def _letters(sqs: Any, s3: Any, name: str, place: str) -> LettersNow:
    if not place.startswith(S3):
        return letters_now(name, _attributes(sqs, place))
    bucket, _, prefix = place.removeprefix(S3).partition("/")
    return LettersNow(name, int(s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["KeyCount"]))
