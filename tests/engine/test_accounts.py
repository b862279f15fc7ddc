"""What shares an account: stacks, regions, and what was there before Pulumi."""

import textwrap
from pathlib import Path

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


def test_two_stacks_share_an_account_and_a_ledger_is_lost_by_none_of_it(cloud: Account) -> None:
    """A ledger's name is fixed: to replace it, AWS would need the old one to go before the new one comes."""
    one, two = cloud.stack("one", protectLedger=True), cloud.stack("two")
    one.up()
    two.up()
    ledgers = ["selfheal-one-ledger", "selfheal-two-ledger"]
    for stack in (one, two):
        told = stack.up("--refresh=false", "--replace", stack.urn("Table", "healer-ledger"), code=FAILED)
        assert f"Table already exists: selfheal-{stack.name}-ledger" in told, told
        assert sorted(tables(stack)) == ledgers
    two.run("destroy", "--refresh=false")
    assert tables(one) == ["selfheal-one-ledger"]
    one.up("--expect-no-changes")


TAKEN = """
aws.dynamodb.Table("t", name="taken", billing_mode="PAY_PER_REQUEST", hash_key="k",
    attributes=[{"name": "k", "type": "S"}])
aws.sqs.Queue("q", name="taken", delay_seconds=7)
aws.cloudwatch.LogGroup("g", name="taken")
aws.iam.Role("r", name="taken", assume_role_policy=TRUST)
"""


def test_a_name_that_is_taken_is_refused_and_stays_who_it_was(cloud: Account, tmp_path: Path) -> None:
    """Nothing is adopted: a second stack would take over the first one's ledger, and delete it."""
    first = cloud.stack_with("first", program(tmp_path / "first", TAKEN.replace("=7", "=0")))
    second = cloud.stack_with("second", program(tmp_path / "second", TAKEN))
    first.up()
    told = second.up("--continue-on-error", code=FAILED)
    for refusal in (
        "ResourceInUseException: Table already exists: taken",
        "QueueAlreadyExists",
        "ResourceAlreadyExistsException",
        "EntityAlreadyExists: Role with name taken already exists",
    ):
        assert refusal in told, told
    second.run("destroy")
    first.preview("--refresh", "--expect-no-changes")


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
    stack.preview("--refresh", "--expect-no-changes")
    stack.run("destroy")
    assert outputs["here"] not in everything(stack)["topics"]


def test_a_topic_that_was_there_before_is_imported(cloud: Account, tmp_path: Path) -> None:
    arn = cloud.clients.get("sns").create_topic(Name="old-news", Attributes={"DisplayName": "News"})[
        "TopicArn"
    ]
    folder = program(tmp_path / "imports", "")
    stack = cloud.stack_with("imports", folder)
    stack.run("import", "aws:sns/topic:Topic", "news", arn, "--generate-code=false", "--protect=false")
    body = 'aws.sns.Topic("news", name="old-news", display_name="News")'
    (folder / "__main__.py").write_text(f"import pulumi_aws as aws\n\n{body}\n")
    stack.preview("--expect-no-changes")
    stack.run("destroy")
    assert arn not in everything(stack)["topics"]
