"""`Orders`: takes orders and loses none, through the failure of what it depends on.

    API -> intake queue -> publisher -> event bus -+-> queue -> fulfilment ---------> breaker -> downstream
                                                   +-> queue -> workflow -> billing -> breaker -> downstream
                                                   +-> stream -> analytics (optional)

What fails for good goes to a dead-letter queue with its reason. One circuit breaker stands before the
downstream, for both consumers; their paces together are the rate that it states.
"""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from selfheal.components import names
from selfheal.components.access import Access
from selfheal.components.arns import Arns
from selfheal.components.function import DEFAULT_RETENTION_DAYS, own_code
from selfheal.components.healing.remedies import RemedyArgs
from selfheal.components.healing.targets import TargetArgs
from selfheal.components.iam import allow
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
from selfheal.components.security import Security
from selfheal.components.services.orders_args import ORDER_SCHEMA, RATE, OrdersArgs, check
from selfheal.components.services.orders_table import OrdersTable
from selfheal.components.services.status import Shown, status_function
from selfheal.functions.shared.contract import Invocation, RemedyKind
from selfheal.scenarios.scenario import shipped

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
        args = {**args, "people": names.TOPIC.of("people", args["people"])}
        if "ledger" in args:
            names.TABLE.check("ledger", args["ledger"])
        rate = args.get("rate", RATE)
        articles = list(args.get("articles", ("book", "lamp", "chair")))
        check(rate, articles)
        self._name, self._args, self._arns = name, args, Arns(self)
        self._options = pulumi.ResourceOptions(parent=self)
        self._security = Security(args, self._arns)
        people, demands = args["people"], self._security.args
        self.table = OrdersTable(name, self._arns, self._security, self._options)
        self.faults = FaultInjection(f"{name}-faults", {}, self._options) if args.get("chaos") else None
        breakable = [] if self.faults is None else [self.faults.access]
        # Each place of a consumer may send one at the same moment, whatever the rate.
        burst = sum(MAXIMUM_CONCURRENCY.values())
        self.downstream = Downstream(
            f"{name}-downstream", {"rate": rate, "burst": burst, **demands}, self._options
        )
        settings = {**CIRCUIT, **args.get("circuit", {})}
        self.circuit = Circuit(f"{name}-downstream", {"settings": settings, **demands}, self._options)
        parameter, catalogue = self._catalogue(articles)
        self.catalogue_name = parameter
        self.fulfilment = LevelledQueue(
            f"{name}-fulfilment",
            {
                "consumer": self._function(
                    "fulfilment", [self.table.work, self.downstream.access, catalogue, *breakable]
                ),
                # Half of the downstream's rate each: the consumers' shares sum to 1.
                "rate": rate / 2,
                "maximum_concurrency": MAXIMUM_CONCURRENCY["fulfilment"],
                "batch_size": _batch_size(rate / 2),
                "circuit": self.circuit,
                "people": people,
                **demands,
            },
            self._options,
        )
        self.billing = RetryWorkflow(
            f"{name}-billing",
            {
                "task": {
                    **self._function("billing", [self.table.work, self.downstream.access, *breakable]),
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
                **demands,
            },
            self._options,
        )
        self.analytics = self._analytics() if args.get("analytics", False) else None
        self.bus = self._bus()
        self.intake = LevelledQueue(
            f"{name}-intake",
            {
                "consumer": self._function("publisher", [self.table.take_in, self.bus.publisher, *breakable]),
                "rate": min(rate * INTAKE_PER_RATE, MOST_INTAKE),
                # For the healer: a deployment of the publisher that fails is rolled back.
                "alias": True,
                "most_receives": INTAKE_RECEIVES,
                "people": people,
                **demands,
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
                **demands,
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
                "reader": self._function("reader", [self.table.read]),
                "reads": {} if ledger is None else {"status": self._status(ledger)},
                "callers": args.get("callers", {}),
                "people": people,
                **demands,
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
            "timeout_seconds": TASK_SECONDS,
            # The workflow waits for it, so a throttle is a failed attempt.
            "invocation": Invocation.SYNCHRONOUS,
            "remedies": [{"kind": RemedyKind.ROLLBACK_ALIAS}, force],
        }
        if self.billing.alias_name is not None:
            billing["alias"] = self.billing.alias_name
        intake: TargetArgs = {
            "name": "intake",
            "function_name": self.intake.function_name,
            "instrumented": True,
            "timeout_seconds": self.intake.timeout_seconds,
            "invocation": Invocation.QUEUED,
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
                "timeout_seconds": self.fulfilment.timeout_seconds,
                "invocation": Invocation.QUEUED,
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
        return status_function(shown, self._arns, self._security, self._retention)

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

    def _analytics(self) -> StreamConsumer:
        return StreamConsumer(
            f"{self._name}-analytics",
            {
                "consumer": self._function("analytics", [self.table.report]),
                "people": self._args["people"],
                **self._security.args,
            },
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
                    "log_retention_days": self._retention,
                    **self._security.args,
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
            {
                "subscribers": subscribers,
                "source": SOURCE,
                "people": self._args["people"],
                **self._security.args,
            },
            self._options,
        )


def _batch_size(rate: float) -> int:
    """Return the most messages that fulfilment handles in 20 s at this rate, from 1 to 10."""
    return max(1, min(10, int(20 * rate / MAXIMUM_CONCURRENCY["fulfilment"])))
