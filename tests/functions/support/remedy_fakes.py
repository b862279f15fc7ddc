"""A fake Lambda that follows AWS's rules for the remedies and records the IAM action of every call.

moto accepts any RevisionId and changes mappings at once. This fake compares revisions, answers 409 while an
update is in progress, lists versions in pages, and takes time to change a mapping. Tests can run code before
and after each write.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from selfheal.functions.healer import remedies
from selfheal.functions.healer.aws import Aws
from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.ledger import Ledger
from selfheal.functions.healer.live import Live
from selfheal.functions.healer.states import Reason, Status
from selfheal.functions.healer.target import AlarmRule, Remedy, Target
from selfheal.functions.shared.contract import AlarmKind, Mode
from tests.functions.support.faults import CANARY, aws_error

MAPPING = "6f1c2a4e-0d3b-4a57-9c1e-5b8f7d2e9a10"
ALARM = AlarmRule("fast", AlarmKind.FAST, 10, 1, 6, 0.05)
VALUES: dict[str, tuple[str, str | None]] = {
    "environment": ("FAILURE_RATE", "0"),
    "override": ("FAILURE_RATE", "0"),
    "rollback_alias": ("live", None),
    "limit_concurrency": ("", "0"),
    "pause_consumer": (MAPPING, "Disabled"),
    "force_breaker": ("payments", "open"),
}
"""Kind to the name and the value of a remedy for the fakes."""


CALLS_THROUGH = {"BREAKER_TABLE": "circuits", "CIRCUIT": "payments"}
"""Variables of a function that calls through the circuit."""

INCIDENT = Incident(
    id="shop-20261121T094000000Z",
    target="shop",
    alarm="fast",
    opened_at="2026-11-21T09:40:00.000Z",
    status=Status.OPEN,
    reason=Reason.ALARM_CONFIRMED,
    mode=Mode.ACT,
)


def target_with(*kinds: str, name: str = "shop", function: str = "shop-fn") -> Target:
    """Return a target with remedies of these kinds, in this order."""
    return Target(name, function, 0.001, (ALARM,), tuple(Remedy(kind, *VALUES[kind]) for kind in kinds))


@dataclass
class RemedyLambda:
    """One function, its alias `live`, its reservation and one mapping."""

    function: str = "shop-fn"
    exists: bool = True
    variables: dict[str, str] = field(
        default_factory=lambda: {"FAILURE_RATE": "0.3", "TOKEN": CANARY, "OTHER": "kept"}
    )
    revision: int = 1
    status: str = "Successful"
    state: str = "Active"
    timeout: int = 3
    readable: bool = True
    extra: dict[str, Any] = field(default_factory=dict)
    """More of the configuration, as AWS would answer it."""
    versions: list[str] = field(default_factory=lambda: ["$LATEST", "1", "3", "4", "10"])
    alias: dict[str, Any] | None = field(
        default_factory=lambda: {"Name": "live", "FunctionVersion": "4", "RevisionId": "a1"}
    )
    reserved: int | None = None
    mapping: str | None = "Enabled"
    """Its state; None: there is no mapping."""
    fed: str = "arn:aws:lambda:us-east-1:000000000000:function:shop-fn:live"
    broken: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """What the configuration of a published version says other than that it can run."""
    refuse: dict[str, str] = field(default_factory=dict)
    """Method to the error code that it answers."""
    before: Callable[[], None] = lambda: None
    """Runs just before a write arrives at AWS."""
    after: Callable[[], None] = lambda: None
    """Runs just after a write was done."""
    updates: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    """The environment after each update of it, oldest first."""
    actions: Counter[str] = field(default_factory=Counter)

    def get_function_configuration(self, FunctionName: str, Qualifier: str | None = None) -> dict[str, Any]:
        self._called("lambda:GetFunctionConfiguration", "get_function_configuration", FunctionName)
        if Qualifier is not None:
            if Qualifier not in self.versions:
                raise aws_error("ResourceNotFoundException")
            state = {"State": "Active", "LastUpdateStatus": "Successful", **self.broken.get(Qualifier, {})}
            return {"FunctionName": FunctionName, "Version": Qualifier, **state}
        shown = (
            {"Variables": dict(self.variables)} if self.readable else {"Error": {"ErrorCode": "AccessDenied"}}
        )
        return {
            "FunctionName": FunctionName,
            "CodeSha256": "code",
            "RevisionId": str(self.revision),
            "Timeout": self.timeout,
            "State": self.state,
            "LastUpdateStatus": self.status,
            "Environment": shown,
            **self.extra,
        }

    def update_function_configuration(
        self, FunctionName: str, Environment: dict[str, dict[str, str]], RevisionId: str | None = None
    ) -> None:
        """Set the environment; as at AWS, whoever names no revision overwrites what is there."""
        self._writes("lambda:UpdateFunctionConfiguration", "update_function_configuration", FunctionName)
        if self.status == "InProgress":
            raise aws_error("ResourceConflictException")
        if RevisionId not in {None, str(self.revision)}:
            raise aws_error("PreconditionFailedException")
        self.variables, self.revision = dict(Environment["Variables"]), self.revision + 1
        self.updates.append(self.variables)
        self.after()

    def change(self, **variables: str) -> None:
        """Change the environment, as someone other than the healer does."""
        self.variables = self.variables | variables
        self.revision += 1

    def get_alias(self, FunctionName: str, Name: str) -> dict[str, Any]:
        self._called("lambda:GetAlias", "get_alias", FunctionName)
        if self.alias is None or Name != self.alias["Name"]:
            raise aws_error("ResourceNotFoundException")
        return dict(self.alias)

    def update_alias(
        self, FunctionName: str, Name: str, FunctionVersion: str, RevisionId: str | None = None
    ) -> None:
        self._writes("lambda:UpdateAlias", "update_alias", FunctionName)
        if self.alias is None or Name != self.alias["Name"] or FunctionVersion not in self.versions:
            raise aws_error("ResourceNotFoundException")
        if RevisionId not in {None, self.alias["RevisionId"]}:
            raise aws_error("PreconditionFailedException")
        self.point_alias(FunctionVersion)
        self.after()

    def point_alias(self, version: str) -> None:
        """Move the alias, as an update of it does."""
        assert self.alias is not None
        revision = f"a{int(self.alias['RevisionId'][1:]) + 1}"
        self.alias = self.alias | {"FunctionVersion": version, "RevisionId": revision}

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_versions_by_function"
        outer = self

        class Paginator:
            def paginate(self, FunctionName: str) -> Iterator[dict[str, Any]]:
                for start in range(0, len(outer.versions), 2):
                    outer._called("lambda:ListVersionsByFunction", operation, FunctionName)
                    page = outer.versions[start : start + 2]
                    yield {"Versions": [{"Version": version} for version in page]}

        return Paginator()

    def get_function_concurrency(self, FunctionName: str) -> dict[str, Any]:
        self._called("lambda:GetFunctionConcurrency", "get_function_concurrency", FunctionName)
        return {} if self.reserved is None else {"ReservedConcurrentExecutions": self.reserved}

    def put_function_concurrency(self, FunctionName: str, ReservedConcurrentExecutions: int) -> None:
        self._writes("lambda:PutFunctionConcurrency", "put_function_concurrency", FunctionName)
        self.reserved = ReservedConcurrentExecutions
        self.after()

    def delete_function_concurrency(self, FunctionName: str) -> None:
        self._writes("lambda:DeleteFunctionConcurrency", "delete_function_concurrency", FunctionName)
        self.reserved = None
        self.after()

    def get_event_source_mapping(self, UUID: str) -> dict[str, Any]:
        self._called("lambda:GetEventSourceMapping", "get_event_source_mapping", self.function)
        if self.mapping is None or UUID != MAPPING:
            raise aws_error("ResourceNotFoundException")
        return {"UUID": UUID, "State": self.mapping, "FunctionArn": self.fed}

    def update_event_source_mapping(self, UUID: str, Enabled: bool) -> None:
        """Take no function's name, so that passing one fails the test."""
        self._writes("lambda:UpdateEventSourceMapping", "update_event_source_mapping", self.function)
        assert UUID == MAPPING
        self.mapping = "Enabling" if Enabled else "Disabling"
        self.after()

    def settle(self) -> None:
        """Let AWS end what it has begun with the mapping."""
        self.mapping = {"Enabling": "Enabled", "Disabling": "Disabled"}.get(str(self.mapping), self.mapping)

    def _writes(self, action: str, method: str, function: str) -> None:
        self.before()
        self._called(action, method, function)

    def _called(self, action: str, method: str, function: str) -> None:
        self.actions[action] += 1
        if method in self.refuse:
            raise aws_error(self.refuse[method])
        if not self.exists or function != self.function:
            raise aws_error("ResourceNotFoundException")


