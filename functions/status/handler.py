"""The Lambda handler of the status API: GET /status/now, with rights to read only."""

import json
import os
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.config import Config

from selfheal.functions.status.picture import without_arns
from selfheal.functions.status.read import read_picture
from selfheal.functions.status.sources import Sources

_CONFIG = Config(
    # One attempt of at most 4 s: who asks, asks again soon, and the rest of the picture must not wait.
    connect_timeout=1,
    read_timeout=3,
    retries={"mode": "standard", "total_max_attempts": 1},
    max_pool_connections=16,
)


class Clients:
    """boto3 clients, made once, in the init phase."""

    def __init__(self) -> None:
        self._clients = {
            name: boto3.client(name, config=_CONFIG) for name in ("dynamodb", "sqs", "cloudwatch", "s3")
        }

    def get(self, service: str) -> Any:
        """Return the client of a service."""
        return self._clients[service]


CLIENTS = Clients()
SOURCES = Sources.from_environment(os.environ)


def handle(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answer one request of API Gateway, as a proxy integration."""
    asked = str((event.get("pathParameters") or {}).get("id") or "")
    if asked != "now":
        return _answer(404, {"error": "there is no such status", "allowed": "GET of /status/now"})
    return _answer(200, without_arns(read_picture(CLIENTS, SOURCES, datetime.now(UTC)).to_json()))


def _answer(status: int, body: dict[str, Any]) -> dict[str, Any]:
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return {"statusCode": status, "headers": headers, "body": json.dumps(body)}
