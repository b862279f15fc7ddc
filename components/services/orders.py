"""`Orders`: takes orders and loses none, through the failure of what it depends on.

    API -> intake queue -> publisher -> event bus -+-> queue -> fulfilment ---------> breaker -> downstream
                                                   +-> queue -> workflow -> billing -> breaker -> downstream
                                                   +-> stream -> analytics (optional)

What fails for good goes to a dead-letter queue with its reason. One circuit breaker stands before the
downstream, for both consumers; their paces together are the rate that it states.
"""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from selfheal.components.access import Access
from selfheal.components.arns import Arns
from selfheal.components.errors import ComponentError
from selfheal.components.function import DEFAULT_RETENTION_DAYS, own_code
from selfheal.components.iam import allow, on_items
from selfheal.components.patterns.chaos_experiment import ALL, ChaosExperiment, can_be_made
from selfheal.components.patterns.circuit import Circuit
from selfheal.components.patterns.circuit_breaker import CircuitBreaker
from selfheal.components.patterns.dead_letters import DeadLetters
from selfheal.components.patterns.downstream import Downstream
from selfheal.components.patterns.fan_out import FanOut, SubscriberArgs
from selfheal.components.patterns.fault_injection import FaultInjection
from selfheal.components.patterns.function import FunctionArgs
from selfheal.components.patterns.levelled_queue import LevelledQueue
from selfheal.components.patterns.retry_workflow import RetryWorkflow
from selfheal.components.patterns.site_distribution import SiteApiArgs
from selfheal.components.patterns.static_site import StaticSite
from selfheal.components.patterns.storage_first_api import STAGE, StorageFirstApi
from selfheal.components.patterns.stream_consumer import StreamConsumer
from selfheal.components.remedies import RemedyArgs
from selfheal.components.status import Shown, status_function
from selfheal.components.targets import TargetArgs
from selfheal.functions.shared.contract import RemedyKind
from selfheal.scenarios.scenario import shipped

RATE = 20.0
"""Calls a second that the downstream states, by default."""

INTAKE_PER_RATE = 5
"""How much quicker orders are taken in than they are worked off: a burst is stored at once, and told."""

MOST_INTAKE = 1000.0
"""Orders a second: the highest rate of a levelled queue."""

INTAKE_RECEIVES = 10
"""Of a message that the publisher fails at, before it becomes a letter. The pauses between them take seven
minutes on average: a bad deployment is rolled back before, and no order is given up because of it."""

MAXIMUM_CONCURRENCY = {"fulfilment": 4, "billing": 8}
"""Of each consumer. More for billing, which takes one message at a time: of a longer turn for each message, a
smaller share is spent on starting."""

CIRCUIT: Mapping[str, float] = {"window_seconds": 20}
"""Settings that differ from those of `Circuit`. Of a downstream that hangs, the consumers' places let through
little more than one first attempt a second: a shorter window would never hold the minimum of calls."""

TASK_SECONDS = 10
"""Timeout of the billing function: its call may take 5 s."""

RETRIES = 2
"""Of the billing workflow. An order has more attempts: after these its message goes back to the queue."""

SOURCE = "selfheal.orders"
"""Source of the events."""

PATTERN = {"detail-type": ["OrderReceived"]}

SITE_PATHS = ("/orders/*", "/status/*")
"""What the API answers under the site's address."""

ORDER_SCHEMA: Mapping[str, object] = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "title": "Order",
    "type": "object",
    "additionalProperties": False,
    "required": ["id", "article", "quantity", "cents"],
    "properties": {
        "id": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$", "maxLength": 64},
        "article": {"type": "string", "minLength": 1, "maxLength": 64},
        "quantity": {"type": "integer", "minimum": 1, "maximum": 1000},
        "cents": {"type": "integer", "minimum": 1, "maximum": 100000000},
        "note": {"type": "string", "maxLength": 1000},
    },
}
"""What the API takes. A body has a bound, so that what is stored can always be published."""


