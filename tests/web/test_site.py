"""The whole way: a browser, the site, the orders service and its healer, in the sandbox, deployed once."""

import json
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from selfheal.cli.operator.orders_view import longest_hidden
from selfheal.functions.downstream.core import Mode, Setting
from selfheal.functions.downstream.store import setting_item
from selfheal.sandbox.alarms import AlarmEvaluator
from selfheal.sandbox.clients import Clients
from selfheal.sandbox.emulator import REGION, Emulator
from selfheal.sandbox.front import Front
from selfheal.sandbox.provider import AwsProvider
from selfheal.sandbox.pulumi.deployer import deploy

pytestmark = [pytest.mark.slow, pytest.mark.drill, pytest.mark.browser]

ROOT = Path(__file__).parents[2]
TOKEN = "token-of-ann-" + "z" * 32
PATIENCE = 90_000.0
"""Milliseconds, the most that each step may take on a busy machine."""
LOOK = 4_000.0
"""Milliseconds from one look for the incident's end to the next."""
LOOKS_AN_ORDER = 12
"""Looks from one forty orders to the next: on a busy machine a few calls take all forty, and evidence is
calls."""
WAITS = 3
"""Of one order in a row, at most, each as long as a message is hidden whose handling was cut off."""
MOST_ORDERS = 120
"""That are placed until the circuit opens. Forty do, unless the machine is busy."""


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

    @property
    def patience(self) -> float:
        """Milliseconds, the most that an order may take on a busy machine."""
        return WAITS * 1000 * longest_hidden(self.clients.get("sqs"), self.outputs)

    def wake_healer(self) -> None:
        """Have the healer look, as an operator would."""
        payload = json.dumps({"wake": "operator"}).encode()
        self.clients.get("lambda").invoke(FunctionName=self.outputs["healerName"], Payload=payload)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Generator[Site]:
    with Emulator.start(tmp_path_factory.mktemp("emulator")) as emulator:
        # With these, five errors are an incident, and eleven good requests evidence that it is over.
        rates = {"naturalErrorRate": "0.05", "falseAlarmsPerYear": "1000"}
        given = {"callers": json.dumps({"ann": TOKEN}), **rates}
        outputs = deploy(ROOT, AwsProvider(emulator.clients), stack="orders", overrides=given)
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
        expect(page.get_by_role("log")).to_contain_text(text, timeout=PATIENCE)

    expect(page.locator("#connection")).to_contain_text("Live", timeout=PATIENCE)
    circuit = page.locator(".tile").filter(has_text="Circuit")
    expect(circuit).to_contain_text("closed")
    assert page.locator("#problems li").all_inner_texts() == []

    page.get_by_role("button", name="Place order").click()
    expect(page.get_by_role("button", name="1 fulfilled")).to_be_visible(timeout=site.patience)

    site.downstream(Mode.OUTAGE)
    time.sleep(1.5)  # its workers follow within a second
    placed = 1 + place_until(page, "Circuit orders-downstream opened")
    seen("Incident of fulfilment opened")
    expect(page.locator("#incidents")).to_contain_text("fulfilment")

    site.downstream(Mode.HEALTHY)
    seen("Circuit orders-downstream closed")
    waiting = page.locator(".tile").filter(has_text="Waiting").locator(".value")
    expect(waiting).to_have_text("0", timeout=site.patience)
    # What failed before it was mended counts against it: new orders are the evidence that it is well again.
    closed = page.get_by_role("log").filter(has_text="Incident of fulfilment closed")
    for look in range(int(site.patience / LOOK)):
        if look % LOOKS_AN_ORDER == 0:
            placed += place_forty(page)
        site.wake_healer()  # its schedule would do so once a minute
        page.wait_for_timeout(LOOK)
        if closed.is_visible():
            break
    expect(closed).to_be_visible()
    fulfilled = page.get_by_role("button", name=f"{placed} fulfilled")
    expect(fulfilled).to_be_visible(timeout=site.patience)  # one may wait long for its next attempt
    seen(f"No order is on its way any more: {placed} of {placed} fulfilled.")
    expect(page.get_by_text("No dead letter in 7 places.")).to_be_visible()


def place_until(page: Page, text: str) -> int:
    """Place forty orders, and on a busy machine, where too few calls fall into the window, more of them.

    Returns how many were stored by the time that the log has a text.
    """
    placed = place_forty(page)
    while True:
        try:
            expect(page.get_by_role("log")).to_contain_text(text, timeout=PATIENCE / 3)
        except AssertionError:
            if placed == MOST_ORDERS:
                raise
            placed += place_forty(page)
        else:
            return placed


def place_forty(page: Page) -> int:
    """Place forty orders, and return how many that were."""
    page.get_by_role("button", name="Place 40 orders").click()
    expect(page.locator("#place-form [aria-disabled=true]").first).to_be_hidden(timeout=PATIENCE)
    if page.locator("#again").is_visible():  # not every answer came in time
        page.locator("#send-again").click()
    expect(page.locator("#orders")).not_to_contain_text("not sent", timeout=PATIENCE)
    return 40
