"""Small functions deployed straight into an emulator, and the metrics they leave."""

import contextlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.provider.assets import make_zip

TRUST = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},'
    '"Action":"sts:AssumeRole"}]}'
)
ROLE = "arn:aws:iam::000000000000:role/r"

EMITTING = """
import json, time
def handle(event, context):
    print(json.dumps({
        "_aws": {"Timestamp": int(event["at"] * 1000) if "at" in event else int(time.time() * 1000),
                 "CloudWatchMetrics": [{"Namespace": "selfheal", "Dimensions": [["FunctionName"]],
                   "Metrics": [{"Name": "Requests", "Unit": "Count", "StorageResolution": 1},
                               {"Name": "Errors", "Unit": "Count", "StorageResolution": 1}]}]},
        "FunctionName": context.function_name, "Requests": 1, "Errors": 0}))
    if event.get("fail"):
        raise RuntimeError("asked to fail")
    return {"statusCode": 200, "body": "ok"}
"""


def deploy(clients: Clients, name: str, source: str = EMITTING) -> str:
    """Create a function, and the role it needs where policies are enforced, and return its ARN."""
    iam = clients.get("iam")
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName=ROLE.rsplit("/", 1)[-1], AssumeRolePolicyDocument=TRUST)
    api = clients.get("lambda")
    arn = api.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=ROLE,
        Handler="index.handle",
        Code={"ZipFile": make_zip({"index.py": source.encode()})},
        Timeout=10,
    )["FunctionArn"]
    api.get_waiter("function_active_v2").wait(
        FunctionName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 100}
    )
    return str(arn)


def points(clients: Clients, name: str, metric: str, namespace: str = "AWS/Lambda") -> list[float]:
    """Return the count of samples and the sum of a function's metric over the last ten minutes."""
    now = datetime.now(tz=UTC)
    answer = clients.get("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": "FunctionName", "Value": name}],
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["SampleCount", "Sum"],
    )["Datapoints"]
    return [sum(p["SampleCount"] for p in answer), sum(p["Sum"] for p in answer)]


def invoke(clients: Clients, name: str, **event: Any) -> dict[str, Any]:
    answer: dict[str, Any] = clients.get("lambda").invoke(
        FunctionName=name, Payload=json.dumps(event).encode()
    )
    return answer
