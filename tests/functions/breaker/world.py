"""A circuit with its table, its clock and its mappings, which take their time to change as on AWS."""

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from selfheal.functions.breaker.mappings import Consumer
from selfheal.functions.breaker.run import Controller
from selfheal.functions.shared.breaker.circuit import Circuit, Outcome
from selfheal.functions.shared.breaker.client import Breaker
from selfheal.functions.shared.breaker.settings import BreakerSettings
from selfheal.functions.shared.breaker.store import Store
from tests.functions.support.memory_table import MemoryTable

START = 1_800_000_000.0
CONSUMERS = (Consumer("fulfil", "arn:queue:fulfil", 10), Consumer("bill", "arn:queue:bill", 5))


class InvalidOrderError(Exception):
    pass


class DownError(Exception):
    pass


def _end(error: type[Exception] | None) -> None:
    if error is not None:
        raise error


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@dataclass
class Mapped:
    """One event source mapping."""

    uuid: str
    state: str = "Enabled"
    concurrency: int = 2
    settles_at: float = 0.0
    becomes: str = "Enabled"


@dataclass
class Mappings:
    """AWS Lambda, as far as mappings go: an update takes `delay` seconds, and others are refused until
    then."""

    clock: Clock
    delay: float = 0.0
    of: dict[str, Mapped] = field(default_factory=dict[str, Mapped])
    updates: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def __post_init__(self) -> None:
        for consumer in CONSUMERS:
            self.replace(consumer)

    def replace(self, consumer: Consumer) -> None:
        """What a deployment does: another mapping, enabled, as configured."""
        uuid = f"{consumer.function}-{len(self.updates)}"
        self.of[consumer.function] = Mapped(uuid, concurrency=consumer.maximum_concurrency)

    def settle(self, mapped: Mapped) -> Mapped:
        if mapped.state.endswith("ing") and self.clock.now >= mapped.settles_at:
            mapped.state = mapped.becomes
        return mapped

    def get_paginator(self, name: str) -> "Mappings":
        assert name == "list_event_source_mappings"
        return self

    def paginate(self, FunctionName: str, EventSourceArn: str) -> list[dict[str, Any]]:
        assert EventSourceArn.startswith("arn:queue:")
        mapped = self.settle(self.of[FunctionName])
        scaling = {"MaximumConcurrency": mapped.concurrency}
        return [
            {"EventSourceMappings": [{"UUID": mapped.uuid, "State": mapped.state, "ScalingConfig": scaling}]}
        ]

    def update_event_source_mapping(self, **arguments: Any) -> None:
        mapped = next(self.settle(each) for each in self.of.values() if each.uuid == arguments["UUID"])
        if mapped.state.endswith("ing"):
            raise ClientError({"Error": {"Code": "ResourceInUseException", "Message": "busy"}}, "Update")
        self.updates.append(arguments)
        mapped.concurrency = arguments.get("ScalingConfig", {}).get("MaximumConcurrency", mapped.concurrency)
        was, enabled = mapped.state, arguments.get("Enabled")
        # As on AWS, what an update does not name stays as it is.
        mapped.becomes = was if enabled is None else "Enabled" if enabled else "Disabled"
        changing = {"Enabled": "Enabling", "Disabled": "Disabling"}[mapped.becomes]
        mapped.state = "Updating" if was == mapped.becomes else changing
        mapped.settles_at = self.clock.now + self.delay
        if not self.delay:
            mapped.state = mapped.becomes

    @property
    def states(self) -> list[tuple[str, int]]:
        return [(self.settle(each).state, each.concurrency) for each in self.of.values()]


class World:
    """Everything around one circuit."""

    def __init__(
        self, settings: BreakerSettings | None = None, table: Any = None, delay: float = 0.0
    ) -> None:
        self.settings = settings or BreakerSettings()
        self.table: Any = table or MemoryTable()
        self.clock = Clock()
        self.chance = random.Random(7).random
        self.mappings = Mappings(self.clock, delay)
        self.up = True
        self.leases: list[str] = []
        self.probing: Callable[[str], Outcome | None] = self.health
        self.probes = 0

    def store(self) -> Store:
        return Store(self.table, "breakers", "payments")

    def breaker(self) -> Breaker:
        """A consumer's module in one environment."""
        return Breaker(self.store(), self.settings, (InvalidOrderError,), self.clock, self.chance)

    def controller(self) -> Controller:
        return Controller(
            self.store(),
            self.mappings,
            CONSUMERS,
            self.probe,
            self.settings,
            self.clock,
            self.chance,
            self.new_id,
        )

    def new_id(self) -> str:
        self.leases.append(f"lease-{len(self.leases)}")
        return self.leases[-1]

    def probe(self, lease: str) -> Outcome | None:
        return self.probing(lease)

    def health(self, _lease: str) -> Outcome:
        self.probes += 1
        return Outcome.SUCCESS if self.up else Outcome.FAILURE

    @property
    def circuit(self) -> Circuit:
        return self.store().read()

    def call(self, breaker: Breaker, *, fails: bool = False, invalid: bool = False) -> None:
        """Call, and ignore how the call itself ends."""
        error = InvalidOrderError if invalid else DownError if fails else None
        with suppress(InvalidOrderError, DownError), breaker.call():
            _end(error)

    def open(self) -> None:
        """Fail often enough for the circuit to open."""
        breaker = self.breaker()
        for _ in range(3):
            for _ in range(self.settings.minimum_calls):
                if self.circuit.at_rest:
                    self.call(breaker, fails=True)
            self.clock.now += 1
            breaker.flush()

    def control(self, seconds: float = 3600) -> None:
        """Run the workflow until it is done, or for a time."""
        end, episode = self.clock.now + seconds, self.circuit.episode
        while self.clock.now < end:
            answer = self.controller().run(episode)
            if answer["done"]:
                return
            self.clock.now += answer["wait"]
