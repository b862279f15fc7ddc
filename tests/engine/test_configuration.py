"""Configuration on the real engine: what is wrong is refused by name, and nothing has changed then."""

from typing import Any

import pytest
import yaml

from tests.engine.live import everything
from tests.support.stacks import FAILED, Account, Stack

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "out of range": ({"failureRate": "1.5"}, "selfheal:failureRate"),
    "a misspelt key": ({"failureRte": "0.3"}, "failureRte"),
    "another type": ({"budget": "many"}, "budget"),
    "a required one missing": ({"failureRate": None}, "failureRate"),
}
"""What Pulumi refuses, and what the program does, of which tests/program/test_settings.py has the rest."""


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_configuration_is_refused_by_name_with_nothing_changed(dev: Stack, kind: str) -> None:
    values, named = WRONG[kind]
    before, kept = everything(dev), dev.config_file.read_text()
    dev.configure(**values)
    try:
        told = dev.up("--refresh=false", code=FAILED)
        assert named in told
        assert "Traceback" not in told
    finally:
        dev.config_file.write_text(kept)
    assert everything(dev) == before


def test_a_region_that_does_not_exist_is_refused_by_name(cloud: Account) -> None:
    stack = cloud.stack("nowhere")
    stack.configure(**{"aws:region": "us-middle-9"})
    told = stack.preview(code=FAILED)
    assert "us-middle-9" in told


def test_addresses_are_printed_nowhere_and_encrypted_in_the_state(dev: Stack) -> None:
    """Also one that is no secret in the file."""
    dev.configure(escalationEmails=["ada@example.com"])
    dev.run("config set", "--secret", "--path", "selfheal:escalationEmails[1]", "bob@example.com")
    written = yaml.safe_load(dev.config_file.read_text())["config"]["selfheal:escalationEmails"]
    assert written[0] == "ada@example.com"
    assert written[1].keys() == {"secure"}
    told = dev.up() + dev.run("stack export") + dev.run("stack output", "--json")
    assert [word for word in told.split() if "@example.com" in word] == []
    topics = dev.account.clients.get("sns")
    topic = dev.outputs()["escalationTopicArn"]
    subscribed = topics.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert {each["Endpoint"] for each in subscribed} == {"ada@example.com", "bob@example.com"}
