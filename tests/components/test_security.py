"""A key and a boundary of the organisation: what is encrypted, and exactly who may use the key for what."""

import json
import re
from typing import Any

import pulumi
import pytest

from selfheal.components.errors import ComponentError
from selfheal.components.healing.healer import Healer
from selfheal.components.patterns.aurora_downstream import AuroraDownstream
from selfheal.functions.shared.contract import Mode, RemedyKind
from tests.components.support.deployments import REMEDIES, healer, target
from tests.components.support.iam import Request, Verdict, resource_policy
from tests.components.support.key import BOUNDARY, EVERYTHING, KEY, key_policy, key_rights, program
from tests.support.pulumi_mocks import ACCOUNT, REGION, Deployment, deploy

ENCRYPTED = {
    "aws:cloudwatch/logGroup:LogGroup": lambda inputs: inputs.get("kmsKeyId"),
    "aws:dynamodb/table:Table": lambda inputs: inputs.get("serverSideEncryption", {}).get("kmsKeyArn"),
    "aws:kinesis/stream:Stream": lambda inputs: inputs.get("kmsKeyId"),
    "aws:lambda/function:Function": lambda inputs: inputs.get("kmsKeyArn"),
    "aws:secretsmanager/secret:Secret": lambda inputs: inputs.get("kmsKeyId"),
    "aws:sns/topic:Topic": lambda inputs: inputs.get("kmsMasterKeyId"),
    "aws:sqs/queue:Queue": lambda inputs: inputs.get("kmsMasterKeyId"),
}
"""Type that stores something to the property with its key."""

READ, USE = {"Decrypt"}, {"Decrypt", "GenerateDataKey"}

RIGHTS: dict[str, dict[str, set[str]]] = {
    "healer": {"environment": READ, "dynamodb": READ, "sns": USE, "sqs": USE},
    "orders-analytics-consumer": {"environment": READ, "kinesis": READ, "s3": USE, "dynamodb": READ},
    "orders-api-authorizer": {"environment": READ, "secretsmanager": READ},
    "orders-api-put": {"sqs": USE},
    "orders-api-reader": {"environment": READ, "dynamodb": READ},
    "orders-api-status-reader": {"environment": READ, "dynamodb": READ},
    # EventBridge sends to queues by the queues' policies, and the key's.
    "orders-billing-consumer": {"environment": READ, "dynamodb": READ, "sqs": USE},
    "orders-billing-fails": {},
    "orders-billing-task": {"environment": READ, "dynamodb": READ},
    # Dead letters of the workflow.
    "orders-billing-workflow": {"sqs": USE},
    # The probe is a message of the queue.
    "orders-breaker-controller": {"environment": READ, "dynamodb": READ, "sqs": READ},
    "orders-breaker-wake": {"environment": READ, "dynamodb": READ, "sns": USE},
    "orders-breaker-workflow": {},
    "orders-bus-analytics": {"kinesis": USE},
    "orders-downstream-downstream": {"environment": READ, "dynamodb": READ},
    "orders-fulfilment-consumer": {"environment": READ, "dynamodb": READ, "sqs": USE},
    "orders-intake-consumer": {"environment": READ, "dynamodb": READ, "sqs": USE},
    "orders-one-address-in-three": {},
    "orders-one-address-in-three-switch": {"dynamodb": READ},
    "orders-slow-query": {},
    "orders-slow-query-switch": {"dynamodb": READ},
    "orders-third-party-out": {},
    "orders-third-party-out-switch": {"dynamodb": READ},
}
"""Role to what it may do with the key, by the service through which it does."""


def policies(deployment: Deployment) -> dict[str, str]:
    """Return the policy of each role, by the role's name without its suffix."""
    found = deployment.of("aws:iam/rolePolicy:RolePolicy")
    return {each.name.removesuffix("-policy"): each.inputs["policy"] for each in found}


def rights(deployment: Deployment) -> dict[str, dict[str, set[str]]]:
    return {name: key_rights(policy) for name, policy in policies(deployment).items()}


@pytest.fixture(scope="module")
def orders() -> Deployment:
    """The orders service with everything, encrypted."""
    return program(True, encryptionKeyArn=KEY, **EVERYTHING)


