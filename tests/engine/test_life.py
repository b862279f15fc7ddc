"""The unmodified program on the real engine: previewed, deployed, looked at, repaired, taken down."""

import json
import re
from pathlib import Path

from tests.engine.live import BASELINE, everything, override, rate, tables
from tests.engine.stack import CHANGES, FAILED, Account, Stack

DEPLOYED = 41
"""Resources of the stack dev, the stack itself and its provider included."""

PACK = ("--policy-pack", "policies")


def test_a_preview_changes_nothing_and_says_what_up_would_do(cloud: Account) -> None:
    stack = cloud.stack("plan")
    before = everything(stack)
    told = stack.preview(*PACK)
    assert f"+ {DEPLOYED} to create" in told
    assert "Policies:" in told
    assert "selfheal@v" in told
    assert everything(stack) == before
    assert stack.resources() == []


def test_up_deploys_with_the_pack_and_a_second_up_changes_nothing(dev: Stack) -> None:
    assert f"{DEPLOYED} unchanged" in dev.run("up", *PACK, "--expect-no-changes")
    assert f"{DEPLOYED} unchanged" in dev.preview("--expect-no-changes")


def test_drift_is_shown_and_the_baseline_restored(dev: Stack) -> None:
    override(dev)
    told = dev.preview("--diff")
    assert re.search(r'FAILURE_RATE\s*: "0" => "0.3"', told), told
    dev.run("preview", "--expect-no-changes", code=CHANGES)
    assert rate(dev) == "0"
    assert "~ 1 updated" in dev.up()
    assert rate(dev) == BASELINE
    dev.preview("--expect-no-changes")


def test_without_a_refresh_up_would_not_see_the_drift(dev: Stack) -> None:
    """Why Pulumi.yaml has `refresh: always`."""
    override(dev)
    assert f"{DEPLOYED} unchanged" in dev.up("--refresh=false")
    assert rate(dev) == "0"
    dev.up()
    assert rate(dev) == BASELINE


def test_refresh_records_what_is_live_and_changes_nothing(dev: Stack) -> None:
    override(dev)
    assert "~ 1 updated" in dev.run("refresh")
    assert rate(dev) == "0"
    dev.up()
    assert rate(dev) == BASELINE


def test_what_was_deleted_behind_its_back_is_made_again(dev: Stack) -> None:
    topic = dev.outputs()["escalationTopicArn"]
    dev.account.clients.get("sns").delete_topic(TopicArn=topic)
    told = dev.up()
    assert re.search(r"\+ \d+ created", told), told
    made = dev.outputs()["escalationTopicArn"]
    assert made != topic  # by another automatic name: AWS may still remember the first
    assert made in everything(dev)["topics"]
    dev.preview("--expect-no-changes")


def test_a_target_alone_is_updated(dev: Stack) -> None:
    dev.configure(logRetentionDays=30)
    group = dev.urn("LogGroup", "fragile-logs")
    told = dev.up("--target", group)
    assert "~ 1 updated" in told, told
    dev.configure(logRetentionDays=None)
    assert "~ 1 updated" in dev.up()


def test_a_resource_is_replaced_on_request(dev: Stack) -> None:
    queue = dev.urn("Queue", "healer-failures")
    before = dev.account.clients.get("sqs").list_queues().get("QueueUrls")
    told = dev.up("--replace", queue)
    assert "replaced" in told, told
    assert dev.account.clients.get("sqs").list_queues().get("QueueUrls") != before
    dev.preview("--expect-no-changes")


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
    dev.preview("--expect-no-changes")


def test_destroy_takes_down_everything(cloud: Account) -> None:
    stack = cloud.stack("gone")
    before = everything(stack)
    stack.up()
    assert everything(stack) != before
    assert f"- {DEPLOYED} deleted" in stack.run("destroy")
    assert everything(stack) == before
    assert stack.resources() == []


def test_a_protected_ledger_stops_destroy_and_is_not_lost(cloud: Account) -> None:
    """That the rest is gone by then is for part 6: see test_still_wrong."""
    stack = cloud.stack("kept", protectLedger=True)
    stack.up()
    told = stack.run("destroy", code=FAILED)
    assert "Table is protected against deletion" in told
    assert "selfheal-kept-ledger" in tables(stack)
    # What docs/operations.md says: unprotect, then destroy.
    stack.configure(protectLedger=False)
    stack.up()
    stack.run("destroy")
    assert "selfheal-kept-ledger" not in tables(stack)
