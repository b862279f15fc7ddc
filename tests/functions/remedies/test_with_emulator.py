"""Each kind on the emulator's Lambda and DynamoDB: apply, recognise, revert, and refuse what is stale.

The emulator enforces permissions, and the healer has those that the component registers for these remedies.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from selfheal.components.healing.remedies import RemedyArgs
from selfheal.functions.healer import remedies
from selfheal.functions.healer.aws import Aws
from selfheal.functions.healer.live import Live
from selfheal.functions.healer.probe import probe
from selfheal.functions.healer.target import Remedy, Target
from selfheal.functions.shared.contract import RemedyKind
from selfheal.functions.shared.overrides import Overrides
from selfheal.sandbox.clients import Clients
from selfheal.sandbox.emulator import Emulator
from tests.components.support.deployments import REMEDIES, healer, target
from tests.functions.support.remedy_fakes import ALARM, MAPPING, aws_for, create_table
from tests.support.emulator_functions import deploy
from tests.support.emulator_users import ACCOUNT as EMULATED
from tests.support.emulator_users import refused, user
from tests.support.processes import until
from tests.support.pulumi_mocks import ACCOUNT

pytestmark = pytest.mark.slow

FUNCTION = "healed"
PAUSE = RemedyKind.PAUSE_CONSUMER
SOURCE = """
import os
def handle(event, context):
    if os.environ["FAILURE_RATE"] != "0" and event.get("how") == "raise":
        raise RuntimeError("asked to fail")
    return {"statusCode": 500 if event.get("how") == "status" else 200, "version": context.function_version}
"""
VERSIONS = 3


@dataclass
class Healed:
    """The function with all that a remedy can change of it."""

    aws: Aws
    """With the healer's permissions."""
    anything: Aws
    """With all of them."""
    clients: Clients
    target: Target

    def read(self, kind: str) -> Live:
        return remedies.read(self.aws, self.target, self.of(kind).setting)

    def write(self, kind: str, live: Live, value: str | None) -> str | None:
        return remedies.write(self.aws, self.target, self.of(kind).setting, live, value)

    def of(self, kind: str) -> Remedy:
        return next(remedy for remedy in self.target.remedies if remedy.kind == kind)

    def settle(self) -> None:
        self.clients.get("lambda").get_waiter("function_updated_v2").wait(
            FunctionName=FUNCTION, WaiterConfig={"Delay": 0.1, "MaxAttempts": 100}
        )


@pytest.fixture(scope="module")
def healed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Healed]:
    with Emulator.start(tmp_path_factory.mktemp("emulator"), iam=True) as emulator:
        clients = Clients(emulator.endpoint, emulator.region, emulator.credentials)
        deploy(clients, FUNCTION, SOURCE)
        create_table(clients.get("dynamodb"))
        shop = Target(
            name="shop",
            function=FUNCTION,
            natural_error_rate=0.001,
            alarms=(ALARM,),
            remedies=(
                Remedy("environment", "FAILURE_RATE", "0"),
                Remedy("override", "FAILURE_RATE", "0"),
                Remedy("rollback_alias", "live", None),
                Remedy("limit_concurrency", "", "2"),
                Remedy("pause_consumer", _mapping(clients), "Disabled"),
            ),
        )
        allowed = user(emulator, *granted(shop.remedies[-1].name))
        own, anything = (aws_for(each.get("lambda"), each.get("dynamodb")) for each in (allowed, clients))
        healed = Healed(own, anything, clients, shop)
        _publish(healed, VERSIONS)
        yield healed


def granted(mapping: str) -> list[dict[str, Any]]:
    """Return what the component grants for all kinds; a variable and an alias exclude each other there."""
    rest = [REMEDIES[kind] for kind in RemedyKind if kind not in {RemedyKind.ENVIRONMENT, PAUSE}]
    paused: RemedyArgs = {"kind": PAUSE, "mapping": mapping}
    targets = (
        target(name="shop", function_name=FUNCTION),
        target(name="shop", function_name=FUNCTION, alias="live", remedies=[*rest, paused]),
    )
    policies = (healer(targets=[each]).named("healer-policy").inputs["policy"] for each in targets)
    texts = (text.replace(f":{ACCOUNT}:", f":{EMULATED}:") for text in policies)
    return [statement for text in texts for statement in json.loads(text)["Statement"]]


def _publish(healed: Healed, versions: int) -> None:
    """Publish versions, which differ by their description, and set the environment they all start from."""
    lambda_ = healed.clients.get("lambda")
    for number in range(1, versions + 1):
        lambda_.update_function_configuration(
            FunctionName=FUNCTION,
            Description=f"version {number}",
            Environment={"Variables": {"FAILURE_RATE": "0.3", "OTHER": "kept"}},
        )
        healed.settle()
        assert lambda_.publish_version(FunctionName=FUNCTION)["Version"] == str(number)
    lambda_.create_alias(FunctionName=FUNCTION, Name="live", FunctionVersion=str(versions))


def _mapping(clients: Clients) -> str:
    sqs = clients.get("sqs")
    queue = sqs.create_queue(QueueName="orders")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    mapping = clients.get("lambda").create_event_source_mapping(
        EventSourceArn=arn, FunctionName=FUNCTION, BatchSize=1
    )
    return str(mapping["UUID"])


