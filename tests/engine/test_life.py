"""The unmodified program on the real engine: previewed, deployed, looked at, repaired, taken down.

One stack from its first preview to its end: each test begins where the one before left it.
"""

import json
import re
from pathlib import Path

from tests.engine.live import BASELINE, REMEDY, everything, override, rate
from tests.support.stacks import CHANGES, FAILED, Account, Stack
from tools.explain_deployment import reasons

DEPLOYED = 44
"""Resources of the stack dev, the stack itself and its provider included."""

PACK = ("--policy-pack", "policies")


def retention(stack: Stack, name: str) -> int:
    """Return for how many days a log group keeps its events."""
    logs = stack.account.clients.get("logs")
    [found] = logs.describe_log_groups(logGroupNamePrefix=stack.resource(name)["id"])["logGroups"]
    return found["retentionInDays"]


def test_a_preview_changes_nothing_and_says_what_up_would_do(cloud: Account) -> None:
    stack = cloud.stack("plan")
    before = everything(stack)
    told = stack.preview(*PACK)
    assert f"+ {DEPLOYED} to create" in told
    assert "Policies:" in told
    assert "selfheal@v" in told
    assert everything(stack) == before
    assert stack.resources() == []


def test_up_deploys_and_a_second_up_with_the_pack_changes_nothing(dev: Stack) -> None:
    assert rate(dev) == BASELINE
    told = dev.run("up", *PACK, "--expect-no-changes")
    assert told.count(f"{DEPLOYED} unchanged") == 2, told  # by its preview, and by itself


def test_drift_is_shown_recorded_and_restored(dev: Stack) -> None:
    override(dev)
    told = dev.preview("--diff", "--expect-no-changes", code=CHANGES)
    assert re.search(r'FAILURE_RATE\s*: "0" => "0.3"', told), told

    # Why Pulumi.yaml has `refresh: always`: without a look at AWS, `up` sees nothing.
    assert f"{DEPLOYED} unchanged" in dev.up("--refresh=false")
    assert rate(dev) == REMEDY

    assert "~ 1 updated" in dev.run("refresh")
    assert rate(dev) == REMEDY
    assert "~ 1 updated" in dev.up()
    assert rate(dev) == BASELINE


def test_what_was_deleted_behind_its_back_is_made_again(dev: Stack) -> None:
    topic = dev.outputs()["escalationTopicArn"]
    dev.account.clients.get("sns").delete_topic(TopicArn=topic)
    told = dev.up()
    assert re.search(r"\+ \d+ created", told), told
    made = dev.outputs()["escalationTopicArn"]
    assert made != topic  # by another automatic name: AWS may still remember the first
    assert made in everything(dev)["topics"]


def test_a_target_alone_is_updated_and_a_saved_plan_is_carried_out_as_it_was_previewed(
    dev: Stack, tmp_path: Path
) -> None:
    """Two log groups have the setting, each in a component that records it."""
    plan = tmp_path / "plan.json"
    dev.configure(logRetentionDays=30)
    told = dev.up("--target", dev.urn("LogGroup", "fragile-logs"))
    assert "~ 1 updated" in told, told
    assert (retention(dev, "fragile-logs"), retention(dev, "healer-logs")) == (30, 14)

    told = dev.preview("--refresh=false", "--save-plan", str(plan))
    assert re.search(r"~ +aws:cloudwatch:LogGroup healer-logs update", told), told
    assert not re.search(r"LogGroup fragile-logs update", told), told
    dev.up("--plan", str(plan))
    assert (retention(dev, "fragile-logs"), retention(dev, "healer-logs")) == (30, 30)


def test_the_state_can_be_exported_and_imported(dev: Stack, tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    dev.run("stack export", "--file", str(file))
    emptied = json.loads(file.read_text())
    emptied["deployment"]["resources"] = []
    nothing = tmp_path / "nothing.json"
    nothing.write_text(json.dumps(emptied))
    dev.run("stack import", "--file", str(nothing))
    assert dev.resources() == []
    dev.run("stack import", "--file", str(file))
    was, now = json.loads(file.read_text())["deployment"]["resources"], dev.resources()
    assert [(each["urn"], each.get("id")) for each in now] == [(each["urn"], each.get("id")) for each in was]


def test_a_resource_is_replaced_on_request(dev: Stack) -> None:
    """And what names it is updated; the rest of the state, which was imported, fits what the program says."""
    queues = dev.account.clients.get("sqs").list_queues
    before = queues()["QueueUrls"]
    told = dev.up("--refresh=false", "--replace", dev.urn("Queue", "healer-failures"))
    assert "1 replaced" in told, told
    assert f"5 changes. {DEPLOYED - 5} unchanged" in told, told
    assert len(queues()["QueueUrls"]) == len(before)
    assert queues()["QueueUrls"] != before


def test_a_plan_that_no_longer_fits_is_not_carried_out_and_explained(dev: Stack, tmp_path: Path) -> None:
    """The healer acted between preview and `up`. An `up` that an incident refuses: see test_incident."""
    plan = tmp_path / "plan.json"
    dev.configure(logRetentionDays=None)
    preview = dev.preview("--diff", "--color", "never", "--save-plan", str(plan))
    override(dev)
    before = everything(dev)
    told = dev.run("up", "--color", "never", "--plan", str(plan), code=FAILED)
    [why] = reasons("dev", [preview, told])
    assert "violates plan" in why
    assert "Nothing was changed." in why
    assert (rate(dev), everything(dev)) == (REMEDY, before)


def test_destroy_takes_down_everything(dev: Stack) -> None:
    """A ledger that is protected: see test_renames."""
    assert f"- {DEPLOYED} deleted" in dev.run("destroy")
    assert not any(everything(dev).values()), everything(dev)
    assert dev.resources() == []
