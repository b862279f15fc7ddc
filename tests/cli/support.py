"""Incidents as the healer writes them, a ledger that moto keeps, and the command line to run on it."""

import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

import boto3
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.config import Config
from rich.console import Console
from typer.testing import CliRunner

from selfheal.cli.console import Output
from selfheal.cli.main import app
from selfheal.cli.operator.ledger import Incidents, parse_incidents
from selfheal.functions.healer.clock import iso
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.incident_fields import Hold, Plan, Standing, Transition
from selfheal.functions.healer.items import to_item
from selfheal.functions.healer.states import Reason, Status
from selfheal.functions.shared.contract import Mode, incident_key

ROOT = Path(__file__).parents[2]
TABLE = "selfheal-dev-ledger"
"""By the program's convention."""

NOW = datetime(2026, 11, 21, 9, 50, tzinfo=UTC)
PLAN = Plan("environment", "FAILURE_RATE", "0.3", "0", "c" * 44, "d" * 64)
OTHER_PLAN = replace(PLAN, before="0.5")
DIGEST = PLAN.digest("fragile")
STANDING = Standing(PLAN, "2026-11-21T09:40:12.000Z")
HELD = Hold(Reason.REMEDY_INEFFECTIVE, "2026-11-21T09:45:00.000Z")


def incident(status: Status, target: str = "fragile", **changes: Any) -> Incident:
    """An incident; keyword arguments replace fields."""
    made = Incident(
        id=f"{target}-20261121T094010123Z",
        target=target,
        alarm=f"{target}-fast",
        opened_at="2026-11-21T09:40:10.123Z",
        status=status,
        reason=Reason.MODE_FORBIDS,
        mode=Mode.SUGGEST,
        version=3,
        history=(Transition("2026-11-21T09:40:11.000Z", "OPEN", status, Reason.MODE_FORBIDS),),
    )
    return replace(made, **changes)


proposed = partial(incident, Status.PROPOSED, plan=PLAN)
verifying = partial(incident, Status.VERIFYING, plan=PLAN, standing=(STANDING,))
escalated = partial(incident, Status.ESCALATED, plan=PLAN, standing=(STANDING,), hold=HELD)
drifting = partial(incident, Status.RECOVERED, plan=PLAN, standing=(STANDING,))


def moved(one: Incident, to: Status, reason: Reason, **changes: Any) -> Incident:
    """An incident after one more transition."""
    line = Transition("2026-11-21T09:51:00.000Z", one.status, to, reason)
    return replace(one, status=to, reason=reason, history=(*one.history, line), **changes)


def item_of(one: Incident, *, archived: bool = False, **fields: Any) -> dict[str, Any]:
    """The item of an incident; other arguments replace its fields, also with what no healer writes."""
    key = incident_key(one.target, one.id if archived else "")
    return to_item(one) | key | serialized(fields)


def ledger_of(*found: Incident | dict[str, Any]) -> Incidents:
    """What is read from a ledger that has these incidents, or items; all but a target's newest archived."""
    targets: set[str] = set()
    items: list[dict[str, Any]] = []
    for each in sorted(found, key=lambda each: each.opened_at if isinstance(each, Incident) else "0")[::-1]:
        if isinstance(each, Incident):
            items.append(item_of(each, archived=each.target in targets))
            targets.add(each.target)
        else:
            items.append(each)
    return parse_incidents(items)


def pulumi_home(folder: Path) -> Path:
    """Make a PULUMI_HOME with the provider that requirements.txt names."""
    pinned = re.search(r"^pulumi-aws==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert pinned is not None
    (folder / "plugins" / f"resource-aws-v{pinned[1]}").mkdir(parents=True)
    return folder


@cache
def client() -> Any:
    """A client for all tests, as making one takes longer than most of them, whatever the environment says."""
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    config = Config(ignore_configured_endpoint_urls=True)
    return boto3.client("dynamodb", region_name="us-east-1", config=config, **keys)


def create_table(name: str = TABLE, dynamodb: Any = None) -> None:
    (dynamodb or client()).create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
    )


def deploy(mode: str, *, table: str = TABLE, **more: Any) -> None:
    """Write what `up` writes into the ledger: the baseline, and the healer's name and targets."""
    item = serialized({"pk": "deployment", "sk": "healer", "mode": mode} | more)
    client().put_item(TableName=table, Item=item)


def serialized(fields: dict[str, Any]) -> dict[str, Any]:
    return TypeSerializer().serialize(fields)["M"]


def put(one: Incident, table: str = TABLE, *, archived: bool = False, **fields: Any) -> None:
    """Write an incident as the healer does; for the other arguments see `item_of`."""
    client().put_item(TableName=table, Item=item_of(one, archived=archived, **fields))


def stored(pk: str, sk: str) -> dict[str, Any]:
    """The fields of an item; none if it is not there."""
    found = client().get_item(TableName=TABLE, Key={"pk": {"S": pk}, "sk": {"S": sk}}).get("Item", {})
    return TypeDeserializer().deserialize({"M": found})


def later(minutes: float) -> str:
    """The time that many minutes from the real now, which the commands go by."""
    return iso(datetime.now(UTC) + timedelta(minutes=minutes))


def run(*arguments: str, typed_in: str | None = None) -> Any:
    environment = {"TERMINAL_WIDTH": "100", "NO_COLOR": "1"}
    return CliRunner().invoke(app, list(arguments), env=environment, input=typed_in)


class Screen(Output):
    """Keeps what is printed."""

    @classmethod
    def make(cls, *, json: bool = False, **terminal: Any) -> "Screen":
        return cls(json, Console(file=io.StringIO(), width=200, soft_wrap=True, highlight=False, **terminal))

    @property
    def text(self) -> str:
        assert isinstance(self.people.file, io.StringIO)
        return self.people.file.getvalue()


def words(outcome: Any) -> str:
    """All that was printed, without the terminal's frames and line ends."""
    return " ".join(outcome.output.replace("│", " ").split())


def said(*arguments: str, code: int = 0, typed_in: str | None = None) -> str:
    """Run a command that ends with an exit code, and return the words that it printed."""
    outcome = run(*arguments, typed_in=typed_in)
    assert outcome.exit_code == code, outcome.output
    assert "Traceback" not in outcome.output
    return words(outcome)


def told(*arguments: str, code: int = 0) -> Any:
    """Run a command that ends with an exit code, and return its JSON document."""
    outcome = run(*arguments, "--json")
    assert outcome.exit_code == code, outcome.output
    return json.loads(outcome.stdout)


class Racing:
    """A DynamoDB client: as often as told, someone else writes between our read and our write."""

    def __init__(self, dynamodb: Any, *writes: Callable[[], object]) -> None:
        self.dynamodb, self.writes = dynamodb, list(writes)

    def get_item(self, **request: Any) -> Any:
        return self.dynamodb.get_item(**request)

    def put_item(self, **request: Any) -> Any:
        if self.writes:
            self.writes.pop(0)()
        return self.dynamodb.put_item(**request)