@pytest.mark.parametrize("kind", ["environment", "override", "limit_concurrency", "pause_consumer"])
def test_it_is_applied_recognised_and_reverted(healed: Healed, kind: str) -> None:
    wanted = healed.of(kind).value
    before = healed.read(kind)
    assert before.exists
    assert before.settled
    assert before.value != wanted
    assert healed.write(kind, before, wanted) is None
    healed.settle()
    until(lambda: healed.read(kind).settled)
    applied = healed.read(kind)
    assert applied.value == wanted
    assert healed.write(kind, applied, before.value) is None
    healed.settle()
    until(lambda: healed.read(kind).settled)
    reverted = healed.read(kind)
    assert reverted.value == before.value
    assert _hashes(before) == _hashes(applied) == _hashes(reverted)


def _hashes(live: Live) -> tuple[str, str]:
    assert live.configuration is not None
    return live.configuration.code_hash, live.configuration.config_hash


def test_an_alias_is_rolled_back_and_forth(healed: Healed) -> None:
    before = healed.read("rollback_alias")
    assert (before.value, before.candidate) == (str(VERSIONS), str(VERSIONS - 1))
    assert healed.write("rollback_alias", before, before.candidate) is None
    applied = healed.read("rollback_alias")
    assert applied.value == before.candidate
    answer = healed.clients.get("lambda").invoke(FunctionName=f"{FUNCTION}:live", Payload=b"{}")
    assert json.loads(answer["Payload"].read())["version"] == before.candidate
    assert healed.write("rollback_alias", before, "1") == "PreconditionFailedException"
    assert healed.write("rollback_alias", applied, before.value) is None
    assert healed.read("rollback_alias").value == before.value
    assert _hashes(before) == _hashes(applied)


def test_a_stale_read_of_the_environment_writes_nothing(healed: Healed) -> None:
    stale = healed.read("environment")
    healed.clients.get("lambda").update_function_configuration(FunctionName=FUNCTION, Timeout=9)
    healed.settle()
    assert healed.write("environment", stale, "0") == "PreconditionFailedException"
    fresh = healed.read("environment")
    assert fresh.value == "0.3"
    assert fresh.configuration is not None
    assert fresh.configuration.variables["OTHER"] == "kept"
    assert _hashes(fresh) != _hashes(stale)


def test_a_stale_read_of_an_override_writes_nothing(healed: Healed) -> None:
    stale = healed.read("override")
    assert healed.write("override", stale, "0.2") is None
    assert healed.write("override", stale, "0") == "ConditionalCheckFailedException"
    service = Overrides(healed.clients.get("dynamodb"), "ledger", "shop", time.time)
    assert service.get("FAILURE_RATE", "0.3") == "0.2"
    assert healed.write("override", healed.read("override"), None) is None


def test_a_stale_read_of_concurrency_or_mapping_writes_nothing(healed: Healed) -> None:
    lambda_: Any = healed.clients.get("lambda")
    limit, mapping = healed.read("limit_concurrency"), healed.read("pause_consumer")
    lambda_.put_function_concurrency(FunctionName=FUNCTION, ReservedConcurrentExecutions=7)
    lambda_.update_event_source_mapping(UUID=healed.of("pause_consumer").name, Enabled=False)
    assert healed.write("limit_concurrency", limit, "2") == "ChangedMeanwhile"
    assert healed.write("pause_consumer", mapping, "Disabled") == "ChangedMeanwhile"
    assert (healed.read("limit_concurrency").value, healed.read("pause_consumer").value) == ("7", "Disabled")
    lambda_.delete_function_concurrency(FunctionName=FUNCTION)
    lambda_.update_event_source_mapping(UUID=healed.of("pause_consumer").name, Enabled=True)


def test_probes_tell_a_broken_function_from_a_healthy_and_a_throttled_one(healed: Healed) -> None:
    lambda_: Any = healed.clients.get("lambda")

    def probes(how: str) -> tuple[int, int]:
        return probe(lambda_, FUNCTION, json.dumps({"how": how}), 2, 60, time.monotonic)

    assert probes("well") == (2, 0)
    assert probes("status") == (2, 2)
    assert probes("raise") == (2, 2)
    assert healed.write("limit_concurrency", healed.read("limit_concurrency"), "0") is None
    assert probes("well") == (2, 2)
    assert healed.write("limit_concurrency", healed.read("limit_concurrency"), None) is None


def test_what_does_not_exist_reads_as_gone(healed: Healed) -> None:
    nobody = Target("shop", "nobody", 0.001, (ALARM,), healed.target.remedies)
    for remedy in nobody.remedies:
        assert not remedies.read(healed.anything, nobody, remedy.setting).exists, remedy.kind
    for remedy in (Remedy("rollback_alias", "dead", None), Remedy("pause_consumer", MAPPING, "Disabled")):
        assert not remedies.read(healed.anything, healed.target, remedy.setting).exists, remedy.kind


def test_the_permissions_of_the_remedies_allow_nothing_else(healed: Healed) -> None:
    lambda_, dynamodb = healed.aws.lambda_, healed.aws.dynamodb
    mode = {"pk": {"S": "mode"}, "sk": {"S": "override"}}
    calls = {
        "lambda:InvokeFunction": lambda: lambda_.invoke(FunctionName=FUNCTION),
        "lambda:UpdateFunctionCode": lambda: lambda_.update_function_code(FunctionName=FUNCTION, ZipFile=b""),
        "lambda:DeleteFunction": lambda: lambda_.delete_function(FunctionName=FUNCTION),
        "lambda:UpdateFunctionConfiguration": lambda: lambda_.update_function_configuration(
            FunctionName="someone-elses"
        ),
        "lambda:PutFunctionConcurrency": lambda: lambda_.put_function_concurrency(
            FunctionName="someone-elses", ReservedConcurrentExecutions=0
        ),
        "dynamodb:PutItem": lambda: dynamodb.put_item(TableName="ledger", Item=mode),
    }
    assert {action: refused(call) for action, call in calls.items()} == {action: action for action in calls}
