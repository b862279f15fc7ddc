"""Names that mean something else elsewhere, ledgers that others write, and production by another name."""

from typing import Any

from tests.policies.mutations.table import Foreign, Mutation, foreign, refused_by
from tests.policies.support import healers
from tests.policies.support.changes import (
    THEIRS,
    Change,
    add,
    allow,
    document,
    put,
    several,
    statements,
    text,
    variables,
)
from tests.policies.support.healers import CHANGE, ROUTES
from tests.policies.support.recording import ACCOUNT, arn
from tests.policies.support.references import Lost, Ref
from tests.policies.support.scene import Scene, physical

EUROPE, OTHERS = "eu-west-1", "999999999999"
PROVIDER = "pulumi:providers:aws"
WATCHED = ("orders", "errors", "orders-lost", "wake", "wake-policy", "people")
"""The target, its alarms and their topics."""


def at_home(scene: Scene) -> None:
    """Let the default provider, which is in us-east-1, make all that is there."""
    default = scene.add(PROVIDER, "default_7_51_1", region="us-east-1", version="7.51.1")
    for item in scene.items:
        if item is not default:
            item.by(default)


def moved(provider: dict[str, Any], *names: str) -> Change:
    """Let an explicit provider make these resources, and the default one all others."""

    def change(scene: Scene) -> None:
        at_home(scene)
        made = scene.add(PROVIDER, "elsewhere", **provider)
        for name in names:
            scene.find(name).by(made)

    return change


def at_home_too(name: str) -> Change:
    """Let the healer change what has this name in its own region."""
    return statements(lambda held: held[0].update(Resource=arn("lambda.Function", physical(name))), *THEIRS)


def twin(type_: str, name: str, *, region: str = "", account: str = "") -> str:
    """Return the ARN of what has the name of a resource of the stack, in another region or account."""
    parts = arn(type_, physical(name)).split(":")
    parts[3], parts[4] = region or parts[3], account or parts[4]
    return ":".join(parts)


def on_twins(**elsewhere: str) -> Change:
    """Let the healer change, beside its target, the function of the same name elsewhere."""
    return allow(CHANGE, twin("lambda.Function", "orders", **elsewhere))


def fires_at(**elsewhere: str) -> Change:
    topic = twin("sns.Topic", "wake", **elsewhere)
    return put("errors", alarmActions=[topic, Ref("people")], okActions=[topic, Ref("people")])


def in_stack(name: str) -> Change:
    return lambda scene: setattr(scene, "stack", name)


def without(*names: str) -> Change:
    """Take these variables from the healer's environment."""

    def change(scene: Scene) -> None:
        held = scene.find("medic").get("environment")["variables"]
        kept = {key: value for key, value in held.items() if key not in names}
        scene.find("medic").put("environment", to={"variables": kept})

    return change


