"""The whole way: a browser, the site, the orders service and its healer, in the sandbox, deployed once."""

import json
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from selfheal.functions.downstream.core import Mode, Setting
from selfheal.functions.downstream.store import setting_item
from selfheal.sandbox.alarms import AlarmEvaluator
from selfheal.sandbox.clients import Clients
from selfheal.sandbox.emulator import REGION, Emulator
from selfheal.sandbox.front import Front
from selfheal.sandbox.provider import AwsProvider
from selfheal.sandbox.pulumi.deployer import deploy

pytestmark = [pytest.mark.slow, pytest.mark.browser]

ROOT = Path(__file__).parents[2]
TOKEN = "token-of-ann-" + "z" * 32
SECONDS = 90_000.0
"""Milliseconds, the most that each step may take on a busy machine."""


@dataclass
class Site:
    """The deployed stack."""

    url: str
    clients: Clients
    outputs: dict[str, Any]

    def downstream(self, mode: Mode) -> None:
        """Switch the downstream."""
        table = self.outputs["downstreamTable"]
        self.clients.get("dynamodb").put_item(TableName=table, Item=setting_item(Setting(mode)))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Generator[Site]:
    with Emulator.start(tmp_path_factory.mktemp("emulator")) as emulator:
        callers = json.dumps({"ann": TOKEN})
        provider = AwsProvider(emulator.clients)
        outputs = deploy(ROOT, provider, stack="orders", overrides={"callers": callers})
        with (
            Front(emulator.endpoint) as front,
            AlarmEvaluator(emulator.endpoint, REGION, emulator.credentials),
        ):
            yield Site(front.url, emulator.clients, outputs)


@pytest.fixture
def page(
    site: Site, browser: Browser
) -> Generator[Page]:  # first the site: Playwright lets no other loop run
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(site.url)
    page.get_by_label("Bearer token").fill(TOKEN)
    page.get_by_role("button", name="Use it").click()
    yield page
    page.close()


def test_an_outage_is_seen_from_the_first_order_to_the_last(page: Page, site: Site) -> None:
    def seen(text: str) -> None:
        expect(page.get_by_role("log")).to_contain_text(text, timeout=SECONDS)

    expect(page.locator("#connection")).to_contain_text("Live", timeout=SECONDS)
    circuit = page.locator(".tile").filter(has_text="Circuit")
    expect(circuit).to_contain_text("closed")
    assert page.locator("#problems li").all_inner_texts() == []

    page.get_by_role("button", name="Place order").click()
    expect(page.get_by_role("button", name="1 fulfilled")).to_be_visible(timeout=SECONDS)

    site.downstream(Mode.OUTAGE)
    time.sleep(1.5)  # its workers follow within a second
    page.get_by_role("button", name="Place 40 orders").click()
    stored = page.locator("#placed").filter(has_text="stored.")
    expect(stored).to_be_visible(timeout=SECONDS)
    if page.locator("#again").is_visible():  # a machine with other work may not answer in time
        page.locator("#send-again").click()
    expect(page.locator("#orders")).not_to_contain_text("not sent", timeout=SECONDS)
    seen("Circuit orders-downstream opened")
    seen("Incident of fulfilment opened")
    expect(page.locator("#incidents")).to_contain_text("fulfilment")

    site.downstream(Mode.HEALTHY)
    seen("Circuit orders-downstream closed")
    expect(page.get_by_role("button", name="41 fulfilled")).to_be_visible(timeout=SECONDS)
    seen("No order is on its way any more: 41 of 41 fulfilled.")
    seen("Incident of fulfilment closed")
    expect(page.get_by_text("No dead letter in 7 places.")).to_be_visible()
