"""The rule on the items of the ledger that a healer may write."""

from typing import Any

from selfheal.sandbox.provider.wire import UNKNOWN
from tests.policies.mutations import identity
from tests.policies.rules.points import each, five
from tests.policies.support.changes import (
    Change,
    add,
    allow,
    document,
    grant,
    hide,
    put,
    several,
    text,
    variables,
)
from tests.policies.support.healers import acts_on
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
    return as_data(PUTS | {"Condition": condition})


def as_data(*statements: dict[str, Any]) -> Change:
    """Give the policy as data, in which single entries can be unknown, beside the right to heal."""
    return put("medic-rights", policy=document(acts_on("orders"), *statements).content)


def ledger_named(variable: Any) -> Change:
    return several(ledger(), variables("medic", LEDGER_TABLE=variable))


def circuit(*keys: str, action: str = "dynamodb:UpdateItem", **variables_: Any) -> Change:
    """Let the healer write items of the table of a circuit, through which its target calls."""
    named = {"BREAKER_TABLE": Ref("circuits", "name"), "CIRCUIT": "payments"} | variables_
    held = {"Condition": items("ForAllValues:StringEquals", *keys)} if keys else {}
    return several(
        add("dynamodb.Table", "circuits", pointInTimeRecovery={"enabled": True}),
        variables("orders", **named),
        grant({"Action": action, "Resource": text("circuits"), **held}),
    )


def other(action: str = "dynamodb:PutItem") -> Change:
    """Let the healer write another table."""
    return several(
        add("dynamodb.Table", "other", pointInTimeRecovery={"enabled": True}), allow(action, text("other"))
    )


PAYMENTS = "breaker#payments"
NO_LEDGER = "is not known to be its ledger"
ON_CIRCUITS = "UpdateItem on arn:aws:dynamodb:us-east-1:000000000000:table/circuits"

CASES = [
    *five(
        "dynamodb-ledger-guarded",
        fine=[
            identity.seeds(identity.key("deployment")),
            identity.writer({"Action": "dynamodb:GetItem", "Resource": MEMORY}),
            identity.writer({"Action": ["dynamodb:*"], "Resource": arn("dynamodb.Table", "orders")}),
            identity.writer({**PUTS, "Condition": items("ForAllValues:StringLike", "setting#*")}),
            identity.writer({"Action": "dynamodb:*", "Resource": "*"}, DENIES),
            identity.writer({"Action": "s3:*", "Resource": "*"}),
            identity.writer({"Action": "dynamodb:*", "NotResource": MEMORY}),
            identity.approvers({**PUTS, **identity.items("approval#*", "mode")}),
            identity.approvers({"Action": "*", "Resource": "*"}),
            identity.role_of_people({**PUTS, **identity.items("approval#orders")}),
            identity.opened(
                Principal={"AWS": arn("iam.Role", "ann")},
                Action="dynamodb:PutItem",
                **identity.items("approval#*"),
            ),
            identity.opened(Principal="*", Action="dynamodb:GetItem"),
            # A boundary grants nothing.
            several(
                identity.writer(),
                put("writer-limit", policy=document({"Action": "dynamodb:*", "Resource": MEMORY})),
            ),
        ],
        wrong=[
            (identity.seeds(identity.key("mode")), "seed puts the item mode into the ledger memory"),
            (identity.writer(PUTS), "function writer dynamodb:PutItem on approval#*, command#*, mode"),
            (
                identity.opened(Principal="*", Action="dynamodb:PutItem", **identity.items("mode")),
                "allows dynamodb:PutItem to everybody (*)",
            ),
            (
                several(
                    identity.writer(),
                    identity.opened(
                        Principal={"AWS": Ref("writer-role", "text")},
                        Action="dynamodb:PutItem",
                        **identity.items("mode"),
                    ),
                ),
                "writer-role",
            ),
            (identity.approvers(PUTS), "on more of the ledger memory of healer medic than approval#*"),
        ],
        unknown=[
            (several(identity.writer(PUTS), variables("medic", LEDGER_TABLE=UNKNOWN)), "function writer"),
            (several(identity.opened(), hide("memory-policy", "policy")), "is not known at preview"),
            (identity.seeds(UNKNOWN), "which item seed puts into the ledger memory"),
            (several(identity.writer(PUTS), hide("writer-rights", "policy", "memory")), ""),
        ],
        configured=[
            (identity.approvers({**PUTS, **identity.items("brake")}), {"protected": ["brake"]}, ""),
            (identity.seeds(identity.key("plan#x")), {"protectedItems": ["plan#*"]}, "plan#x"),
            (identity.writer(PUTS), {"accepted": ["writer-role"]}, ""),
            (identity.approvers(PUTS), {"accepted": ["approvers"]}, ""),
        ],
    ),
    *five(
        "dynamodb-healer-writes",
        fine=[
            circuit(PAYMENTS),
            several(circuit(PAYMENTS), variables("medic", OTHER=Ref("circuits", "name"))),
            ledger("target#*", action=["dynamodb:UpdateItem", "dynamodb:DeleteItem"]),
            several(add("dynamodb.Table", "other"), allow("dynamodb:GetItem", text("other"))),
        ],
        wrong=[
            *each(
                NO_LEDGER,
                *(other(f"dynamodb:{action}") for action in ("PutItem", "UpdateItem", "DeleteItem")),
                several(other(), variables("medic", TABLE=Ref("other", "name"))),
                several(other(), variables("orders", ORDERS_TABLE=Ref("other", "name"))),
            ),
            *each(
                ON_CIRCUITS,
                circuit(),
                circuit("breaker#*"),
                circuit("breaker#other"),
                circuit(PAYMENTS, "breaker#other"),
                circuit(PAYMENTS, CIRCUIT="other"),
                circuit(PAYMENTS, BREAKER_TABLE=Ref("memory", "name")),
                # It is the healer's own circuit, and not that of what it heals.
                several(
                    circuit(PAYMENTS, BREAKER_TABLE="", CIRCUIT=""),
                    variables("medic", BREAKER_TABLE=Ref("circuits", "name"), CIRCUIT="payments"),
                ),
            ),
        ],
        unknown=[
            (hide("medic", "environment"), NO_LEDGER),
            (hide("medic", "environment", "memory"), ""),
            (circuit(PAYMENTS, BREAKER_TABLE=Unknown(("circuits",))), ""),
            (circuit(PAYMENTS, BREAKER_TABLE=UNKNOWN), ON_CIRCUITS),
            (circuit(PAYMENTS, CIRCUIT=UNKNOWN), ON_CIRCUITS),
        ],
        configured=[
            (other(), {"allowedTables": ["other"]}, ""),
            (ledger("target#*"), {"ledgerVariable": "MEMORY"}, NO_LEDGER),
            (circuit("door#payments"), {"circuitPrefix": "door#"}, ""),
        ],
    ),
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
                as_data(PUTS, DENIES | {"Action": [UNKNOWN]}),
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
