"""The rules on who may invoke a healer, send to its queue, or put events on its bus."""

from selfheal.sandbox.provider.wire import UNKNOWN
from tests.policies.mutations.bystanders import website
from tests.policies.mutations.doors import (
    PUTS,
    ROLE,
    SNS,
    STRANGER,
    also,
    bus,
    permit,
    queue,
    resource_policy,
    strangers,
    url,
)
from tests.policies.rules.points import careful, each, five
from tests.policies.support.changes import hide, put, several, text
from tests.policies.support.healers import healer
from tests.policies.support.recording import arn
from tests.policies.support.scene import Scene

ELSEWHERE = arn("sns.Topic", "elsewhere")
EVERYBODY = strangers()
CALLS = website("lambda:InvokeFunction", text("medic"))
FAR = f"arn:aws:sns:us-east-1:{STRANGER}:alarms"
ALSO_FAR = also(Principal={"Service": SNS}, Condition={"ArnEquals": {"aws:SourceArn": FAR}})


def by_queue() -> Scene:
    return healer(Scene(), "queue")


def by_rule() -> Scene:
    return healer(Scene(), "state machine")


CASES = [
    *five(
        "lambda-permission-scoped",
        start=careful,
        fine=[resource_policy(), permit(ROLE, action="lambda:GetFunction")],
        wrong=[
            (permit("*"), "permission door of healer medic lets anybody (principal *) invoke it"),
            (permit(STRANGER), f"lets AWS {STRANGER} invoke it"),
            (permit(SNS, ELSEWHERE), f"lets {ELSEWHERE} invoke it, which nothing in this stack wires to it"),
            (permit(SNS, text("wake", "*")), "is open to many sources"),
            (permit(ROLE, action="lambda:UpdateFunctionCode"), f"lets AWS {ROLE} lambda:UpdateFunctionCode"),
            (put("may-wake-medic", sourceArn=text("people")), "lets topic people invoke it"),
            (
                CALLS,
                "web-policy lets function web start healer medic (function web -> function medic), and no",
            ),
        ],
        unknown=[
            (permit(UNKNOWN), "a principal that is not known at preview"),
            (permit(SNS, UNKNOWN), "a source_arn that is not known at preview"),
            (permit(UNKNOWN, action=UNKNOWN), "a principal that is not known at preview"),
            (several(resource_policy(), hide("policy", "policy", "wake")), "is not known at preview"),
        ],
        configured=[
            (permit(STRANGER), {"callers": [STRANGER]}, ""),
            (permit(SNS, ELSEWHERE), {"callers": [ELSEWHERE]}, ""),
            (CALLS, {"callers": ["web"]}, ""),
        ],
    ),
    *five(
        "lambda-healer-url",
        fine=[url("AWS_IAM")],
        wrong=[(url("NONE"), "function URL url lets everybody on the internet invoke healer medic")],
        unknown=[(url(UNKNOWN), "authorizationType is not known at preview")],
        configured=[(url("NONE"), {"accepted": ["url"]}, "")],
    ),
    *five(
        "sqs-queue-policy-closed",
        start=by_queue,
        fine=[queue()],
        wrong=[
            (
                queue(Principal="*", Condition={}),
                "the policy of queue inbox, which wakes a healer, is open to",
            ),
            (queue(Condition={}), "sns.amazonaws.com may send for any account"),
            (also(Principal={"AWS": ROLE}), f"is open to AWS {ROLE}"),
            (queue(Resource=text("medic-dead")), "does not let sns.amazonaws.com send"),
            (ALSO_FAR, f"lets {FAR} send, which nothing in this stack wires to it"),
            (
                also(Principal={"Service": SNS}, Condition={"StringEquals": {"aws:SourceAccount": STRANGER}}),
                f"lets {SNS} of account {STRANGER} send",
            ),
        ],
        unknown=each("not known at preview", several(queue(), hide("inbox-policy", "policy", "wake"))),
        configured=[
            (also(Principal={"AWS": ROLE}), {"senders": [ROLE]}, ""),
            (ALSO_FAR, {"senders": [FAR]}, ""),
            (
                also(Principal={"Service": "s3.amazonaws.com"}),
                {"senders": ["s3.amazonaws.com"]},
                "s3.amazonaws.com may send for any account",
            ),
        ],
    ),
    *five(
        "events-bus-policy-closed",
        start=by_rule,
        fine=[bus(PUTS | {"Principal": {"AWS": STRANGER}})],
        wrong=[
            (EVERYBODY, "the policy of the default bus, whose rule changes wakes a healer by alarms of any"),
            (bus({"Principal": {"AWS": STRANGER}, "Action": "events:PutTargets", "Resource": "*"}), STRANGER),
        ],
        unknown=each("not known at preview", several(bus(), hide("bus-policy", "policy"))),
        configured=[
            (
                bus({"Principal": {"AWS": STRANGER}, "Action": "events:*", "Resource": "*"}),
                {"accounts": [STRANGER]},
                "",
            ),
        ],
    ),
]
