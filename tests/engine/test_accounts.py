"""What shares an account: stacks, regions, and what was there before Pulumi."""

import textwrap
from pathlib import Path

import pytest

from tests.engine.live import everything, tables
from tests.engine.stack import FAILED, Account


def program(folder: Path, body: str, *, name: str = "small") -> Path:
    """Write a Pulumi project of one file."""
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text(f"name: {name}\nruntime: python\n")
    (folder / "__main__.py").write_text("import pulumi\nimport pulumi_aws as aws\n\n" + textwrap.dedent(body))
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


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (
            'aws.dynamodb.Table("t", name="taken", hash_key="k", attributes=[{"name": "k", "type": "S"}])',
            "in use",
        ),
        ('aws.sqs.Queue("q", name="taken", delay_seconds=7)', "exists"),
        ('aws.cloudwatch.LogGroup("g", name="taken")', "exist"),
    ],
    ids=["table", "queue", "log group"],
)
def test_a_name_that_is_taken_is_refused_and_stays_who_it_was(
    cloud: Account, tmp_path: Path, body: str, refusal: str
) -> None:
    first = cloud.stack_with("first", program(tmp_path / "first", body.replace("delay_seconds=7", "")))
    first.up()
    second = cloud.stack_with("second", program(tmp_path / "second", body))
    told = second.up(code=FAILED)
    assert refusal in told, told
    second.run("destroy")
    first.preview("--expect-no-changes")
    first.run("destroy")


def test_replacing_the_ledger_by_request_loses_nothing_that_is_protected(cloud: Account) -> None:
    stack = cloud.stack("replace", protectLedger=True)
    stack.up()
    told = stack.up("--replace", stack.urn("Table", "healer-ledger"), code=FAILED)
    assert "protected against deletion" in told, told
    assert "selfheal-replace-ledger" in tables(stack)
    stack.configure(protectLedger=False)
    stack.up()
    stack.run("destroy")


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
