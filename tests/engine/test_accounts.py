"""What shares an account: stacks, regions, and what was there before Pulumi."""

import textwrap
from pathlib import Path

import pytest

from tests.engine.live import everything, tables
from tests.engine.stack import FAILED, Account

HEAD = """
import json
import pulumi
import pulumi_aws as aws

LAMBDA = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [LAMBDA]})
"""


def program(folder: Path, body: str, *, name: str = "small") -> Path:
    """Write a Pulumi project of one file."""
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text(f"name: {name}\nruntime: python\n")
    (folder / "__main__.py").write_text(f"{HEAD}{textwrap.dedent(body)}\n")
    return folder


def test_two_stacks_share_an_account_and_leave_each_other_alone(cloud: Account) -> None:
    one, two = cloud.stack("one"), cloud.stack("two")
    one.up()
    two.up()
    assert {"selfheal-one-ledger", "selfheal-two-ledger"} <= set(tables(one))
    two.preview("--expect-no-changes")
    two.run("destroy")
    one.preview("--expect-no-changes")
    one.run("destroy")


TAKEN = {
    "table": (
        (
            'aws.dynamodb.Table("t", name="taken", billing_mode="PAY_PER_REQUEST", hash_key="k",'
            ' attributes=[{"name": "k", "type": "S"}])'
        ),
        "Table already exists: taken",
    ),
    "queue": ('aws.sqs.Queue("q", name="taken", delay_seconds=7)', "QueueAlreadyExists"),
    "log group": ('aws.cloudwatch.LogGroup("g", name="taken")', "already exists"),
    "role": (
        'aws.iam.Role("r", name="taken", assume_role_policy=TRUST)',
        "Role with name taken already exists",
    ),
}
"""A resource of a fixed name, and AWS's refusal where another has it."""


@pytest.mark.parametrize("kind", TAKEN)
def test_a_name_that_is_taken_is_refused_and_stays_who_it_was(
    cloud: Account, tmp_path: Path, kind: str
) -> None:
    """Nothing is adopted: a second stack would take over the first one's ledger, and delete it."""
    body, refusal = TAKEN[kind]
    first = cloud.stack_with(f"first-{kind[:3]}", program(tmp_path / "first", body.replace("=7", "=0")))
    second = cloud.stack_with(f"second-{kind[:3]}", program(tmp_path / "second", body))
    first.up()
    try:
        told = second.up(code=FAILED)
        assert refusal in told, told
        second.run("destroy")
        first.preview("--refresh", "--expect-no-changes")
    finally:
        first.run("destroy")


@pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])
def test_replacing_the_ledger_by_request_is_refused_and_loses_nothing(
    cloud: Account, protected: bool
) -> None:
    """Its name is fixed, so the new one cannot be made before the old one goes, and AWS says so."""
    stack = cloud.stack(f"replace-{protected}".lower(), protectLedger=protected)
    stack.up()
    told = stack.up("--replace", stack.urn("Table", "healer-ledger"), code=FAILED)
    assert f"Table already exists: selfheal-{stack.name}-ledger" in told, told
    assert f"selfheal-{stack.name}-ledger" in tables(stack)
    stack.configure(protectLedger=False)
    stack.up()
    stack.run("destroy", "--refresh=false")


REGIONS = """
west = aws.Provider("west", region="us-west-2")
here = aws.sns.Topic("here")
there = aws.sns.Topic("there", opts=pulumi.ResourceOptions(provider=west))
pulumi.export("here", here.arn)
pulumi.export("there", there.arn)
pulumi.export("found", aws.get_region(opts=pulumi.InvokeOptions(provider=west)).region)
"""


def test_explicit_providers_in_two_regions(cloud: Account, tmp_path: Path) -> None:
    stack = cloud.stack_with("regions", program(tmp_path / "regions", REGIONS), {"aws:region": "us-east-1"})
    stack.up()
    outputs = stack.outputs()
    assert outputs["here"].split(":")[3] == "us-east-1"
    assert outputs["there"].split(":")[3] == "us-west-2"
    assert outputs["found"] == "us-west-2"
    stack.preview("--expect-no-changes")
    before = everything(stack)
    stack.run("destroy")
    assert everything(stack) != before


def test_a_topic_that_was_there_before_is_imported(cloud: Account, tmp_path: Path) -> None:
    arn = cloud.clients.get("sns").create_topic(Name="old-news", Attributes={"DisplayName": "News"})[
        "TopicArn"
    ]
    folder = program(tmp_path / "imports", "")
    stack = cloud.stack_with("imports", folder)
    stack.up()
    stack.run("import", "aws:sns/topic:Topic", "news", arn, "--generate-code=false", "--protect=false")
    body = 'aws.sns.Topic("news", name="old-news", display_name="News")'
    (folder / "__main__.py").write_text(f"import pulumi_aws as aws\n\n{body}\n")
    stack.preview("--expect-no-changes")
    stack.run("destroy")
    assert arn not in everything(stack)["topics"]