@dataclass
class RecordingDynamoDb:
    """Records the IAM actions that the calls of a client need."""

    client: Any
    actions: Counter[str]

    def get_item(self, **arguments: Any) -> Any:
        self.actions["dynamodb:GetItem"] += 1
        return self.client.get_item(**arguments)

    def put_item(self, **arguments: Any) -> Any:
        self.actions["dynamodb:PutItem"] += 1
        return self.client.put_item(**arguments)

    def update_item(self, **arguments: Any) -> Any:
        self.actions["dynamodb:UpdateItem"] += 1
        return self.client.update_item(**arguments)


def create_table(client: Any, name: str = "ledger") -> None:
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )


def aws_for(lambda_: Any, dynamodb: Any = None, table: str = "ledger") -> Aws:
    """Return what the remedies talk to; everything else is absent, and calling it fails."""
    nothing: Any = None
    ledger: Any = Ledger(dynamodb, table) if dynamodb else nothing
    return Aws(
        cloudwatch=nothing,
        lambda_=lambda_,
        sns=nothing,
        ledger=ledger,
        escalation_topic="people",
        dynamodb=dynamodb,
        table=table,
        prober=nothing,
    )


class Tried:
    """One remedy, on fakes."""

    def __init__(
        self, kind: str, function: RemedyLambda | None = None, dynamodb: Any = None, *, name: str = "shop"
    ) -> None:
        self.function = function or RemedyLambda()
        self.target = target_with(kind, name=name)
        self.setting = self.target.remedies[0].setting
        self.aws = aws_for(self.function, dynamodb)

    def read(self) -> Live:
        return remedies.read(self.aws, self.target, self.setting)

    def write(self, live: Live, value: str | None) -> str | None:
        return remedies.write(self.aws, self.target, self.setting, live, value)