@pytest.mark.slow
def test_all_that_stores_something_has_the_key(orders: Deployment) -> None:
    for type_, key in ENCRYPTED.items():
        found = orders.of(type_)
        assert found
        assert {each.name: key(each.inputs) for each in found} == dict.fromkeys(
            (each.name for each in found), KEY
        )
    # SQS takes one of the two.
    assert all("sqsManagedSseEnabled" not in each.inputs for each in orders.of("aws:sqs/queue:Queue"))


@pytest.mark.slow
def test_each_role_may_use_the_key_for_what_it_does_and_nothing_else(orders: Deployment) -> None:
    assert rights(orders) == RIGHTS


@pytest.mark.slow
def test_approvers_and_operators_may_read_the_encrypted_ledger(orders: Deployment) -> None:
    people = {"healer-approver", "healer-operator"}
    found = {each.name: each.inputs["policy"] for each in orders.of("aws:iam/policy:Policy")}
    assert {name: key_rights(found[name]) for name in people} == {each: {"dynamodb": READ} for each in people}


@pytest.mark.slow
def test_boundaries_allow_what_policies_do_and_fit_into_the_limit_of_a_managed_policy(
    orders: Deployment,
) -> None:
    bounds = {
        each.name.removesuffix("-boundary"): each.inputs["policy"]
        for each in orders.of("aws:iam/policy:Policy")
        if each.name.endswith("-boundary")
    }
    assert bounds == policies(orders)
    # Without space. Source: IAM user guide, "IAM and AWS STS quotas".
    assert max(len(re.sub(r"\s", "", text)) for text in bounds.values()) <= 6144


@pytest.mark.slow
@pytest.mark.parametrize("config", [EVERYTHING, {"remedies": '["environment"]'}], ids=["orders", "fragile"])
def test_without_a_key_there_is_none_and_no_right_to_one(config: dict[str, str]) -> None:
    deployment = program(**config)
    assert not any(any(found.values()) for found in rights(deployment).values())
    for type_, key in ENCRYPTED.items():
        assert {key(each.inputs) for each in deployment.of(type_)} <= {None, "alias/aws/kinesis"}
    assert all(each.inputs["sqsManagedSseEnabled"] for each in deployment.of("aws:sqs/queue:Queue"))


def test_the_program_lets_its_healer_change_the_encrypted_environment_of_its_service() -> None:
    changes = {"environment of fragile-1a2b3c4": {"Decrypt", "Encrypt", "CreateGrant"}}
    found = rights(program(encryptionKeyArn=KEY, remedies='["environment"]'))
    assert found == {"fragile": {"environment": READ}, "healer": RIGHTS["healer"] | changes}


def test_a_service_with_overrides_reads_the_encrypted_ledger() -> None:
    found = rights(program(encryptionKeyArn=KEY))
    assert found == {"fragile": {"environment": READ, "dynamodb": READ}, "healer": RIGHTS["healer"]}


@pytest.mark.parametrize(
    ("mode", "allowed"),
    [
        (Mode.OBSERVE, {"Decrypt"}),
        (Mode.SUGGEST, {"Decrypt", "Encrypt", "CreateGrant"}),
        (Mode.ACT, {"Decrypt", "Encrypt", "CreateGrant"}),
    ],
)
def test_a_key_on_the_target_extends_policy_and_boundary(mode: Mode, allowed: set[str]) -> None:
    deployment = healer(mode=mode, targets=[target(environment_key_arn=KEY)])
    for name in ("healer-policy", "healer-boundary"):
        found = key_rights(deployment.named(name).inputs["policy"])
        assert found == {"environment of orders-fn": allowed}


@pytest.mark.parametrize("kind", [kind for kind in RemedyKind if kind is not RemedyKind.ENVIRONMENT])
def test_a_remedy_that_leaves_the_environment_alone_needs_no_key(kind: RemedyKind) -> None:
    alias = {"alias": "live"} if kind is RemedyKind.ROLLBACK_ALIAS else {}
    targets = [target(environment_key_arn=KEY, remedies=[REMEDIES[kind]], **alias)]
    assert key_rights(healer(targets=targets).named("healer-policy").inputs["policy"]) == {}


