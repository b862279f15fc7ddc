"""The plugin under the real Pulumi CLI: small programs of the tests' own."""

from dataclasses import replace
from pathlib import Path

import pytest

from selfheal.sandbox.clients import Clients
from selfheal.sandbox.pulumi.plugin.install import provider_version
from tests.support.processes import children, gone, until
from tests.support.stacks import FAILED, Account, Stack

pytestmark = [pytest.mark.engine, pytest.mark.slow]

FUNCTION = """
role = aws.iam.Role("role", assume_role_policy=TRUST)
function = aws.lambda_.Function("function", role=role.arn, handler="index.handle", runtime="python3.13",
    code=pulumi.FileArchive("functions"),
    environment={"variables": {"RATE": "0.3", "KEY": pulumi.Output.secret("hush-hush")}})
pulumi.export("name", function.name)
"""


def _with_function(account: Account, name: str) -> Stack:
    """A project whose folder has names of ours, which the plugin must not import."""
    made = account.small(name)
    for folder in ("functions", "sandbox"):
        (made.project / folder).mkdir()
    (made.project / "sandbox" / "__init__.py").write_text(
        "raise ImportError('the program\\'s, not the plugin\\'s')"
    )
    (made.project / "functions" / "index.py").write_text("def handle(event, context):\n    return event\n")
    made.program(FUNCTION)
    return made


def test_first_deployment_change_and_destroy(account: Account) -> None:
    """What drifts is in tests/engine/test_life.py."""
    made = _with_function(account, "first")
    assert "functions" in made.run("preview", "--diff")
    made.up()
    assert "hush-hush" not in made.run("stack export")

    (made.project / "functions" / "index.py").write_text("def handle(event, context):\n    return 2\n")
    assert "[diff: ~code]" in made.run("preview")
    made.run("destroy", "--skip-preview")
    assert made.resources() == []


def test_a_program_below_the_project_has_its_archives_beside_it(account: Account) -> None:
    made = _with_function(account, "below")
    below = made.project / "infra"
    below.mkdir()
    for name in ("functions", "__main__.py"):
        (made.project / name).rename(below / name)
    (made.project / "Pulumi.yaml").write_text("name: below\nruntime: python\nmain: infra\n")
    made.up()
    assert made.resource("function")["outputs"]["codeSha256"]


def test_a_protected_table_is_neither_replaced_nor_destroyed(account: Account, clients: Clients) -> None:
    made = account.small("protected")
    for key, code in (("pk", 0), ("other", FAILED)):  # for another key the old one would have to go first
        made.program(
            f'aws.dynamodb.Table("t", name="kept", hash_key="{key}", billing_mode="PAY_PER_REQUEST",'
            f'attributes=[{{"name": "{key}", "type": "S"}}], deletion_protection_enabled=True)'
        )
        assert ("Table is protected against deletion" in made.up(code=code)) is (code == FAILED)
    assert "protected against deletion" in made.run("destroy", code=FAILED)
    table = clients.get("dynamodb").describe_table(TableName="kept")["Table"]
    assert table["KeySchema"] == [{"AttributeName": "pk", "KeyType": "HASH"}]


