"""An account as the doctor asks it: each service with the answers of its calls."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from selfheal.cli.doctor.stack import Deployed
from tests.functions.support.memory_table import MemoryTable

HEALER_ARN = "arn:aws:lambda:eu-west-1:123456789012:function:healer"
TOPIC, PEOPLE = (f"arn:aws:sns:eu-west-1:123456789012:{name}" for name in ("healer", "people"))
KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd"
CALLER = "arn:aws:iam::123456789012:user/me"

ALARM = {
    "AlarmName": "shop-fast",
    "StateValue": "OK",
    "ActionsEnabled": True,
    "AlarmActions": [TOPIC, PEOPLE],
}
TARGET = {
    "name": "shop",
    "function": "shop-fn",
    "timeout": 3,
    "alarms": [{"name": "shop-fast", "kind": "fast", "min_errors": 6, "error_rate": 0.05}],
    "remedies": [{"kind": "environment", "name": "RATE", "value": "0"}],
}


def refusal(operation: str, code: str = "AccessDeniedException", message: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


def deployed(*remedies: dict[str, Any], mode: str = "act", **function: Any) -> Deployed:
    """A healer of one target; keyword arguments replace what AWS says of its function."""
    target = TARGET | ({"remedies": list(remedies)} if remedies else {})
    environment = {"TARGETS": json.dumps([target]), "MODE": mode, "TOPIC_ARN": TOPIC}
    environment["ESCALATION_TOPIC_ARN"] = PEOPLE
    item = {
        "mode": {"S": mode},
        "healer": {"S": "healer"},
        "budget": {"N": "12"},
        "alarms": {"M": {"shop": {"L": [{"S": "shop-fast"}]}}},
    }
    described = {
        "FunctionArn": HEALER_ARN,
        "Role": "arn:aws:iam::123456789012:role/healer",
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "Environment": {"Variables": environment},
    }
    return Deployed(item, "healer", described | function)


def answers(*found: Any) -> Any:
    """A payload of Lambda."""
    return SimpleNamespace(read=lambda: json.dumps(*found).encode())


class Account:
    """An account that is well. Tests replace its answers: `account.lambda_["get_account_settings"] = ...`."""

    def __init__(self) -> None:
        self.table = MemoryTable()
        self.patience: list[int] = []
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.of: dict[str, dict[str, Any]] = {
            "sts": {"get_caller_identity": {"Arn": CALLER, "Account": "123456789012"}},
            "lambda": {
                "get_account_settings": {
                    "AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 900}
                },
                "get_function_concurrency": {},
                "list_functions": {"Functions": []},
                "get_function_configuration": {"Timeout": 3},
                "invoke": {
                    "Payload": answers({"calls": [{"call": "sns:Publish", "on": PEOPLE, "ok": True}]})
                },
            },
            "sns": {
                "get_topic_attributes": {"Attributes": {}},
                "list_subscriptions_by_topic": {
                    "Subscriptions": [
                        {"SubscriptionArn": f"{PEOPLE}:1", "Protocol": "email", "Endpoint": "a@b.c"}
                    ]
                },
            },
            "kms": {"describe_key": {"KeyMetadata": {"KeyState": "Enabled"}}},
            "cloudwatch": {
                "describe_alarms": {"MetricAlarms": [dict(ALARM)]},
                "list_alarm_mute_rules": {"AlarmMuteRuleSummaries": []},
                "set_alarm_state": {},
            },
            "dynamodb": {
                "describe_table": {"Table": {"TableStatus": "ACTIVE", "DeletionProtectionEnabled": True}},
                "describe_continuous_backups": {
                    "ContinuousBackupsDescription": {
                        "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "ENABLED"}
                    }
                },
                "get_item": self.table.get_item,
                "scan": lambda **_: {"Items": list(self.table.items.values())},
            },
            "events": {
                "list_rule_names_by_target": {"RuleNames": ["healer-schedule"]},
                "describe_rule": {"State": "ENABLED"},
            },
            "iam": {"simulate_principal_policy": {"EvaluationResults": [{"EvalDecision": "allowed"}]}},
            "logs": {"filter_log_events": {"events": []}},
        }

    def get(self, service: str) -> Any:
        """A client of which every call and paginator has the answers that are set."""

        def make(name: str) -> Any:
            def call(**asked: Any) -> Any:
                self.calls.append((name, asked))
                answer = self.of[service][name]
                if isinstance(answer, Exception):
                    raise answer
                return answer(**asked) if callable(answer) else answer

            return call

        def paginator(name: str) -> Any:
            return SimpleNamespace(paginate=lambda **asked: [make(name)(**asked)])

        return SimpleNamespace(get_paginator=paginator, **{name: make(name) for name in self.of[service]})

    def patient(self, seconds: int) -> "Account":
        self.patience.append(seconds)
        return self

    def logs(self, **line: Any) -> None:
        """What the healer has logged."""
        text = json.dumps({"message": "decision", "time": datetime.now(UTC).isoformat(), **line})
        self.of["logs"]["filter_log_events"] = {"events": [{"message": "START\n"}, {"message": text}]}