@pytest.mark.slow
def test_a_boundary_of_the_organisation_is_on_every_role_in_place_of_its_own() -> None:
    deployment = program(permissionsBoundaryArn=BOUNDARY, **EVERYTHING)
    roles = deployment.of("aws:iam/role:Role")
    assert {role.inputs["permissionsBoundary"] for role in roles} == {BOUNDARY}
    assert {role.name.removesuffix("-role") for role in roles} == set(RIGHTS)
    assert [each.name for each in deployment.of("aws:iam/policy:Policy")] == [
        "healer-approver",
        "healer-operator",
    ]


NO_KEY = [
    "alias/ours",
    "1234abcd-12ab-34cd-56ef-1234567890ab",
    f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/ours",
    f"{KEY} ",
    "",
]


@pytest.mark.parametrize("given", NO_KEY)
@pytest.mark.parametrize("late", [False, True])
def test_what_is_no_key_is_refused_also_if_it_is_known_late(given: str, late: bool) -> None:
    def encrypted() -> None:
        value: Any = pulumi.Output.from_input(given) if late else given
        Healer("healer", {"targets": [target()], "ledger_name": "ledger", "encryption_key_arn": value})

    with pytest.raises(ComponentError, match="encryption_key_arn must be an ARN such as arn:aws:kms:"):
        deploy(encrypted)


def test_what_is_no_key_of_a_target_or_no_policy_is_refused() -> None:
    with pytest.raises(ComponentError, match="target 'orders': environment_key_arn must be an ARN"):
        healer(targets=[target(environment_key_arn="alias/ours")])
    with pytest.raises(ComponentError, match="permissions_boundary_arn must be an ARN such as arn:aws:iam"):
        healer(permissions_boundary_arn="developers")


def test_a_key_and_a_boundary_of_other_partitions_are_taken() -> None:
    healer(
        encryption_key_arn="arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/mrk-0123",
        permissions_boundary_arn="arn:aws-cn:iam::123456789012:policy/path/developers",
    )


def test_a_database_and_its_secret_have_the_key_and_who_queries_may_read_the_secret() -> None:
    databases: list[AuroraDownstream] = []

    def database() -> None:
        args: Any = {"subnet_ids": ["subnet-0a1b2c3d", "subnet-0a1b2c3e"], "encryption_key_arn": KEY}
        databases.append(AuroraDownstream("database", args))
        pulumi.export("policy", pulumi.Output.json_dumps({"Statement": databases[0].access.statements}))

    deployment = deploy(database)
    cluster = deployment.of("aws:rds/cluster:Cluster")[0].inputs
    assert (cluster["kmsKeyId"], cluster["masterUserSecretKmsKeyId"]) == (KEY, KEY)
    assert key_rights(deployment.exports["policy"]) == {"secretsmanager": READ}


@pytest.mark.parametrize(
    ("service", "actions", "context"),
    [
        ("cloudwatch", ["Decrypt", "GenerateDataKey"], {"aws:SourceAccount": ACCOUNT}),
        ("events", ["Decrypt", "GenerateDataKey"], {}),
        (
            f"logs.{REGION}",
            ["Encrypt", "Decrypt", "ReEncryptFrom", "GenerateDataKey", "DescribeKey"],
            {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:any"},
        ),
    ],
)
def test_the_key_policy_of_the_documentation_lets_the_services_use_it(
    service: str, actions: list[str], context: dict[str, str]
) -> None:
    document = json.loads(key_policy())
    of_services = [each for each in document["Statement"] if "Service" in each["Principal"]]
    text = json.dumps({**document, "Statement": of_services})
    for action in actions:
        request = Request(f"kms:{action}", KEY, service=f"{service}.amazonaws.com", context=context)
        assert resource_policy(text, request) is Verdict.ALLOWED
        if context:
            foreign = {key: value.replace(ACCOUNT, "999999999999") for key, value in context.items()}
            other = Request(f"kms:{action}", KEY, service=f"{service}.amazonaws.com", context=foreign)
            assert resource_policy(text, other) is Verdict.NOT_ALLOWED
