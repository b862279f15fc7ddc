"""Read what AWS and the ledger say of the stack while the demonstration runs."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from selfheal.cli.demo.model import AlarmChange
from selfheal.cli.operator.ledger import read_incidents
from selfheal.functions.healer.incident import Incident
from selfheal.sandbox.clients import Clients

VARIABLE = "FAILURE_RATE"
"""The only variable of the function's environment that is read: the others may hold secrets."""


@dataclass(frozen=True)
class Watch:
    """The stack. Its methods raise botocore's errors when it cannot be read."""

    clients: Clients
    outputs: dict[str, Any]
    """The stack's outputs."""
    began: datetime
    """When traffic began, UTC: times are given in seconds since then."""

    def alarm_changes(self) -> tuple[AlarmChange, ...]:
        """Return the state changes of the alarms since traffic began, oldest first, from their history."""
        history = self.clients.get("cloudwatch").get_paginator("describe_alarm_history")
        changes: list[AlarmChange] = []
        for name in self.outputs["alarmNames"]:
            for page in history.paginate(AlarmName=str(name), HistoryItemType="StateUpdate"):
                for item in page["AlarmHistoryItems"]:
                    if item["Timestamp"].timestamp() < int(self.began.timestamp()):  # it has whole seconds
                        continue
                    new = json.loads(item["HistoryData"]).get("newState", {})
                    state, reason = str(new.get("stateValue", "")), str(new.get("stateReason", ""))
                    at = (item["Timestamp"] - self.began).total_seconds()
                    changes.append(AlarmChange(str(name), state, at, reason))
        return tuple(sorted(changes, key=lambda change: change.at))

    def incident(self) -> Incident | None:
        """Return the ledger's first open incident, else its newest one, or None."""
        found = read_incidents(self.clients.get("dynamodb"), str(self.outputs["ledgerTable"]))
        return next(iter(found.readable), None)

    def failure_rate(self) -> str | None:
        """Return the FAILURE_RATE in the function's live configuration, or None when it has none."""
        lambda_ = self.clients.get("lambda")
        live = lambda_.get_function_configuration(FunctionName=str(self.outputs["functionName"]))
        return live.get("Environment", {}).get("Variables", {}).get(VARIABLE)


def traffic_url(url: str, endpoint: str) -> str:
    """Return where the service's HTTP API really answers.

    AWS answers at the URL itself. The emulator answers under a path of its endpoint as well, because nobody
    resolves the host name of its APIs.

    Args:
        url: The stack's output `url`; its host begins with the API's id and `execute-api`.
        endpoint: The AWS endpoint in use.

    """
    api, _, service = (urlsplit(url).hostname or "").partition(".")
    on_aws = (urlsplit(endpoint).hostname or "").endswith(".amazonaws.com")
    if on_aws or not service.startswith("execute-api."):
        return url.rstrip("/") + "/"
    return f"{endpoint}/_aws/execute-api/{api}/$default/"
