"""Reading, while the demonstration runs, what AWS and the ledger say of it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from selfheal.cli.demo.model import AlarmChange
from selfheal.cli.operator.ledger import read_incidents
from selfheal.functions.healer.incident import Incident
from selfheal.sandbox.provider.clients import Clients

VARIABLE = "FAILURE_RATE"
"""The only variable of the function's environment that is ever read here: the others may hold secrets."""


@dataclass(frozen=True)
class Watch:
    """The stack under observation."""

    clients: Clients
    outputs: dict[str, Any]
    """The stack's outputs."""
    began: datetime
    """When traffic began, UTC: times are given in seconds since then."""

    def alarm_changes(self) -> tuple[AlarmChange, ...]:
        """Return the state changes of the alarms since traffic began, oldest first, from their history.

        Raises:
            botocore.exceptions.ClientError: when the history cannot be read.

        """
        changes = [change for name in self.outputs["alarmNames"] for change in self._history(str(name))]
        return tuple(sorted(changes, key=lambda change: change.at))

    def _history(self, name: str) -> Sequence[AlarmChange]:
        pages = self.clients.get("cloudwatch").get_paginator("describe_alarm_history")
        items = [
            item
            for page in pages.paginate(AlarmName=name, HistoryItemType="StateUpdate")
            for item in page["AlarmHistoryItems"]
        ]
        return [
            AlarmChange(name, state, (item["Timestamp"] - self.began).total_seconds(), reason)
            for item in items
            for state, reason in [_new_state(item["HistoryData"])]
            if item["Timestamp"].timestamp() >= int(self.began.timestamp())  # whole seconds in the emulator
        ]

    def incident(self) -> Incident | None:
        """Return the ledger's first open incident, else its newest one, or None.

        Raises:
            botocore.exceptions.ClientError: when the ledger cannot be read.

        """
        found = read_incidents(self.clients.get("dynamodb"), str(self.outputs["ledgerTable"]))
        return next(iter(found.readable), None)

    def failure_rate(self) -> str | None:
        """Return the FAILURE_RATE in the function's live configuration, or None when it has none.

        Raises:
            botocore.exceptions.ClientError: when the configuration cannot be read.

        """
        lambda_ = self.clients.get("lambda")
        live = lambda_.get_function_configuration(FunctionName=str(self.outputs["functionName"]))
        return live.get("Environment", {}).get("Variables", {}).get(VARIABLE)


def _new_state(history_data: str) -> tuple[str, str]:
    new = json.loads(history_data).get("newState", {})
    return str(new.get("stateValue", "")), str(new.get("stateReason", ""))


def traffic_url(url: str, endpoint: str) -> str:
    """Return where the service's HTTP API really answers.

    AWS answers at the URL itself. The emulator answers under a path of its endpoint as well, because nobody
    resolves the host name of its APIs.

    Args:
        url: The stack's output `url`; the host of AWS's begins with the API's id and `execute-api`.
        endpoint: The AWS endpoint in use.

    """
    host = urlsplit(url).hostname or ""
    api, _, service = host.partition(".")
    if not service.startswith("execute-api.") or (urlsplit(endpoint).hostname or "").endswith(
        ".amazonaws.com"
    ):
        return url.rstrip("/") + "/"
    return f"{endpoint}/_aws/execute-api/{api}/$default/"
