"""The database as it is registered. Nothing here deploys it: the sandbox does not know its types."""

from typing import Any

import pytest

from selfheal.components.arns import Arns
from selfheal.components.errors import ComponentError
from selfheal.components.function import own_code
from selfheal.components.patterns.aurora_downstream import AuroraDownstream, AuroraDownstreamArgs
from selfheal.components.patterns.function import FunctionArgs, pattern_function
from selfheal.components.security import Security
from selfheal.sandbox.clients import Clients, Credentials
from selfheal.sandbox.errors import ProviderError
from selfheal.sandbox.provider import AwsProvider
from tests.components.support import iam
from tests.support.pulumi_mocks import ACCOUNT, REGION, Deployment, deploy

SUBNETS = ["subnet-0a1b2c3d", "subnet-0a1b2c3d4e5f60718"]
CLUSTER = f"arn:aws:rds:{REGION}:{ACCOUNT}:cluster:payments-cluster-1a2b3c4"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:rds!payments-cluster-1a2b3c4"


def registered(*, preview: bool = False, **args: Any) -> Deployment:
    """Register a database, and a function that uses it."""
    base: dict[str, Any] = {"subnet_ids": SUBNETS}
    given: AuroraDownstreamArgs = base | args  # pyright: ignore[reportAssignmentType]

    def program() -> None:
        database = AuroraDownstream("payments", given)
        uses = database.access
        arns = Arns(database)
        runs: FunctionArgs = {"code": own_code("fragile")}
        pattern_function("user", runs, uses, arns=arns, security=Security({}, arns), parent=database)

    return deploy(program, preview=preview)


@pytest.mark.parametrize("preview", [True, False])
def test_it_is_serverless_private_encrypted_protected_and_reached_by_the_data_api(preview: bool) -> None:
    deployment = registered(preview=preview)
    cluster = deployment.named("payments-cluster").inputs
    assert cluster["serverlessv2ScalingConfiguration"] == {"minCapacity": 0.5, "maxCapacity": 2}
    assert cluster["enableHttpEndpoint"] is True
    assert cluster["storageEncrypted"] is True
    assert cluster["manageMasterUserPassword"] is True
    assert "masterPassword" not in cluster
    assert (cluster["deletionProtection"], cluster["skipFinalSnapshot"]) == (True, False)
    assert cluster["finalSnapshotIdentifier"] == "payments-final"
    assert cluster["backupRetentionPeriod"] == 7
    instance = deployment.named("payments-instance").inputs
    assert (instance["instanceClass"], instance["publiclyAccessible"]) == ("db.serverless", False)
    assert instance["clusterIdentifier"] == "payments-cluster-1a2b3c4"
    assert deployment.named("payments-subnets").inputs["subnetIds"] == SUBNETS


def test_its_users_may_execute_statements_there_and_nothing_else() -> None:
    deployment = registered()
    assert deployment.named("user").inputs["environment"]["variables"] == {
        "AURORA_CLUSTER": CLUSTER,
        "AURORA_SECRET": SECRET,
        "AURORA_DATABASE": "downstream",
    }
    text = deployment.named("user-policy").inputs["policy"]
    assert iam.allows(text, "rds-data:ExecuteStatement", CLUSTER)
    assert iam.allows(text, "secretsmanager:GetSecretValue", SECRET)
    for action, resource in (
        ("rds-data:ExecuteStatement", f"{CLUSTER}2"),
        ("rds-data:BeginTransaction", CLUSTER),
        ("rds:DeleteDBCluster", CLUSTER),
        ("secretsmanager:GetSecretValue", f"{SECRET}2"),
        ("secretsmanager:PutSecretValue", SECRET),
    ):
        assert not iam.allows(text, action, resource)
    assert iam.too_wide(text) == []


def test_at_a_minimum_of_nothing_it_pauses_and_unprotected_it_can_be_deleted() -> None:
    cluster = registered(minimum_capacity=0, protect=False).named("payments-cluster").inputs
    assert cluster["serverlessv2ScalingConfiguration"]["secondsUntilAutoPause"] == 300
    assert (cluster["deletionProtection"], cluster["skipFinalSnapshot"]) == (False, True)


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ({"subnet_ids": SUBNETS[:1]}, "at least 2 subnets in different availability zones, got 1"),
        (
            {"backup_days": 0},
            r"backup_days must be a whole number from 1 to 35, got 0\. Leave it out for 7\.",
        ),
        ({"backup_days": 36}, "backup_days must be a whole number from 1 to 35, got 36"),
        (
            {"minimum_capacity": -0.5},
            "minimum_capacity must be from 0 to 256 capacity units in steps",
        ),
        ({"minimum_capacity": 0.3}, "minimum_capacity must be .* got 0.3"),
        ({"maximum_capacity": 0.5}, "maximum_capacity must be from 1 to 256"),
        ({"maximum_capacity": 256.5}, "maximum_capacity must be from 1 to 256"),
        ({"maximum_capacity": float("nan")}, "maximum_capacity must be from 1 to 256"),
        ({"minimum_capacity": 4}, "minimum_capacity must not be above maximum_capacity, got 4 and 2"),
    ],
)
def test_what_is_out_of_range_is_refused(args: dict[str, Any], text: str) -> None:
    with pytest.raises(ComponentError, match=text):
        registered(**args)


def test_the_sandbox_refuses_each_of_its_types_by_name() -> None:
    provider = AwsProvider(Clients("http://127.0.0.1:9", REGION, Credentials("test", "test")))
    types = {each.type for each in registered().resources if each.type.startswith("aws:rds/")}
    assert len(types) == 3
    for type_ in types:
        with pytest.raises(ProviderError, match=f"the sandbox has no resource type {type_}"):
            provider.check(type_, "payments", {}, None, "seed")