MEMORY = text("memory")
TABLES = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/*"
PUTS: dict[str, Any] = {"Action": "dynamodb:PutItem", "Resource": MEMORY}


def items(*keys: str) -> dict[str, Any]:
    return {"Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": list(keys)}}}


def seeds(item: Any, attribute: str = "name") -> Change:
    """Put an item into a table by the program."""
    return add(
        "dynamodb.TableItem",
        "seed",
        tableName=Ref("memory", attribute),
        hashKey="pk",
        rangeKey="sk",
        item=item,
    )


def writer(*grants: dict[str, Any], **properties: Any) -> Change:
    """Register a function that no alarm reaches and that may do this."""
    return lambda scene: healers.function(scene, "writer", *grants, **properties)


def attached(policy: str) -> Change:
    return several(
        writer(),
        add("iam.RolePolicyAttachment", "more", role=Ref("writer-role", "name"), policyArn=policy),
    )


def opened(**statement: Any) -> Change:
    """Give the ledger a policy of its own."""
    policy = document({"Resource": MEMORY, **statement})
    return add("dynamodb.ResourcePolicy", "memory-policy", resourceArn=Ref("memory"), policy=policy)


def approvers(*grants: dict[str, Any]) -> Change:
    """Register a policy that the team attaches to people."""
    return add("iam.Policy", "approvers", policy=document(*grants))


def role_of_people(*grants: dict[str, Any]) -> Change:
    trust = {"Action": "sts:AssumeRole", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}
    return several(
        add("iam.Role", "approvers-role", assumeRolePolicy=document(trust)),
        add("iam.RolePolicy", "approvers", role=Ref("approvers-role", "name"), policy=document(*grants)),
    )


def key(name: str) -> str:
    return f'{{"pk": {{"S": "{name}"}}, "sk": {{"S": "x"}}}}'


LEDGER: list[Foreign] = [
    *foreign(
        "dynamodb-ledger-guarded",
        ("a program that approves", "topic", seeds(key("approval#orders"))),
        ("a program that sets the mode", "queue", seeds(key("mode"))),
        ("a program that sets an override", "event rule", seeds(key("override#orders"))),
        (
            "a program that commands, by the table's ARN",
            "topic",
            seeds(key("command#stop"), "arn"),
        ),
        ("an item to come", "topic", seeds(Lost(key("mode")))),
        ("a function that may write every table", "topic", writer({"Action": "dynamodb:*", "Resource": "*"})),
        (
            "a function that may write every table of the region",
            "alarm action",
            writer({"Action": ["dynamodb:Put*"], "Resource": TABLES}),
        ),
        (
            "a function that may write tables of a beginning",
            "topic",
            writer({"Action": "dynamodb:UpdateItem", "Resource": "arn:aws:dynamodb:*:*:table/mem*"}),
        ),
        (
            "a function that may write whatever is not a bucket",
            "topic",
            writer({"Action": "dynamodb:BatchWriteItem", "NotResource": "arn:aws:s3:::*"}),
        ),
        ("a function that writes the ledger", "queue", writer(PUTS)),
        ("a function that approves", "topic", writer(PUTS | items("approval#*"))),
        ("a function that approves one target's plans", "topic", writer(PUTS | items("approval#orders"))),
        (
            "a function with AWS's policy for all tables",
            "topic",
            attached("arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess"),
        ),
        ("a function for administrators", "topic", attached("arn:aws:iam::aws:policy/AdministratorAccess")),
        ("a ledger open to everybody", "topic", opened(Principal="*", Action="dynamodb:*")),
        (
            "a ledger open to its account",
            "topic",
            opened(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, Action="dynamodb:PutItem"),
        ),
        (
            "a ledger open to a service",
            "queue",
            opened(Principal={"Service": "apigateway.amazonaws.com"}, Action="dynamodb:UpdateItem"),
        ),
        (
            "a ledger open to somebody's every write",
            "topic",
            opened(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:role/ann"}, Action="dynamodb:PutItem"),
        ),
        ("approvers of everything", "topic", approvers(PUTS)),
        ("approvers who may write incidents", "topic", approvers(PUTS | items("approval#*", "target#*"))),
        (
            "approvers by a pattern of tables",
            "topic",
            approvers({"Action": "dynamodb:*", "Resource": "arn:aws:dynamodb:*:*:table/memory*"}),
        ),
        ("a role of people for everything", "topic", role_of_people(PUTS)),
    ),
    *foreign(
        "dynamodb-ledger-guarded",
        ("a function that may do all else", "topic", writer({"NotAction": "iam:*", "Resource": TABLES})),
        besides="lambda-healer-woken",  # whatever it is on, everything is also functions
    ),
]


def a_second_healer(scene: Scene, *, topic: str = "wake", action: str = CHANGE) -> None:
    """Let another function be woken by the alarm of the first healer, and change the same function."""
    healers.function(scene, "nurse", {"Action": action, "Resource": text("orders")})
    healers.subscribe(scene, topic, "nurse")
    healers.alarm(scene, "nurse-lost", "nurse", "people")
    scene.find("nurse-lost").put("dimensions", to={"QueueName": Ref("nurse-dead", "name")})


def a_second_topic(scene: Scene) -> None:
    """The second healer is woken by an alarm of its own."""
    healers.topic(scene, "other-wake")
    healers.alarm(scene, "slow", "orders", "other-wake", "people")
    a_second_healer(scene, topic="other-wake", action="lambda:PutFunctionConcurrency")


ALONE: list[Foreign] = foreign(
    "lambda-healer-alone",
    ("a second healer by the same topic", "topic", a_second_healer),
    ("a second healer by an alarm of its own", "topic", a_second_topic),
    ("a second healer by the same queue's topic", "queue", a_second_healer),
    ("a second healer beside one that an alarm calls", "alarm action", a_second_topic),
    ("a second healer beside one of a rule", "event rule", a_second_topic),
    ("a second healer beside a workflow", "state machine", a_second_topic),
)


def a_nurse(scene: Scene) -> None:
    """Let a careful healer of another team be woken by our alarms, and change our service."""
    concurrency = {"Action": "lambda:PutFunctionConcurrency", "Resource": text("fragile")}
    puts = PUTS | {"Resource": text("nurse-memory")} | items("target#*")
    scene.add("dynamodb.Table", "nurse-memory", pointInTimeRecovery={"enabled": True})
    nurse = healers.function(scene, "nurse", concurrency, puts)
    nurse.put("environment", "variables", "LEDGER_TABLE", to=Ref("nurse-memory", "name"))
    healers.subscribe(scene, "healer-topic", "nurse")
    healers.alarm(scene, "nurse-errors", "nurse", "healer-escalation")


OURS: list[Mutation] = [
    *refused_by(
        "dynamodb-ledger-guarded",
        (
            "an approver policy without its condition",
            statements(lambda held: [each.pop("Condition", None) for each in held], "healer-approver"),
            "up",
        ),
        (
            "an operator policy for every item",
            statements(
                lambda held: [each.update(items("*")) for each in held if "Condition" in each],
                "healer-operator",
            ),
            "both",
        ),
        (
            "a mode that the program sets",
            add(
                "dynamodb.TableItem",
                "seed",
                tableName=Ref("healer-ledger", "name"),
                hashKey="pk",
                item=key("mode"),
            ),
            "up",
        ),
    ),
    *refused_by(
        "lambda-healer-alone",
        ("a second healer of the service", a_nurse),
    ),
]

TABLE: list[Foreign] = [
    *foreign(
        "lambda-healer-production",
        *(
            (
                f"a healer without a budget in a stack called {name}",
                route,
                several(in_stack(name), without("BUDGET")),
            )
            for name, route in (("live", "topic"), ("production", "queue"), ("eu-prod", "alarm action"))
        ),
        (
            "a healer without people in a stack of a name",
            "topic",
            several(in_stack("main"), without("ESCALATION_TOPIC_ARN")),
        ),
        (
            "a budget that is none in a stack of a name",
            "event rule",
            several(in_stack("devel"), variables("medic", BUDGET="1000")),
        ),
    ),
    *foreign(
        "lambda-function-failure-rate",
        (
            "failures in a stack called live",
            "topic",
            several(in_stack("live"), variables("orders", FAILURE_RATE="0.1")),
        ),
    ),
    *foreign(
        "iam-policy-writes-on-targets",
        *(
            (f"its target's twin in another region by {route}", route, on_twins(region=EUROPE))
            for route in ROUTES
        ),
        ("its target's twin in another account", "topic", on_twins(account=OTHERS)),
        ("its target's twin, with providers", "queue", several(at_home, on_twins(region=EUROPE))),
    ),
    *foreign(
        "iam-policy-writes-on-targets",
        (
            "a target that an explicit provider makes elsewhere",
            "topic",
            several(moved({"region": EUROPE}, *WATCHED), at_home_too("orders")),
        ),
        (
            "a target that a second provider makes, with a region of its own",
            "topic",
            several(
                moved({}, *WATCHED), *(put(name, region=EUROPE) for name in WATCHED), at_home_too("orders")
            ),
        ),
        besides="cloudwatch-alarm-healer-health",  # its people are elsewhere as well
    ),
    *foreign(
        "lambda-healer-woken",
        ("an alarm of the topic's twin in another region", "topic", fires_at(region=EUROPE)),
        ("an alarm of the topic's twin in another account", "topic", fires_at(account=OTHERS)),
        ("a topic in another region than its alarm", "topic", moved({"region": EUROPE}, "errors")),
    ),
]
