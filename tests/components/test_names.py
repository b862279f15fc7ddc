"""Every identifier that components take: an ARN for a name, a qualifier, nothing, a space; known late too."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest

from selfheal.components import names
from selfheal.components.errors import ComponentError
from selfheal.components.function import own_code
from selfheal.components.healing.detection import Detection
from selfheal.components.healing.healer import Healer
from selfheal.components.healing.refuse_while_open import refuse_while_open
from selfheal.components.patterns.aurora_downstream import AuroraDownstream
from selfheal.components.patterns.chaos_experiment import ChaosExperiment
from selfheal.components.patterns.circuit import Circuit
from selfheal.components.patterns.circuit_breaker import CircuitBreaker
from selfheal.components.patterns.dead_letters import DeadLetters
from selfheal.components.patterns.fan_out import FanOut
from selfheal.components.patterns.fault_injection import FaultInjection
from selfheal.components.patterns.levelled_queue import LevelledQueue
from selfheal.components.patterns.retry_workflow import RetryWorkflow
from selfheal.components.patterns.static_site import StaticSite
from selfheal.components.patterns.storage_first_api import StorageFirstApi
from selfheal.components.patterns.stream_consumer import StreamConsumer
from selfheal.components.services.fragile_service import FragileService
from selfheal.components.services.orders import Orders
from selfheal.functions.shared.contract import RemedyKind
from tests.components.patterns.support.extension import INVOKES
from tests.components.support.deployments import MAPPING, REMEDIES, target
from tests.support.pulumi_mocks import ACCOUNT, REGION, Deployment, deploy

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:people"
FUNCTION_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders-fn"
TABLE_ARN = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/ledger"
SUBNETS = ["subnet-0a1b2c3d", "subnet-0a1b2c3e"]

Make = Callable[[Any], object]
"""Registers the component with an argument."""

PAGES = Path(__file__).parent / "patterns" / "support" / "sited" / "pages"
RUNS: Any = {"code": own_code("fragile")}


def healer(**changes: Any) -> object:
    args: Any = {"targets": [target(**changes)], "ledger_name": "ledger"}
    return Healer("healer", args)


def healer_with(kind: RemedyKind, **changes: Any) -> object:
    remedy: Any = {**REMEDIES[kind], **changes}
    return healer(remedies=[remedy])


def levelled(people: Any) -> object:
    return LevelledQueue("work", {"consumer": RUNS, "rate": 10, "people": people})


def breaker(**changes: Any) -> object:
    circuit = Circuit("payments")
    consumer = LevelledQueue("work", {"consumer": RUNS, "rate": 10, "people": TOPIC, "circuit": circuit})
    args: Any = {
        "circuit": circuit,
        "consumers": [consumer],
        "probe_url": "https://example.com/",
        "people": TOPIC,
    }
    return CircuitBreaker("breaker", args | changes)


def fan_out(**changes: Any) -> object:
    queue = LevelledQueue("work", {"consumer": RUNS, "rate": 10, "people": TOPIC})
    subscribers: Any = {"work": {"pattern": {"detail-type": ["Placed"]}, "queue": queue}}
    args: Any = {"subscribers": subscribers, "people": TOPIC}
    return FanOut("events", args | changes)


def storage_first(people: Any) -> object:
    queue = LevelledQueue("work", {"consumer": RUNS, "rate": 10, "people": TOPIC})
    schema: Any = {"type": "object", "properties": {}, "additionalProperties": False}
    return StorageFirstApi(
        "api", {"path": "orders", "queue": queue, "schema": schema, "reader": RUNS, "people": people}
    )


def experiment(**changes: Any) -> object:
    args: Any = {"scenario": "third-party-out", "stop_alarms": ["burn"], "downstream_table": "payments"}
    return ChaosExperiment("drill", args | changes)


def function_experiment(function: Any) -> object:
    args: Any = {
        "scenario": "billing-fails",
        "stop_alarms": ["burn"],
        "functions": {"billing": function},
        "faults": FaultInjection("faults"),
    }
    return ChaosExperiment("drill", args)


def site(**changes: Any) -> object:
    args: Any = {"folder": str(PAGES)}
    return StaticSite("shop", args | changes)


def domain(certificate: Any) -> object:
    return site(domain={"name": "orders.example.com", "certificate_arn": certificate})


def fragile(table: Any) -> object:
    return FragileService("fragile", {"failure_rate": 0, "overrides": {"table": table, "target": "fragile"}})


NAMES = (
    "",
    " ",
    "orders fn",
    " orders-fn",
    "orders-fn\n",
    FUNCTION_ARN,
    f"{FUNCTION_ARN}:live",
    "orders-fn:live",
)
PARTIAL = (
    f"{ACCOUNT}:function:orders-fn",
    "function:orders-fn",
    "orders-fn:$LATEST",
    "orders-fn:7",
    "x" * 65,
)
TABLES = ("", " ", "my ledger", "ledger ", TABLE_ARN, "t")
TOPICS = (
    *("", " ", "people", f" {TOPIC}", f"{TOPIC} ", f"{TOPIC}:6f1c2a4e-0d3b-4a57-9c1e-5b8f7d2e9a10"),
    *(f"arn:aws:sqs:{REGION}:{ACCOUNT}:people", "oncall@example.com", f"arn:aws:sns:{REGION}::people"),
)
ALARMS = ("", " ", " burn", f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:burn")
CERTIFICATES = (
    *("", " ", "11111111-2222", f"arn:aws:acm:eu-west-1:{ACCOUNT}:certificate/11111111-2222"),
    *(f" arn:aws:acm:us-east-1:{ACCOUNT}:certificate/11111111-2222",),
)

ARGUMENTS: dict[str, tuple[Make, str, str, tuple[str, ...]]] = {
    "target: function_name": (
        lambda given: healer(function_name=given),
        "target 'orders': function_name must be the name of a Lambda function",
        "orders-fn",
        NAMES + PARTIAL,
    ),
    "target: alias": (
        lambda given: healer(alias=given, remedies=[REMEDIES[RemedyKind.ROLLBACK_ALIAS]]),
        "target 'orders': alias must be the name of an alias",
        "live",
        ("", " ", "li ve", "live ", "$LATEST", "7", "orders-fn:live", f"{FUNCTION_ARN}:live"),
    ),
    "pause_consumer: mapping": (
        lambda given: healer_with(RemedyKind.PAUSE_CONSUMER, mapping=given),
        "remedy `pause_consumer`: mapping must be the UUID of an event source mapping",
        MAPPING,
        (
            *("", " ", f" {MAPPING}", "orders", MAPPING.upper().replace("1", "F")),
            f"arn:aws:lambda:{REGION}:{ACCOUNT}:event-source-mapping:{MAPPING}",
        ),
    ),
    "force_breaker: circuit_table": (
        lambda given: healer_with(RemedyKind.FORCE_BREAKER, circuit_table=given),
        "remedy `force_breaker`: circuit_table must be the name of a DynamoDB table",
        "circuits",
        TABLES,
    ),
    "Detection: function_name": (
        lambda given: Detection("orders", {"function_name": given, "actions": [TOPIC]}),
        "function_name must be the name of a Lambda function",
        "orders-fn",
        NAMES,
    ),
    "Detection: actions": (
        lambda given: Detection("orders", {"function_name": "orders-fn", "actions": [TOPIC, given]}),
        "each of actions must be the ARN of an SNS topic",
        TOPIC,
        TOPICS,
    ),
    "FragileService: table": (
        fragile,
        "overrides: table must be the name of a DynamoDB table",
        "ledger",
        TABLES,
    ),
    "DeadLetters: people": (
        lambda given: DeadLetters("lost", {"people": given}),
        "people must be the ARN of an SNS topic",
        TOPIC,
        TOPICS,
    ),
    "LevelledQueue: people": (levelled, "people must be the ARN of an SNS topic", TOPIC, TOPICS[2:3]),
    "RetryWorkflow: people": (
        lambda given: RetryWorkflow("retry", {"task": RUNS, "rate": 10, "people": given}),
        "people must be the ARN of an SNS topic",
        TOPIC,
        TOPICS[2:3],
    ),
    "StreamConsumer: people": (
        lambda given: StreamConsumer("reports", {"consumer": RUNS, "people": given}),
        "people must be the ARN of an SNS topic",
        TOPIC,
        TOPICS[2:3],
    ),
    "FanOut: people": (lambda given: fan_out(people=given), "people must be the ARN", TOPIC, TOPICS[2:3]),
    "StorageFirstApi: people": (storage_first, "people must be the ARN of an SNS topic", TOPIC, TOPICS[2:3]),
    "CircuitBreaker: people": (
        lambda given: breaker(people=given),
        "people must be the ARN",
        TOPIC,
        TOPICS[2:3],
    ),
    "CircuitBreaker: probe_url": (
        lambda given: breaker(probe_url=given),
        "probe_url must be a URL that begins with http",
        "http://example.com/health",
        ("example.com",),
    ),
    "AuroraDownstream: subnet_ids": (
        lambda given: AuroraDownstream("payments", {"subnet_ids": [*SUBNETS, given]}),
        "each of subnet_ids must be the id of a subnet",
        "subnet-0a1b2c3f",
        ("", " ", "private", "sg-0a1b2c3d", f"arn:aws:ec2:{REGION}:{ACCOUNT}:subnet/subnet-0a1b2c3f"),
    ),
    "AuroraDownstream: security_group_ids": (
        lambda given: AuroraDownstream("payments", {"subnet_ids": SUBNETS, "security_group_ids": [given]}),
        "each of security_group_ids must be the id of a security group",
        "sg-0a1b2c3d",
        ("", " ", "default", "subnet-0a1b2c3f", f"arn:aws:ec2:{REGION}:{ACCOUNT}:security-group/sg-0a1b2c3d"),
    ),
    "ChaosExperiment: stop_alarms": (
        lambda given: experiment(stop_alarms=[given]),
        "each of stop_alarms must be the name of an alarm",
        "burn rate: fast",
        ALARMS,
    ),
    "ChaosExperiment: downstream_table": (
        lambda given: experiment(downstream_table=given),
        "downstream_table must be the name of a DynamoDB table",
        "payments",
        TABLES,
    ),
    "ChaosExperiment: functions": (
        function_experiment,
        "functions: billing must be the name of a Lambda function",
        "billing",
        NAMES[1:],
    ),
    "StaticSite: api id": (
        lambda given: site(api={"id": given, "stage": "live", "paths": ["/orders/*"]}),
        "api: id must be the id of a REST API",
        "a1b2c3d4e5",
        (
            "",
            " ",
            "https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
            f"arn:aws:apigateway:{REGION}::/restapis/a1",
        ),
    ),
    "StaticSite: certificate_arn": (
        domain,
        "certificate_arn must be the ARN of a certificate in us-east-1",
        f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/11111111-2222",
        CERTIFICATES,
    ),
}
"""Argument to what takes it, what is said of a wrong one, a right one, and wrong ones."""


def run(make: Make, given: Any, *, preview: bool = True) -> Deployment:
    def program() -> None:
        make(given)

    return deploy(program, preview=preview, invokes=INVOKES)


@pytest.mark.parametrize("argument", ARGUMENTS)
def test_a_wrong_one_is_refused_at_preview(argument: str) -> None:
    make, says, _, wrong = ARGUMENTS[argument]
    for given in wrong:
        with pytest.raises(ComponentError) as refused:
            run(make, given)
        assert says in str(refused.value)
        assert f"got {given!r}" in str(refused.value)


def late(make: Make, value: Any) -> Make:
    """Give an output instead: it cannot be made outside the program."""
    return lambda _: make(pulumi.Output.from_input(value))


@pytest.mark.slow
@pytest.mark.parametrize("argument", ARGUMENTS)
def test_an_output_is_checked_once_it_is_known_and_until_then_fails_nothing(argument: str) -> None:
    make, says, right, wrong = ARGUMENTS[argument]
    with pytest.raises(Exception, match=r"must be") as refused:
        run(late(make, wrong[-1]), None)
    assert says in str(refused.value)
    run(late(make, right), None)
    run(late(make, pulumi.output.UNKNOWN), None)


@pytest.mark.parametrize("argument", ["target: function_name", "DeadLetters: people"])
def test_what_is_unknown_at_preview_is_checked_by_up(argument: str) -> None:
    make, says, right, wrong = ARGUMENTS[argument]
    with pytest.raises(Exception, match=says):
        run(late(make, wrong[-1]), None, preview=False)
    run(late(make, right), None, preview=False)


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        (FUNCTION_ARN, "Give 'orders-fn'. Account and region are those of the provider"),
        (f"{FUNCTION_ARN}:live", "Give 'orders-fn', and as `alias` 'live'"),
        ("orders-fn:live", "Give 'orders-fn', and as `alias` 'live'"),
        (f"{ACCOUNT}:function:orders-fn", "Give 'orders-fn'."),
        ("orders-fn:$LATEST", "Give 'orders-fn', and no alias"),
        (
            f"{FUNCTION_ARN}:7",
            "Give 'orders-fn', and the alias through which its traffic comes, not version 7",
        ),
        (" orders-fn", "Give it without the space around it: 'orders-fn'"),
        ("", "For example 'orders'."),
        (None, "got None. For example 'orders'."),
    ],
)
def test_what_is_said_of_a_functions_name_is_what_to_give(given: Any, advice: str) -> None:
    with pytest.raises(ComponentError) as refused:
        names.FUNCTION.check("function_name", given)
    assert advice in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "given", "advice"),
    [
        (names.ALIAS, "$LATEST", "Leave it out"),
        (names.ALIAS, "7", "A number is a version"),
        (names.ALIAS, "orders-fn:live", "'live'"),
        (names.TABLE, TABLE_ARN, "Give what follows the last colon or slash: 'ledger'"),
        (names.MAPPING, f"arn:aws:lambda:{REGION}:{ACCOUNT}:event-source-mapping:{MAPPING}", f"'{MAPPING}'"),
        (
            names.ALARM,
            f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:burn rate: fast",
            "Give 'burn rate: fast'",
        ),
        (names.CERTIFICATE, CERTIFICATES[3], "this one is in eu-west-1"),
        (names.HOST, "https://orders.example.com/", "without scheme and path"),
        (names.SOURCE, "aws.orders", "not aws."),
    ],
)
def test_what_is_said_of_others_too(kind: names.Identifier, given: str, advice: str) -> None:
    with pytest.raises(ComponentError) as refused:
        kind.check("it", given)
    assert advice in str(refused.value)


@pytest.mark.parametrize(
    "given", ["", " ", "file:///etc/passwd", "https://", " https://a.example", TABLE_ARN]
)
def test_what_is_no_url_is_refused(given: str) -> None:
    with pytest.raises(ComponentError, match="must be a URL"):
        names.URL.check("probe_url", given)


@pytest.mark.parametrize(
    "given",
    [
        f"arn:aws-cn:sns:cn-north-1:{ACCOUNT}:people",
        f"arn:aws-us-gov:sns:us-gov-west-1:{ACCOUNT}:people_2",
        f"arn:aws:sns:us-east-1:{ACCOUNT}:people.fifo",
    ],
)
def test_topics_of_every_partition_are_taken(given: str) -> None:
    assert names.TOPIC.check("people", given) == given


def test_the_topic_of_orders_is_checked_too() -> None:
    with pytest.raises(ComponentError, match="people must be the ARN of an SNS topic"):
        run(lambda _: Orders("orders", {"people": "people"}), None)


@pytest.mark.parametrize("given", TABLES)
def test_a_ledgers_name_is_checked_wherever_it_is_given(given: str) -> None:
    args: Any = {"targets": [target()], "ledger_name": given}
    makes: tuple[Make, ...] = (
        lambda _: Healer("healer", args),
        lambda _: refuse_while_open(given),
        lambda _: Orders("orders", {"people": TOPIC, "ledger": given}),
    )
    for make in makes:
        with pytest.raises(ComponentError, match="must be the name of a DynamoDB table"):
            run(make, None)
