"""A reader that tells who asks for what."""

import json
from typing import Any


def handle(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    authorizer = event["requestContext"].get("authorizer") or {}
    found = {"id": event["pathParameters"]["id"], "caller": authorizer.get("principalId")}
    return {"statusCode": 200, "body": json.dumps(found)}
