"""What people get with the two managed policies: IAM on the ledger's items says who may."""

import pytest

from tests.components.support import iam
from tests.components.support.deployments import healer
from tests.support.pulumi_mocks import ACCOUNT, REGION

LEDGER = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/ledger"
HEALER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:healer-1a2b3c4"

ITEMS = ("approval#orders", "command#orders", "mode", "target#orders", "fleet", "override#orders")


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize(
    ("role", "writes"),
    [("approver", ["approval#orders"]), ("operator", ["approval#orders", "command#orders", "mode"])],
)
def test_an_approver_approves_and_an_operator_also_commands(
    role: str, writes: list[str], preview: bool
) -> None:
    text = healer(preview).named(f"healer-{role}").inputs["policy"]
    assert [item for item in ITEMS if iam.allows(text, "dynamodb:PutItem", LEDGER, item)] == writes
    assert all(iam.allows(text, "dynamodb:GetItem", LEDGER, item) for item in ITEMS)
    assert iam.allows(text, "dynamodb:Scan", LEDGER)
    assert iam.allows(text, "lambda:InvokeFunction", HEALER)


@pytest.mark.parametrize("role", ["approver", "operator"])
def test_nobody_gets_more(role: str) -> None:
    text = healer().named(f"healer-{role}").inputs["policy"]
    for action in ("UpdateItem", "DeleteItem", "BatchWriteItem", "PartiQLInsert", "DeleteTable"):
        assert not any(iam.allows(text, f"dynamodb:{action}", LEDGER, item) for item in ITEMS)
    assert not iam.allows(text, "dynamodb:PutItem", LEDGER)
    assert not iam.allows(text, "dynamodb:PutItem", LEDGER, "approval#orders", "target#orders")
    assert not iam.allows(text, "dynamodb:PutItem", f"{LEDGER}-other", "approval#orders")
    assert not iam.allows(text, "lambda:UpdateFunctionConfiguration", HEALER)
    assert not iam.allows(text, "lambda:InvokeFunction", f"{HEALER}-other")


def test_they_are_attached_to_nobody() -> None:
    deployment = healer()
    for name in ("healer-approver", "healer-operator"):
        policy = deployment.named(name)
        assert policy.type == "aws:iam/policy:Policy"
        others = [each for each in deployment.resources if policy.urn in each.dependencies]
        assert others == []