class OrdersArgs(TypedDict):
    """How orders are worked off."""

    people: pulumi.Input[str]
    """ARN of the topic that alarms notify."""

    callers: NotRequired[pulumi.Input[Mapping[str, str]]]
    """Tokens by caller's name, a secret. Default: none, so that nobody gets in."""

    rate: NotRequired[float]
    """Calls a second that the downstream states, for both consumers together, 0.5 to 1,000. Default 20."""

    articles: NotRequired[Sequence[str]]
    """What can be ordered. Default: book, lamp and chair."""

    catalogue_seconds: NotRequired[int]
    """How long consumers cache the list of articles, 1 to 3,600. Default 60."""

    analytics: NotRequired[bool]
    """Whether there is a stream for reports, which costs money also when idle. Default false."""

    circuit: NotRequired[Mapping[str, float]]
    """Settings of the circuit breaker. Default: a window of 20 s, and for the others those of `Circuit`."""

    ledger: NotRequired[str]
    """Name of the ledger's table of the healer that looks after it. There is GET of /status/now then, which
    tells the callers of the API how everything is. Default: none, and no status."""

    site: NotRequired[str]
    """Folder of a page that is served with the API under one address. Default: no site."""

    chaos: NotRequired[bool]
    """Whether the functions of intake, fulfilment and billing can be made to fail, and there is an experiment
    for each scenario that ships and that AWS can make. Default false."""

    chaos_percent: NotRequired[int]
    """The most that experiments break of invocations or calls, 1 to 100. Below 100 there is none for a fault
    that hits every call. Default 100."""

    log_retention_days: NotRequired[int]
    """Days to keep logs; one of the values that CloudWatch Logs supports. Default 14."""


