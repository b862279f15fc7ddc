"""The rules on what a healer rings by itself, and on what Pulumi leaves alone."""

from tests.policies.mutations.bystanders import beside, grant_metrics, kept, of_library, publishes, queried
from tests.policies.rules.points import Case, five
from tests.policies.support.changes import hide, put, several, variables
from tests.policies.support.references import Lost

RINGS = beside(publishes("Shop"))
LEFT = kept("errors", "alarmActions")

CASES: list[Case] = [
    *five(
        "lambda-healer-cycle",
        fine=[
            publishes("Shop"),
            beside(publishes("Medic")),
            beside(publishes(["Medic", "AWS/Lambda"])),
            beside(
                grant_metrics({}),
                grant_metrics(
                    {"Effect": "Deny", "Condition": {"StringNotEquals": {"cloudwatch:namespace": "Medic"}}}
                ),
            ),
            beside(of_library, put("unpaid", dimensions={"service": "payments"})),
            beside(of_library, variables("medic", POWERTOOLS_METRICS_NAMESPACE="Medic")),
            beside(publishes("Shop"), queried('SELECT SUM(Errors) FROM SCHEMA("AWS/Lambda", FunctionName)')),
        ],
        wrong=[
            (
                RINGS,
                "medic wakes itself: it may cloudwatch:PutMetricData to Shop, and alarm unpaid is on a",
            ),
            (beside(grant_metrics({})), "to Shop, and alarm unpaid"),
            (beside(of_library), "its logs publish to Shop, and alarm unpaid is on a metric of its service"),
        ],
        unknown=[
            (
                beside(publishes("Shop"), put("unpaid", namespace=Lost("Shop"))),
                "to a namespace that is not known at preview",
            ),
        ],
        configured=[(RINGS, {}, "wakes itself")],
    ),
    *five(
        "selfheal-guard-kept",
        fine=[
            kept("errors", "threshold"),
            kept("medic", "code"),
            kept("medic-role", "managedPolicyArns"),
            several(kept("orders", "role"), kept("orders-role", "permissionsBoundary")),
        ],
        wrong=[
            (
                LEFT,
                "Pulumi ignores changes of alarmActions of alarm errors, which wakes a healer or watches one",
            ),
            (kept("medic-rights", "*"), "ignores changes of policy of policy medic-rights, which says what"),
            (kept("medic-limit", "policy"), "policy of policy medic-limit, the boundary of healer medic"),
            (kept("wake-policy", "policy"), "which says who may wake a healer by topic wake"),
        ],
        unknown=[(several(hide("errors", "alarmActions", "wake"), LEFT), "of alarmActions of alarm errors")],
        configured=[(LEFT, {"accepted": ["errors"]}, "")],
    ),
]
