"""Incidents as the healer writes them, in a ledger that moto keeps."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from boto3.dynamodb.types import TypeSerializer
from typer.testing import CliRunner

from selfheal.cli.main import app
from selfheal.cli.operator.ledger import plain
from selfheal.functions.healer.clock import iso
from selfheal.functions.healer.incident import Hold, Plan, Standing, Transition
from selfheal.functions.healer.words import Reason

TABLE = "selfheal-dev-ledger"
"""By the program's convention."""

NOW = datetime(2026, 11, 21, 9, 50, tzinfo=UTC)
PLAN = Plan("environment", "FAILURE_RATE", "0.3", "0", "c" * 44, "d" * 64)
STANDING = Standing(PLAN, "2026-11-21T09:40:12.000Z")
HELD = Hold(Reason.NO_REMEDY_HELPED, "2026-11-21T09:45:00.000Z")


def incident(status: str, target: str = "fragile", **changes: Any) -> dict[str, Any]:
    """An incident as the ledger's reader returns it; a plan brings its digest along."""
    made: dict[str, Any] = {
        "schema": 2,
        "version": 3,
        "id": f"{target}-20261121T094010123Z",
        "target": target,
        "alarm": f"{target}-fast",
        "opened_at": "2026-11-21T09:40:10.123Z",
        "status": status,
        "reason": "mode-forbids-acting",
        "mode": "suggest",
        "acts": 0,
        "attempts": 0,
        "answered": [],
        "history": [
            asdict(Transition("2026-11-21T09:40:11.000Z", "OPEN", status, "mode-forbids-acting")),
        ],
    } | changes
    if isinstance(made.get("plan"), Plan):
        made = {"plan_digest": made["plan"].digest(target)} | made
    return {key: _plain(value) for key, value in made.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, (Plan, Hold)):
        return asdict(value)
    if isinstance(value, Standing):
        return {"plan": asdict(value.plan), "since": value.since}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value


def proposed(**changes: Any) -> dict[str, Any]:
    return incident("PROPOSED", plan=PLAN, **changes)


def verifying(**changes: Any) -> dict[str, Any]:
    return incident("VERIFYING", plan=PLAN, standing=[STANDING], **changes)


def escalated(**changes: Any) -> dict[str, Any]:
    return incident("ESCALATED", plan=PLAN, standing=[STANDING], hold=HELD, **changes)


def drifting(**changes: Any) -> dict[str, Any]:
    return incident("RECOVERED", plan=PLAN, standing=[STANDING], **changes)


def client() -> Any:
    return boto3.client("dynamodb", region_name="us-east-1")


def create_table(name: str = TABLE) -> None:
    client().create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
    )


def deploy(mode: str, *, table: str = TABLE, **more: str) -> None:
    """Write what `up` writes into the ledger: the baseline, and the healer's name."""
    texts = {"pk": "deployment", "sk": "healer", "mode": mode} | more
    client().put_item(TableName=table, Item=typed(texts))


def typed(item: dict[str, Any]) -> dict[str, Any]:
    return TypeSerializer().serialize(item)["M"]


def put(item: dict[str, Any], sort_key: str = "incident", table: str = TABLE) -> None:
    """Write an incident as the healer does."""
    key = {"pk": f"target#{item['target']}", "sk": sort_key}
    client().put_item(TableName=table, Item=typed(item | key))


def stored(pk: str, sk: str) -> dict[str, Any] | None:
    found = client().get_item(TableName=TABLE, Key={"pk": {"S": pk}, "sk": {"S": sk}}).get("Item")
    return plain(found) if found else None


def later(minutes: float) -> str:
    """A moment that many minutes from the real now, which is the commands' clock."""
    return iso(datetime.now(UTC) + timedelta(minutes=minutes))


def run(*arguments: str, typed_in: str | None = None) -> Any:
    environment = {"TERMINAL_WIDTH": "100", "NO_COLOR": "1"}
    return CliRunner().invoke(app, list(arguments), env=environment, input=typed_in)


def words(outcome: Any) -> str:
    """All that was said, without the terminal's frames and line ends."""
    return " ".join(outcome.output.replace("│", " ").split())
