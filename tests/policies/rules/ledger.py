"""The rule on the items of the ledger that a healer may write."""

from typing import Any

from selfheal.sandbox.provider.wire import UNKNOWN
from tests.policies.rules.points import data, each, five
from tests.policies.support.changes import (
    Change,
    add,
    document,
    grant,
    hide,
    put,
    several,
    text,
    variables,
)
from tests.policies.support.recording import arn
from tests.policies.support.references import Ref, Unknown

MEMORY = text("memory")
PUTS: dict[str, Any] = {"Action": "dynamodb:PutItem", "Resource": MEMORY}
DENIES: dict[str, Any] = {"Effect": "Deny", "Action": "dynamodb:*", "Resource": MEMORY}
ALL_ITEMS = "dynamodb:PutItem on approval#*, command#*, mode of its ledger"


def items(operator: str, *keys: str) -> dict[str, Any]:
    return {operator: {"dynamodb:LeadingKeys": list(keys)}}


def ledger(
    *keys: str, action: Any = "dynamodb:PutItem", operator: str = "ForAllValues:StringLike", **more: Any
) -> Change:
    """Let the healer write items of its ledger: those with these keys, or all."""
    held = {"Condition": items(operator, *keys) | more} if keys else {}
    return grant({"Action": action, "Resource": MEMORY, **held})


def denied(**statement: Any) -> Change:
    """Let the healer write all items of its ledger, and deny it some."""
    return grant(PUTS, DENIES | statement)


def puts_under(condition: dict[str, Any]) -> Change:
    return data({"Action": "dynamodb:PutItem", "Resource": MEMORY, "Condition": condition})


def ledger_named(variable: Any) -> Change:
    return several(ledger(), variables("medic", LEDGER_TABLE=variable))


CASES = [
    *five(
        "dynamodb-ledger-approvals",
        fine=[
            ledger("target#*", "override#orders"),
            ledger("target#*", action=["dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:Query"]),
            ledger("fleet", operator="ForAllValues:StringEquals"),
            ledger("target#*", Null={"dynamodb:LeadingKeys": "false"}),
            ledger("target#${aws:PrincipalTag/x}", "modest", "mode2"),
            ledger(action="dynamodb:GetItem"),
            # Another table, and a ledger under another variable.
            ledger_named("other"),
            several(ledger(), put("medic", environment={"variables": {"TABLE": Ref("memory", "name")}})),
            denied(Condition=items("ForAnyValue:StringLike", "approval#*", "command#*", "mode")),
            denied(Condition=items("ForAnyValue:StringLike", "*")),
            denied(),
        ],
        wrong=[
            *each(
                ALL_ITEMS,
                ledger(),
                ledger("*"),
                ledger("?*"),
                ledger("target#*", operator="ForAnyValue:StringLike"),
                ledger("target#*", operator="StringLike"),
                ledger("target#*", operator="ForAllValues:StringNotLike"),
                ledger("target#*", operator="ForAllValues:StringLikeIfExists"),
                denied(Condition=items("ForAllValues:StringLike", "*")),
                denied(
                    Condition=items("ForAnyValue:StringLike", "*")
                    | {"Bool": {"aws:SecureTransport": "false"}}
                ),
                denied(Action="dynamodb:DeleteItem"),
                denied(Resource=arn("dynamodb.Table", "other")),
            ),
            *each("PutItem on mode of its ledger", ledger("target#*", "mode"), ledger("mode"), ledger("m*")),
            *each(
                "PutItem on approval#* of its ledger",
                ledger("approval#orders"),
                ledger("approv*"),
                ledger("a${aws:username}"),
            ),
            *each(
                "PutItem on command#* of its ledger",
                ledger("command#?"),
                denied(Condition=items("ForAnyValue:StringLike", "approval#*", "mode")),
            ),
            *(
                (ledger(action=action), f"{action} on")
                for action in ("dynamodb:UpdateItem", "dynamodb:BatchWriteItem", "dynamodb:PartiQLInsert")
            ),
        ],
        unknown=[
            (ledger_named(UNKNOWN), "of its ledger"),
            (ledger_named(Unknown(("memory",))), "of its ledger"),
            (several(add("dynamodb.Table", "other"), ledger_named(Unknown(("other",)))), ""),
            (several(ledger(), hide("medic", "environment")), ""),
            (puts_under(items("ForAllValues:StringLike", "target#*") | {"x": UNKNOWN}), ""),
            (puts_under(items("ForAllValues:StringLike", UNKNOWN)), "of its ledger"),
            # An action that is not known denies nothing.
            (
                put("medic-rights", policy=document(PUTS, DENIES | {"Action": [UNKNOWN]}).content),
                "of its ledger",
            ),
        ],
        configured=[
            (ledger("approval#*"), {"protected": ["mode"]}, ""),
            (ledger("brake"), {"protected": ["brake"]}, "PutItem on brake"),
            (
                several(ledger(), put("medic", environment={"variables": {"MEMORY": Ref("memory", "name")}})),
                {"ledgerVariable": "MEMORY"},
                "of its ledger",
            ),
        ],
    ),
]
