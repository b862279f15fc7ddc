"""What makes functions fail on command, as it is registered."""

import json
from pathlib import Path

import pytest

from selfheal.components.function import code
from selfheal.components.patterns.fault_injection import Architecture, FaultInjection
from selfheal.components.patterns.levelled_queue import LevelledQueue
from tests.components.patterns.support.extension import INVOKES, LAYER
from tests.components.support import iam
from tests.support.pulumi_mocks import ACCOUNT, REGION, Deployment, deploy

PEOPLE = f"arn:aws:sns:{REGION}:{ACCOUNT}:on-call"
BUCKET = "arn:aws:s3:::faults-1a2b3c4"


def use(folder: Path, preview: bool = False, architecture: Architecture | None = None) -> Deployment:
    (folder / "consumer.py").write_text("def handle(event, context): ...")

    def program() -> None:
        faults = FaultInjection("faults", {"architecture": architecture} if architecture else None)
        consumer = {"code": code(folder, "consumer.handle"), "uses": [faults.access]}
        LevelledQueue("work", {"consumer": consumer, "rate": 5, "people": PEOPLE})  # pyright: ignore[reportArgumentType]

    return deploy(program, preview=preview, invokes=INVOKES)


@pytest.mark.parametrize("preview", [True, False])
def test_a_function_that_uses_it_listens(tmp_path: Path, preview: bool) -> None:
    function = use(tmp_path, preview).named("work-consumer").inputs
    assert function["layers"] == [LAYER % "arm64"]
    variables = function["environment"]["variables"]
    assert {name: value for name, value in variables.items() if name.startswith("AWS_")} == {
        "AWS_FIS_CONFIGURATION_LOCATION": f"{BUCKET}/FisConfigs/",
        "AWS_FIS_POLL_MAX_WAIT_MILLISECONDS": "2000",
        "AWS_LAMBDA_EXEC_WRAPPER": "/opt/aws-fis/bootstrap",
    }


def test_it_may_read_which_faults_are_in_force_and_not_write(tmp_path: Path) -> None:
    policy = use(tmp_path).named("work-consumer-policy").inputs["policy"]
    assert iam.allows(policy, "s3:GetObject", f"{BUCKET}/FisConfigs/x")
    assert not iam.allows(policy, "s3:GetObject", f"{BUCKET}/other")
    for action in ("s3:PutObject", "s3:DeleteObject"):
        assert not iam.allows(policy, action, f"{BUCKET}/FisConfigs/x")
    [listing] = [each for each in json.loads(policy)["Statement"] if each["Action"] == ["s3:ListBucket"]]
    assert listing["Resource"] == [BUCKET]
    assert listing["Condition"] == {"StringLike": {"s3:prefix": ["FisConfigs/*"]}}


def test_the_extension_is_that_of_the_architecture(tmp_path: Path) -> None:
    assert use(tmp_path, architecture=Architecture.X86_64).named("work-consumer").inputs["layers"] == [
        LAYER % "x86_64"
    ]


def test_the_bucket_is_private_and_forgets_within_a_day(tmp_path: Path) -> None:
    deployment = use(tmp_path)
    block = deployment.named("faults-private").inputs
    assert all(block[flag] for flag in block if flag != "bucket")
    assert len(block) == 5
    [rule] = deployment.named("faults-lifecycle").inputs["rules"]
    assert (rule["status"], rule["expiration"]) == ("Enabled", {"days": 1})


def test_what_does_not_use_it_has_no_layer(tmp_path: Path) -> None:
    (tmp_path / "consumer.py").write_text("def handle(event, context): ...")

    def program() -> None:
        consumer = {"code": code(tmp_path, "consumer.handle")}
        LevelledQueue("work", {"consumer": consumer, "rate": 5, "people": PEOPLE})  # pyright: ignore[reportArgumentType]

    assert "layers" not in deploy(program).named("work-consumer").inputs


def test_the_parameter_of_a_region_without_extension_ends_the_deployment() -> None:
    def program() -> None:
        FaultInjection("faults")

    with pytest.raises(Exception, match="no answer for aws:ssm/getParameter"):
        deploy(program)


def test_an_unknown_architecture_is_refused() -> None:
    def program() -> None:
        FaultInjection("faults", {"architecture": "sparc"})  # pyright: ignore[reportArgumentType]

    with pytest.raises(ValueError, match="'sparc' is not a valid Architecture"):
        deploy(program, invokes=INVOKES)