def test_what_a_creation_left_half_made_is_in_the_state_and_mended_by_the_next_up(
    account: Account, clients: Clients
) -> None:
    made = account.small("half")
    made.program('aws.cloudwatch.LogGroup("logs", retention_in_days=13)')
    assert "Invalid retentionInDays value: 13" in made.up(code=FAILED)
    name = made.resource("logs")["id"]
    made.program('aws.cloudwatch.LogGroup("logs", retention_in_days=14)')
    made.up()
    groups = clients.get("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    assert [group["retentionInDays"] for group in groups] == [14]


def test_a_topic_is_imported_and_a_program_that_says_so_has_no_difference(
    account: Account, clients: Clients
) -> None:
    arn = clients.get("sns").create_topic(Name="people", Attributes={"DisplayName": "People"})["TopicArn"]
    made = account.small("imports")
    made.program("")
    made.run("import", "aws:sns/topic:Topic", "people", arn, "--generate-code=false", "--protect=false")
    assert made.resource("people")["inputs"] == {"displayName": "People", "name": "people"}
    made.program('aws.sns.Topic("people", name="people", display_name="People")')
    assert "unchanged" in made.run("preview", "--expect-no-changes")
    made.program(
        'aws.sns.Topic("people", name="people", display_name="People")\n'
        f'pulumi.export("found", aws.sns.Topic.get("found", "{arn}").display_name)'
    )
    made.up()
    assert made.run("stack output", "found").strip() == "People"


def test_two_regions_by_explicit_providers(account: Account) -> None:
    made = account.small("regions")
    made.program(
        'for region in ("us-west-2", "eu-west-1"):\n'
        "    provider = aws.Provider(region, region=region)\n"
        '    queue = aws.sqs.Queue(f"in-{region}", opts=pulumi.ResourceOptions(provider=provider))\n'
        "    pulumi.export(region, queue.arn)"
    )
    made.up()
    for region in ("us-west-2", "eu-west-1"):
        assert made.run("stack output", region).startswith(f"arn:aws:sqs:{region}:")
    made.run("destroy", "--skip-preview")


def test_another_region_of_the_environment_replaces_and_forgets_nothing(account: Account) -> None:
    made = account.small("moved")
    made.program('aws.sqs.Queue("queue")')
    made.up()
    made = made.within(AWS_REGION="eu-west-1", AWS_DEFAULT_REGION="eu-west-1")
    assert "1 to replace" in made.run("preview")
    made.up()
    assert ":eu-west-1:" in made.resource("queue")["outputs"]["arn"]


UNKNOWN = {
    'aws.sqs.Queue("q", tags={"a": "b"})': "no property of aws:sqs/queue:Queue named tags",
    'aws.ec2.Eip("e")': "no resource type aws:ec2/eip:Eip",
    'aws.Provider("p", region="mars-1")': "no region mars-1",
    'aws.Provider("p", profile="work")': "no setting of the AWS provider named profile",
    "aws.ec2.get_vpc()": "no function aws:ec2/getVpc:getVpc",
}
"""Program to what is said of it. The engine shows the first refusal of a preview only."""


def test_what_the_provider_does_not_know_is_refused_by_name_at_preview(account: Account) -> None:
    made = account.small("unknown")
    for text, said in UNKNOWN.items():
        made.program(text)
        assert said in made.run("preview", code=FAILED), text


def test_with_credentials_and_an_endpoint_of_aws_nothing_is_called(account: Account) -> None:
    made = replace(account, secrets_provider="passphrase").small("real")  # the CLI itself would call KMS
    made.program('aws.sqs.Queue("q")')
    real = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI"}
    for endpoint in ("", "https://sqs.us-east-1.amazonaws.com"):
        for command in ("preview", "up"):
            said = made.within(AWS_ENDPOINT_URL=endpoint, **real).run(command, code=FAILED)
            assert "this is the sandbox's AWS provider" in said
            assert "use the real AWS provider" in said
    assert made.resources() == []


def test_the_plugin_ends_with_a_cli_that_was_killed(account: Account) -> None:
    made = account.small("killed")
    ready = made.project / "ready"
    made.program(
        f"import pathlib, time\naws.get_region()\npathlib.Path({str(ready)!r}).touch()\ntime.sleep(60)"
    )
    cli = made.start("up", "--skip-preview")
    try:
        until(ready.exists)
        plugins = [child for child in children(cli.pid) if "pulumi.plugin" in _command(child)]
        assert plugins
    finally:
        cli.kill()
        cli.communicate()
    until(lambda: all(map(gone, plugins)), 5)


def test_the_plugin_is_installed_as_pulumi_installs_one(account: Account) -> None:
    made = account.small("installed")
    listed = made.run("plugin ls")
    assert [line.split()[:3] for line in listed.splitlines() if line.startswith("aws")] == [
        ["aws", "resource", provider_version()]
    ]
    assert f'"version": "{provider_version()}"' in made.run("package get-schema", "aws")


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


PATTERNS = """
queue = aws.sqs.Queue("intake", fifo_queue=True)
aws.sqs.QueuePolicy("send", queue_url=queue.url, policy='{"Version": "2012-10-17", "Statement": []}')
bus = aws.cloudwatch.EventBus("orders")
aws.cloudwatch.EventArchive("orders", event_source_arn=bus.arn, retention_days=7)
bucket = aws.s3.Bucket("Poison", force_destroy=True)
aws.s3.BucketServerSideEncryptionConfiguration("poison", bucket=bucket.bucket,
    rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}])
aws.s3.BucketVersioning("poison", bucket=bucket.bucket, versioning_configuration={"status": "Enabled"})
aws.s3.BucketObjectv2("page", bucket=bucket.bucket, key="index.html", source=pulumi.StringAsset("<p>"))
stream = aws.kinesis.Stream("analytics", shard_count=1)
secret = aws.secretsmanager.Secret("key", recovery_window_in_days=0)
aws.secretsmanager.SecretVersion("key", secret_id=secret.id, secret_string="hush-hush")
aws.ssm.Parameter("rate", type="SecureString", value="hush-hush")
api = aws.apigateway.RestApi("orders", endpoint_configuration={"types": "REGIONAL"})
at = {"rest_api": api.id, "resource_id": api.root_resource_id, "http_method": "GET"}
method = aws.apigateway.Method("get", **at, authorization="NONE")
mock = aws.apigateway.Integration("get", **at, type="MOCK", opts=pulumi.ResourceOptions(depends_on=[method]),
    request_templates={"application/json": '{"statusCode": 200}'})
deployment = aws.apigateway.Deployment("orders", rest_api=api.id, triggers={"hash": HASH},
    opts=pulumi.ResourceOptions(depends_on=[mock]))
aws.apigateway.Stage("live", rest_api=api.id, deployment=deployment.id, stage_name="live")
"""


def test_what_the_patterns_need_is_deployed_changed_and_destroyed(account: Account) -> None:
    made = account.small("patterns")
    made.program('HASH = "1"' + PATTERNS)
    made.up()
    exported = made.run("stack export")
    assert "hush-hush" not in exported
    assert made.resource("intake")["outputs"]["name"].endswith(".fifo")
    first = made.resource("live")["outputs"]["deployment"]
    assert "unchanged" in made.run("preview", "--expect-no-changes", "--refresh")
    made.program('HASH = "2"' + PATTERNS)
    made.up("--refresh=false")
    assert made.resource("live")["outputs"]["deployment"] != first
    made.run("destroy", "--skip-preview", "--refresh=false")
    assert made.resources() == []