class Orders(pulumi.ComponentResource):
    """The orders service: API, event bus, two consumers behind one circuit breaker, and the downstream."""

    url: pulumi.Output[str]
    """URL of the API's stage. Orders are at /orders/{id}."""

    def __init__(self, name: str, args: OrdersArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register everything.

        Raises:
            ComponentError: when an argument is out of its range.

        """
        super().__init__("selfheal:index:Orders", name, None, opts)
        rate = args.get("rate", RATE)
        articles = list(args.get("articles", ("book", "lamp", "chair")))
        _check(rate, articles)
        self._name, self._args, self._arns = name, args, Arns(self)
        self._options = pulumi.ResourceOptions(parent=self)
        people = args["people"]
        self.table = self._table()
        self.faults = FaultInjection(f"{name}-faults", {}, self._options) if args.get("chaos") else None
        breakable = [] if self.faults is None else [self.faults.access]
        # Each place of a consumer may send one at the same moment, whatever the rate.
        burst = sum(MAXIMUM_CONCURRENCY.values())
        self.downstream = Downstream(f"{name}-downstream", {"rate": rate, "burst": burst}, self._options)
        settings = {**CIRCUIT, **args.get("circuit", {})}
        self.circuit = Circuit(f"{name}-downstream", {"settings": settings}, self._options)
        parameter, catalogue = self._catalogue(articles)
        self.catalogue_name = parameter
        self.fulfilment = LevelledQueue(
            f"{name}-fulfilment",
            {
                "consumer": self._function(
                    "fulfilment", [self._work(), self.downstream.access, catalogue, *breakable]
                ),
                # Half of the downstream's rate each: the consumers' shares sum to 1.
                "rate": rate / 2,
                "maximum_concurrency": MAXIMUM_CONCURRENCY["fulfilment"],
                "batch_size": _batch_size(rate / 2),
                "circuit": self.circuit,
                "people": people,
            },
            self._options,
        )
        self.billing = RetryWorkflow(
            f"{name}-billing",
            {
                "task": {
                    **self._function("billing", [self._work(), self.downstream.access, *breakable]),
                    "timeout_seconds": TASK_SECONDS,
                    "environment": {"RETRIES": str(RETRIES)},
                },
                "retry": {"max_attempts": RETRIES},
                # An order has its attempts, and each is written down before the call.
                "counts_attempts": True,
                "rate": rate / 2,
                "maximum_concurrency": MAXIMUM_CONCURRENCY["billing"],
                "circuit": self.circuit,
                # For the healer: a deployment of billing that fails is rolled back.
                "alias": True,
                "people": people,
            },
            self._options,
        )
        self.analytics = self._analytics() if args.get("analytics", False) else None
        self.bus = self._bus()
        self.intake = LevelledQueue(
            f"{name}-intake",
            {
                "consumer": self._function("publisher", [self._intake(), self.bus.publisher, *breakable]),
                "rate": min(rate * INTAKE_PER_RATE, MOST_INTAKE),
                # For the healer: a deployment of the publisher that fails is rolled back.
                "alias": True,
                "most_receives": INTAKE_RECEIVES,
                "people": people,
            },
            self._options,
        )
        self.breaker = CircuitBreaker(
            f"{name}-breaker",
            {
                "circuit": self.circuit,
                "consumers": [self.fulfilment, self.billing.queue],
                "probe_url": self.downstream.url,
                "probe_queue": self.fulfilment,
                "people": people,
            },
            self._options,
        )
        ledger = args.get("ledger")
        self.api = StorageFirstApi(
            f"{name}-api",
            {
                "path": "orders",
                "queue": self.intake,
                "schema": ORDER_SCHEMA,
                "reader": self._function("reader", [self._read()]),
                "reads": {} if ledger is None else {"status": self._status(ledger)},
                "callers": args.get("callers", {}),
                "people": people,
            },
            self._options,
        )
        self.url = self.api.url
        self.site = self._site(args["site"]) if "site" in args else None
        self.experiments = {} if self.faults is None else self._experiments(self.faults)
        self.register_outputs({"url": self.url})

    @property
    def targets(self) -> list[TargetArgs]:
        """What a healer looks after.

        An outage of the downstream is the breaker's. The healer forces the circuit open where less fails than
        opens it by itself: orders wait then, and none is lost. Deployments of intake and billing that fail
        are rolled back; fulfilment has no alias, because its mapping is the breaker's.
        """
        force: RemedyArgs = {
            "kind": RemedyKind.FORCE_BREAKER,
            "circuit": self.circuit.circuit_name,
            "circuit_table": self.circuit.table_name,
        }
        billing: TargetArgs = {
            "name": "billing",
            "function_name": self.billing.function_name,
            # It raises, so Lambda counts its errors; the others are consumers, which never raise.
            "instrumented": False,
            "remedies": [{"kind": RemedyKind.ROLLBACK_ALIAS}, force],
        }
        if self.billing.alias_name is not None:
            billing["alias"] = self.billing.alias_name
        intake: TargetArgs = {
            "name": "intake",
            "function_name": self.intake.function_name,
            "instrumented": True,
            "remedies": [{"kind": RemedyKind.ROLLBACK_ALIAS}],
        }
        if self.intake.alias_name is not None:
            intake["alias"] = self.intake.alias_name
        return [
            intake,
            {
                "name": "fulfilment",
                "function_name": self.fulfilment.function_name,
                "instrumented": True,
                "remedies": [force],
            },
            billing,
        ]

    @property
    def exports(self) -> dict[str, object]:
        """What commands need: see `selfheal watch`, `dlq`, `replay` and `breaker`."""
        return {
            "url": self.url,
            "downstreamTable": self.downstream.table_name,
            "ordersTable": self.table.name,
            "catalogue": self.catalogue_name,
            "deadLetters": self.dead_letters,
            "circuits": {self.circuit.circuit_name: self.circuit.table_name},
            "queues": self.queues,
            "functions": self.functions,
            "buses": {"orders": self.bus.replays},
            **({} if self.site is None else {"siteUrl": self.site.url}),
            "experiments": {name: each.template_id for name, each in self.experiments.items()},
        }

    @property
    def queues(self) -> dict[str, pulumi.Output[str]]:
        """URLs of the queues, by name."""
        return {name: queue.queue_url for name, queue in self._levelled.items()}

    @property
    def functions(self) -> dict[str, pulumi.Output[str]]:
        """Names of the functions that handle orders or tell of them, by what they do."""
        return {
            "intake": self.intake.function_name,
            "fulfilment": self.fulfilment.function_name,
            "billing": self.billing.function_name,
            "reader": self.api.reader_name,
            **self.api.read_names,
        }

    @property
    def _levelled(self) -> dict[str, LevelledQueue]:
        return {"intake": self.intake, "fulfilment": self.fulfilment, "billing": self.billing.queue}

    @property
    def dead_letters(self) -> dict[str, pulumi.Output[str]]:
        """Where letters are, by name: URLs of queues, and an s3:// address of the stream's failures."""
        places = {name: queue.queue_url for name, queue in self._letters.items()}
        return places | {name: pulumi.Output.concat("s3://", each) for name, each in self._buckets.items()}

    @property
    def _letters(self) -> dict[str, DeadLetters]:
        """Queues of dead letters, by name."""
        return {
            "intake": self.intake.dead_letters,
            "intake-evicted": self.intake.evicted,
            "bus": self.bus.dead_letters,
            "fulfilment": self.fulfilment.dead_letters,
            "fulfilment-evicted": self.fulfilment.evicted,
            "billing": self.billing.dead_letters,
            "billing-evicted": self.billing.queue.evicted,
        }

    @property
    def _buckets(self) -> dict[str, pulumi.Output[str]]:
        """Buckets of dead letters, by name."""
        return {} if self.analytics is None else {"analytics": self.analytics.failures_bucket}

    def _status(self, ledger: str) -> FunctionArgs:
        shown = Shown(
            ledger=ledger,
            circuits=[self.circuit],
            queues=self._levelled,
            dead_letters=self._letters,
            buckets=self._buckets,
        )
        return status_function(shown, self._arns, self._retention)

    def _table(self) -> aws.dynamodb.Table:
        return aws.dynamodb.Table(
            f"{self._name}-table",
            billing_mode="PAY_PER_REQUEST",
            hash_key="pk",
            range_key="sk",
            attributes=[
                aws.dynamodb.TableAttributeArgs(name="pk", type="S"),
                aws.dynamodb.TableAttributeArgs(name="sk", type="S"),
            ],
            point_in_time_recovery=aws.dynamodb.TablePointInTimeRecoveryArgs(enabled=True),
            opts=self._options,
        )

    def _catalogue(self, articles: Sequence[str]) -> tuple[pulumi.Output[str], Access]:
        """Register the parameter that lists the articles, and return its name and what reading it needs."""
        parameter = aws.ssm.Parameter(
            f"{self._name}-catalogue", type="String", value=",".join(articles), opts=self._options
        )
        seconds = str(self._args.get("catalogue_seconds", 60))
        return parameter.name, Access(
            {"CATALOGUE": parameter.name, "CONFIGURATION_SECONDS": seconds},
            [allow(["ssm:GetParameters"], [self._arns.parameter(parameter.name)])],
        )

    def _function(self, module: str, uses: Sequence[Access]) -> FunctionArgs:
        return {
            "code": own_code("orders", module),
            "uses": uses,
            "log_retention_days": self._retention,
        }

    @property
    def _retention(self) -> int:
        return self._args.get("log_retention_days", DEFAULT_RETENTION_DAYS)

    def _on_orders(self, actions: Sequence[str], partition: str = "order#*") -> Access:
        """Return the use of the table by actions on items of a partition."""
        condition = on_items({"pk": {"S": partition}})
        statement = allow(actions, [self._arns.table(self.table.name)], condition)
        return Access({"ORDERS_TABLE": self.table.name}, [statement])

    def _read(self) -> Access:
        return self._on_orders(["dynamodb:GetItem"])

    def _work(self) -> Access:
        return self._on_orders(["dynamodb:GetItem", "dynamodb:UpdateItem"])

    def _intake(self) -> Access:
        return self._on_orders(["dynamodb:PutItem", "dynamodb:UpdateItem"])

    def _analytics(self) -> StreamConsumer:
        rows = self._on_orders(["dynamodb:PutItem"], "analytics#*")
        return StreamConsumer(
            f"{self._name}-analytics",
            {"consumer": self._function("analytics", [rows]), "people": self._args["people"]},
            self._options,
        )

    def _site(self, folder: str) -> StaticSite:
        api: SiteApiArgs = {"id": self.api.api_id, "stage": STAGE, "paths": SITE_PATHS}
        return StaticSite(f"{self._name}-site", {"folder": folder, "api": api}, self._options)

    def _experiments(self, faults: FaultInjection) -> dict[str, ChaosExperiment]:
        """Register an experiment for each scenario that AWS can make, and return them by its name."""
        percent = self._args.get("chaos_percent", ALL)
        return {
            scenario.name: ChaosExperiment(
                f"{self._name}-{scenario.name}",
                {
                    "scenario": scenario.name,
                    "functions": {
                        "intake": self.intake.function_name,
                        "fulfilment": self.fulfilment.function_name,
                        "billing": self.billing.function_name,
                    },
                    "faults": faults,
                    "downstream_table": self.downstream.table_name,
                    # No scenario is to be felt at the door: whoever cannot place an order ends it.
                    "stop_alarms": [self.api.failing_alarm],
                    "percent": percent,
                    "log_retention_days": self._args.get("log_retention_days", DEFAULT_RETENTION_DAYS),
                },
                self._options,
            )
            for scenario in shipped()
            if can_be_made(scenario, percent)
        }

    def _bus(self) -> FanOut:
        subscribers: dict[str, SubscriberArgs] = {
            "fulfilment": {"queue": self.fulfilment, "pattern": PATTERN},
            "billing": {"queue": self.billing.queue, "pattern": PATTERN},
        }
        if self.analytics is not None:
            subscribers["analytics"] = {
                "stream": self.analytics,
                "partition_key": "$.detail.id",
                "pattern": PATTERN,
            }
        return FanOut(
            f"{self._name}-bus",
            {"subscribers": subscribers, "source": SOURCE, "people": self._args["people"]},
            self._options,
        )


def _batch_size(rate: float) -> int:
    """Return the most messages that fulfilment handles in 20 s at this rate, from 1 to 10."""
    return max(1, min(10, int(20 * rate / MAXIMUM_CONCURRENCY["fulfilment"])))


def _check(rate: float, articles: Sequence[str]) -> None:
    if isinstance(rate, bool) or not 0.5 <= rate <= 1000:  # noqa: PLR2004 - said in the text
        raise ComponentError(
            f"rate must be from 0.5 to 1000 calls a second, got {rate}: it is what the downstream states, "
            "and each consumer takes half of it. Leave it out for 20."
        )
    wrong = [each for each in articles if not each.strip() or "," in each]
    if wrong or not articles:
        raise ComponentError(
            f"articles must name at least one, without commas, got {wrong or 'none'}: consumers read them as "
            "a list that commas separate."
        )
