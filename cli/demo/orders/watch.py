"""Read what the orders service, its circuit breaker, its downstream and its healer say of themselves."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import urllib3

from selfheal.cli.demo.model import AlarmChange
from selfheal.cli.demo.orders.model import PREFIX, CircuitChange, Fate, order_id
from selfheal.cli.demo.traffic import Send
from selfheal.cli.demo.watch import Watch
from selfheal.cli.operator.ledger import read_incidents
from selfheal.cli.operator.orders_view import OrdersView
from selfheal.functions.downstream.core import Setting
from selfheal.functions.downstream.store import SETTING_KEY, setting_item
from selfheal.functions.healer.incident import Incident
from selfheal.functions.orders.order import Order, State, effect_key
from selfheal.functions.shared.breaker.circuit import Circuit
from selfheal.functions.shared.breaker.store import Store
from selfheal.sandbox.clients import Clients


@dataclass(frozen=True)
class OrdersWatch:
    """The stack. Its methods raise botocore's errors when it cannot be read or switched."""

    clients: Clients
    outputs: Mapping[str, Any]
    """The stack's outputs."""
    began: datetime
    """When traffic began, UTC: times are given in seconds since then."""

    @property
    def view(self) -> OrdersView:
        """What became of the orders."""
        return OrdersView.of_outputs(self.clients.get("dynamodb"), self.outputs)

    def alarm_changes(self) -> tuple[AlarmChange, ...]:
        """Return the state changes of the healer's alarms since traffic began, oldest first."""
        return Watch(self.clients, dict(self.outputs), self.began).alarm_changes()

    def incidents(self) -> tuple[Incident, ...]:
        """Return the ledger's incidents, open ones first."""
        found = read_incidents(self.clients.get("dynamodb"), str(self.outputs["ledgerTable"]))
        return tuple(found.readable)

    def circuit(self) -> CircuitChange:
        """Return the circuit as it is now."""
        [(name, table)] = self.outputs["circuits"].items()
        return self.change(Store(self.clients.get("dynamodb"), str(table), str(name)).read())

    def change(self, circuit: Circuit) -> CircuitChange:
        """Return the state of a circuit, and since when it has had it."""
        at = max(0.0, circuit.changed_at - self.began.timestamp())
        return CircuitChange(round(at, 3), circuit.state, circuit.at_rest)

    def fates(self) -> tuple[Fate, ...]:
        """Return what became of each order so far."""
        return tuple(self.fate(order) for order in self.view.orders().values())

    def fate(self, order: Order) -> Fate:
        """Return what became of an order so far."""
        done = {name: work.done_at for name, work in order.work.items() if work.done_at is not None}
        fulfilled = max(done.values()) - self.began.timestamp() if order.state is State.FULFILLED else None
        keys = tuple(effect_key(order, name) for name in done)
        return Fate(order.id, order.state, order.reason, fulfilled, keys)

    def letters(self) -> dict[str, int]:
        """Return how many letters are in each queue of dead letters."""
        sqs = self.clients.get("sqs")
        name = "ApproximateNumberOfMessages"
        return {
            place: int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name])
            for place, url in self.outputs["deadLetters"].items()
            if not str(url).startswith("s3://")
        }

    def switch(self, setting: Setting | None) -> None:
        """Switch the downstream, or with None back to its baseline. It follows within a second."""
        dynamodb, table = self.clients.get("dynamodb"), str(self.outputs["downstreamTable"])
        if setting is None:
            dynamodb.delete_item(TableName=table, Key=SETTING_KEY)
        else:
            dynamodb.put_item(TableName=table, Item=setting_item(setting))

    def alias(self, function: str, name: str) -> str:
        """Return the version that an alias points to."""
        return str(self.clients.get("lambda").get_alias(FunctionName=function, Name=name)["FunctionVersion"])


def placing(token: str, prefix: str = PREFIX) -> Send:
    """Return what places one order for each request, with a caller's token; ids begin with the prefix."""
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}

    def place(pool: urllib3.PoolManager, url: str, number: int) -> urllib3.BaseHTTPResponse:
        name = order_id(number, prefix)
        body = {"id": name, "article": "book", "quantity": 1, "cents": 1250}
        return pool.request("PUT", f"{url}/orders/{name}", body=json.dumps(body), headers=headers)

    return place
