"""The page in a real browser, under the headers of the distribution, on an API that tests command."""

import json
import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any, cast

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.support.processes import until
from tests.web.conftest import give_token
from tests.web.stub import CUT, FILES, INCIDENT, NOT_STORED, TOKEN, Stub, gateway

pytestmark = pytest.mark.browser

MOST_BYTES = 60_000
MOST_REQUESTS = 15

MARKUP = "<img src=x onerror=pwned=1><script>pwned=1</script>"


def look(page: Page) -> None:
    """Have the page look at once, as when the network comes back."""
    page.evaluate("dispatchEvent(new Event('online'))")


def connected(page: Page) -> None:
    """Wait until the page has seen the picture."""
    expect(page.locator("#connection")).to_contain_text("Live")


def place(page: Page, button: str = "Place order") -> None:
    page.get_by_role("button", name=button).click()


def rows(page: Page) -> Locator:
    return page.locator("#orders tbody tr")


def log(page: Page) -> list[str]:
    """Return what happened, the oldest first."""
    return page.get_by_role("log").locator("li > span").all_inner_texts()[::-1]


def circuit(stub: Stub, **changes: object) -> None:
    assert stub.picture
    stub.picture["circuits"][0] |= changes


def incident(stub: Stub, **changes: object) -> None:
    assert stub.picture
    stub.picture["incidents"] = [{**deepcopy(dict(INCIDENT)), **changes}]


class TestPlacing:
    def test_one_order_passes_through_all_stages(self, page: Page, stub: Stub) -> None:
        page.get_by_label("Article").fill("lamp")
        page.get_by_label("Quantity").fill("2")
        page.get_by_label("Price").fill("3,5")
        place(page)
        expect(page.locator("#placed")).to_have_text("1 order stored.")
        [(order_id, body)] = stub.puts
        assert json.loads(body) == {"id": order_id, "article": "lamp", "quantity": 2, "cents": 350}
        row = rows(page)
        expect(row).to_have_count(1)
        expect(row).to_contain_text(re.compile(rf"2 . lamp.*3\.5.*{order_id}"))
        expect(row).to_contain_text("received")
        stub.set(order_id, "accepted")
        look(page)
        expect(row).to_contain_text("accepted")
        work = {"fulfilment": {"attempts": 2, "doneAt": None}, "billing": {"attempts": 1, "doneAt": 1.0}}
        stub.set(order_id, "attempted", work=work)
        look(page)
        expect(row).to_contain_text("fulfilment 2 attempts, billing done")
        stub.set(order_id, "fulfilled")
        look(page)
        expect(row).to_contain_text("fulfilled")
        expect(page.get_by_role("button", name="1 fulfilled")).to_be_visible()
        asked = len(stub.gets)
        look(page)
        until(lambda: len(stub.gets) > asked)
        assert stub.gets[asked:] == ["/status/now"]  # nobody asks again about what is done

    def test_a_dead_order_says_why_and_may_live_again(self, page: Page, stub: Stub) -> None:
        place(page)
        until(lambda: len(stub.orders) == 1)
        [order_id] = stub.orders
        stub.set(order_id, "dead", "fulfilment: there is no article 'unicorn'")
        expect(rows(page)).to_contain_text("fulfilment: there is no article 'unicorn'")
        assert f"Order {order_id} is dead: fulfilment: there is no article 'unicorn'." in log(page)

    def test_forty_orders_are_forty_ids_in_one_table(self, page: Page, stub: Stub) -> None:
        place(page, "Place 40 orders")
        expect(page.locator("#placed")).to_have_text("40 orders stored.")
        assert len({order_id for order_id, _ in stub.puts}) == len(stub.puts) == 40
        expect(rows(page)).to_have_count(8)
        page.get_by_role("button", name="Show all 40").click()
        expect(rows(page)).to_have_count(40)
        [first, *_] = stub.orders
        stub.set_all("attempted")
        stub.set(first, "dead", "billing: refused")
        expect(page.get_by_role("button", name="39 attempted")).to_be_visible()
        page.get_by_role("button", name="1 dead").click()
        expect(rows(page)).to_have_count(1)
        expect(rows(page)).to_contain_text(first)

    def test_an_order_from_elsewhere_can_be_followed(self, page: Page, stub: Stub) -> None:
        stub.orders["A-1"] = {"state": "accepted", "receivedAt": 1.0, "conflicts": 2}
        page.get_by_label("Id of an order").fill("A-1")
        page.get_by_role("button", name="Follow").click()
        expect(rows(page)).to_contain_text("accepted")
        expect(rows(page)).to_contain_text("2 times sent with another body, which changed nothing")

    def test_what_is_not_done_is_never_forgotten(self, page: Page, stub: Stub) -> None:
        old = {"article": "lamp", "quantity": 1, "cents": 1, "reason": "", "placedAt": 1, "seenAt": 0}
        kept = [{"id": f"F-{each}", "stage": "fulfilled", **old} for each in range(299)]
        kept.append({"id": "not-sent", "stage": "unsent", **old})  # the oldest
        page.evaluate("kept => sessionStorage.setItem('selfheal.orders', kept)", json.dumps(kept))
        page.reload()
        place(page)
        expect(page.get_by_role("button", name="298 fulfilled")).to_be_visible()
        page.get_by_role("button", name="Send it again").click()
        until(lambda: len(stub.puts) == 2)
        assert stub.puts[1][0] == "not-sent"

    def test_the_pressed_stage_is_seen_without_colours(self, page: Page, stub: Stub) -> None:
        stub.orders["A-1"] = {"state": "accepted"}
        page.get_by_label("Id of an order").fill("A-1")
        page.get_by_role("button", name="Follow").click()
        page.emulate_media(forced_colors="active")
        chip = page.get_by_role("button", name="1 accepted")
        expect(chip).to_have_css("border-top-width", "1px")
        chip.click()
        expect(chip).to_have_css("border-top-width", "2px")


class TestErrors:
    @pytest.mark.parametrize(
        ("kind", "words"),
        [
            ("BAD_REQUEST_BODY", "refuses this (400). The body is not as the schema says: [quantity"),
            (
                "REQUEST_TOO_LARGE",
                "refuses this (413). The request is too large. Allowed: a body of 3,000 bytes at most",
            ),
        ],
    )
    def test_what_is_refused_is_explained_and_not_kept(
        self, page: Page, stub: Stub, kind: str, words: str
    ) -> None:
        stub.next_puts = [gateway(kind)]
        place(page, "Place 40 orders")
        error = page.locator("#place-error")
        expect(error).to_contain_text(words)
        expect(error).to_contain_text("Nothing was stored.")
        assert len(stub.puts) == 1  # the other 39 would be refused as well
        expect(rows(page)).to_have_count(0)

    @pytest.mark.parametrize("answer", [NOT_STORED, CUT], ids=["502", "cut after it was stored"])
    def test_what_may_not_have_arrived_is_sent_again_with_its_id(
        self, page: Page, stub: Stub, answer: Any
    ) -> None:
        stub.next_puts = [answer]
        place(page)
        expect(page.locator("#place-error")).to_contain_text("Sent again, each has the same id")
        expect(rows(page)).to_contain_text("not sent")
        page.reload()  # an id is not lost with the page
        page.get_by_role("button", name="Send it again").click()
        expect(page.locator("#placed")).to_have_text("1 order stored.")
        first, second = stub.puts
        assert first == second
        assert len(stub.orders) == 1

    def test_the_rest_of_forty_waits_for_a_person(self, page: Page, stub: Stub) -> None:
        stub.next_puts = [*([gateway("DEFAULT_5XX")] * 1)]
        place(page, "Place 40 orders")
        expect(page.locator("#again-text")).to_have_text("40 orders are not sent.")
        assert len(stub.puts) == 1
        page.get_by_role("button", name="Send all 40 again").click()
        expect(page.locator("#placed")).to_have_text("40 orders stored.")
        assert len(stub.orders) == 40
        assert len(stub.puts) == 41

    def test_too_many_requests_are_sent_later_by_itself(self, page: Page, stub: Stub) -> None:
        stub.next_puts = [gateway("THROTTLED")]
        place(page)
        expect(page.locator("#placed")).to_contain_text("Too many requests")
        expect(page.locator("#placed")).to_have_text("1 order stored.")
        first, second = stub.puts
        assert first == second

    def test_a_token_that_expires_is_asked_for_and_nothing_is_lost(self, page: Page, stub: Stub) -> None:
        place(page)
        expect(rows(page)).to_contain_text("received")
        page.get_by_label("Article").focus()
        stub.token = "token-of-tomorrow-" + "y" * 32
        look(page)
        expect(page.get_by_role("alert").filter(has_text="does not take this token (403)")).to_be_visible()
        expect(page.locator("#connection")).to_contain_text("Token not taken: data from")
        expect(page.get_by_label("Article")).to_be_focused()
        asked = len(stub.gets)
        look(page)
        place(page)  # it cannot be sent, and is kept
        expect(page.locator("#again-text")).to_have_text("1 order is not sent.")
        assert len(stub.gets) == asked
        give_token(page, stub.token)
        connected(page)
        page.get_by_role("button", name="Send it again").click()
        expect(page.get_by_role("button", name="2 received")).to_be_visible()

    def test_without_a_token_nothing_is_sent(self, blank: Page, stub: Stub) -> None:
        place(blank)
        expect(blank.locator("#token-error")).to_contain_text("asks for a token (401)")
        assert (stub.puts, stub.gets) == ([], [])

    def test_orders_can_be_placed_where_there_is_no_status_api(self, blank: Page, stub: Stub) -> None:
        stub.picture = None
        give_token(blank)
        expect(blank.get_by_text("This stack has no status API")).to_be_visible()
        expect(blank.locator("#connection")).to_have_text("Connected")
        place(blank)
        expect(rows(blank)).to_contain_text("received")
        expect(blank.get_by_role("heading", name="Circuit breaker")).to_be_hidden()
        assert stub.gets.count("/status/now") == 1

    def test_a_status_api_that_fails_hides_no_order(self, page: Page, stub: Stub) -> None:
        connected(page)
        stub.status_answer = gateway("DEFAULT_5XX")
        place(page)
        expect(rows(page)).to_contain_text("received")
        expect(page.locator("#connection")).to_contain_text("The API failed (500).")
        place(page)  # what is heard of orders does not make the picture younger
        expect(page.locator("#connection")).to_contain_text(re.compile(r"data from [3-9] s ago"))
        expect(page.get_by_role("heading", name="Circuit breaker")).to_be_visible()


class TestConnection:
    def test_it_says_that_it_is_lost_keeps_what_it_has_and_comes_back(self, page: Page, stub: Stub) -> None:
        connected(page)
        page.context.set_offline(True)
        look(page)
        expect(page.locator("#connection")).to_contain_text(
            re.compile(r"Connection lost: data from \d+ s ago, next try in \d+ s")
        )
        look(page)
        expect(page.get_by_role("button", name="Try now")).to_be_visible()
        expect(page.locator(".tile").filter(has_text="Circuit")).to_contain_text("closed")
        circuit(stub, state="open", at_rest=False)
        page.context.set_offline(False)  # and nobody does anything
        expect(page.locator(".tile").filter(has_text="Circuit")).to_contain_text("open")
        connected(page)
        lost, *rest = log(page)
        assert lost.startswith("Connection lost.")
        assert rest == ["Circuit orders-downstream opened. Orders wait.", "Connected again."]

    def test_it_asks_one_thing_at_a_time_and_less_often_while_it_fails(self, page: Page, stub: Stub) -> None:
        place(page, "Place 40 orders")
        expect(page.locator("#placed")).to_have_text("40 orders stored.")
        until(lambda: len(stub.gets) > 20)
        assert stub.most_at_once == 1
        stub.set_all("fulfilled")
        expect(page.get_by_role("button", name="40 fulfilled")).to_be_visible()
        stub.status_answer = gateway("DEFAULT_5XX")
        for _ in range(4):
            asked = len(stub.gets)
            look(page)
            until(lambda asked=asked: len(stub.gets) > asked)
        expect(page.locator("#connection")).to_contain_text("next try in")
        asked = len(stub.gets)
        page.wait_for_timeout(4_000)
        assert len(stub.gets) == asked  # after four failures at least 12 s lie between two looks

    def test_a_hidden_tab_asks_rarely_and_looks_as_soon_as_it_is_seen(self, page: Page, stub: Stub) -> None:
        circuit(stub, at_rest=False)  # so that it looks every two seconds
        connected(page)
        hide = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true});"
        page.evaluate(hide % "true")
        asked = len(stub.gets)
        until(lambda: len(stub.gets) > asked)  # what was due comes
        asked = len(stub.gets)
        page.wait_for_timeout(3_000)
        assert len(stub.gets) == asked
        circuit(stub, state="open")
        page.evaluate(hide % "false" + "document.dispatchEvent(new Event('visibilitychange'))")
        expect(page.locator(".tile").filter(has_text="Circuit")).to_contain_text("open")

    def test_a_frozen_tab_goes_on_when_it_is_thawed(self, page: Page, stub: Stub) -> None:
        connected(page)
        session = page.context.new_cdp_session(page)
        session.send("Page.setWebLifecycleState", {"state": "frozen"})
        circuit(stub, state="open", at_rest=False)
        session.send("Page.setWebLifecycleState", {"state": "active"})
        expect(page.locator(".tile").filter(has_text="Circuit")).to_contain_text("open")


class TestWhatIsTold:
    def test_changes_are_told_once_and_nothing_else(self, page: Page, stub: Stub) -> None:
        connected(page)
        assert stub.picture

        def seen(text: str) -> None:
            look(page)
            expect(page.get_by_role("log")).to_contain_text(text)

        circuit(stub, calls=20, failures=12)
        look(page)
        expect(page.locator(".tile").filter(has_text="Circuit")).to_contain_text("12 of 20 calls failed")
        circuit(stub, state="open", at_rest=False, calls=0, failures=0)
        seen("opened. Orders wait.")
        expect(page).to_have_title("circuit open - Orders")
        stub.picture["targets"][2]["alarms"][0]["state"] = "ALARM"
        incident(stub)
        seen("Incident of billing opened")
        expect(page.locator("#targets tbody th")).to_have_text(["billing", "intake", "fulfilment"])
        expect(page).to_have_title("1 incident, circuit open - Orders")
        circuit(stub, state="half-open")
        seen("half-open")
        circuit(stub, state="closed")
        seen("closed: slow start")
        circuit(stub, at_rest=True)
        stub.picture["targets"][2]["alarms"][0]["state"] = "OK"
        incident(stub, status="RECOVERED", reason="recovered-by-evidence", open=False)
        seen("at rest")
        stub.picture["dead_letters"][2]["letters"] = 2
        seen("2 new dead letters of fulfilment.")
        asked = len(stub.gets)
        for more in range(1, 4):
            look(page)
            until(lambda more=more: len(stub.gets) >= asked + more)
        assert sorted(log(page)) == sorted(
            [
                "Circuit orders-downstream opened. Orders wait.",
                "Incident of billing opened: collecting evidence.",
                "Alarm of billing fires: healer-billing-fast-1a2b3c4.",
                "Circuit orders-downstream is half-open: one probe at a time decides.",
                "Circuit orders-downstream closed: slow start, the backlog drains.",
                "Circuit orders-downstream is at rest: consumers run at full concurrency.",
                "Incident of billing closed, recovered: recovered by evidence.",
                "Alarm of billing is over: healer-billing-fast-1a2b3c4.",
                "2 new dead letters of fulfilment.",
            ]
        )
        live = page.locator("[aria-live], [role=log], [role=status], [role=alert]")
        assert live.count() == 4  # what changes at each look is in none of them
        assert page.locator("[role=log] #connection, [role=log] .tiles, [role=status] *").count() == 0

    def test_an_incident_shows_its_timeline(self, page: Page, stub: Stub) -> None:
        incident(stub)
        look(page)
        expect(page.locator("#incidents details")).to_have_attribute("open", "")
        lines = page.get_by_role("list", name="Timeline").get_by_role("listitem")
        expect(lines).to_have_count(2)
        expect(lines.first).to_contain_text("open → acting")
        expect(lines.first).to_contain_text("alarm confirmed by metrics")
        expect(page.locator("#incidents")).to_contain_text("rollback_alias:live 8 → 7")

    def test_a_long_timeline_shows_its_last_steps_with_their_times(self, page: Page, stub: Stub) -> None:
        steps = [{**INCIDENT["history"][0], "at": f"2026-11-21T03:1{each}:00.000Z"} for each in range(4)]
        incident(stub, steps=3, history=steps[:3])
        look(page)
        lines = page.get_by_role("list", name="Timeline").get_by_role("listitem")
        expect(lines).to_have_count(3)
        incident(stub, steps=40, history=steps[1:])
        look(page)
        expect(page.locator("#incidents")).to_contain_text("Earlier37 steps")
        expect(lines.locator("time").last).to_have_attribute("datetime", steps[3]["at"])
        expect(lines).to_have_count(3)

    def test_what_cannot_be_read_is_said(self, page: Page, stub: Stub) -> None:
        assert stub.picture
        stub.picture |= {"budget": None, "problems": ["could not read the queue billing: AccessDenied"]}
        stub.picture["stack"] = {"mode": None, "baseline": None}
        stub.picture["dead_letters"][0]["letters"] = None
        stub.picture["targets"][0]["alarms"][0] |= {"state": None, "since": None, "reason": None}
        look(page)
        expect(page.get_by_text("could not read the queue billing: AccessDenied")).to_be_visible()
        expect(page.locator("#mode")).to_have_text("healer: mode unknown")
        expect(page.locator("#letters tbody")).to_have_text("intakeunknown")
        expect(page.locator("#targets tbody tr").first).to_contain_text("unknown")
        expect(page.locator(".tile").filter(has_text="Dead letters")).to_contain_text("not all could be")

    def test_what_is_unknown_is_never_shown_as_well(self, page: Page, stub: Stub) -> None:
        assert stub.picture
        connected(page)
        expect(page.locator(".tile[data-tone=good]")).to_have_count(4)
        expect(page.locator("#no-incidents")).to_have_text("None in the ledger.")
        stub.picture |= {"circuits": [], "problems": ["could not read the circuit bank", "could not read"]}
        look(page)
        expect(page.locator(".tile").filter(has_text="Not readable")).to_contain_text("2")
        expect(page.locator(".tile[data-tone=good]")).to_have_count(0)
        for what in ("incidents", "circuits"):
            expect(page.locator(f"#no-{what}")).to_have_text("None, as far as could be read.")

    def test_ages_are_those_of_the_picture_whatever_the_clock_here(self, page: Page, stub: Stub) -> None:
        incident(stub)
        circuit(
            stub, state="open", since="2026-11-18T03:12:00.000Z", next_probe_at="2026-11-21T03:12:52.000Z"
        )
        look(page)
        expect(page.locator("#incidents summary")).to_contain_text("open for 3 min")
        expect(page.locator("#circuits")).to_contain_text("Since3 days ago")
        expect(page.locator("#circuits")).to_contain_text("Next probein 7 s")

    def test_the_chart_is_shaded_while_the_circuit_is_not_closed(self, blank: Page, stub: Stub) -> None:
        assert stub.picture
        stub.picture["queues"][0]["waiting"] = 7  # before it looks for the first time
        page = blank
        give_token(page)
        connected(page)
        look(page)
        expect(page.locator("#trend figcaption")).to_contain_text("most 7 waiting")
        expect(page.locator("#trend .line")).to_have_attribute("d", re.compile(r"M[\d.]+,4\.0L"))
        expect(page.locator("#trend .broken")).to_have_attribute("d", "")
        circuit(stub, state="open", at_rest=False)
        for _ in range(2):
            look(page)
            expect(page.locator(".tile").filter(has_text="Circuit")).to_contain_text("open")
        expect(page.locator("#trend .broken")).to_have_attribute("d", re.compile(r"M.+V72H.+Z"))
        expect(page.locator("#trend figcaption")).to_contain_text("shaded: circuit not closed")

    def test_a_mode_that_somebody_changed_is_said(self, page: Page, stub: Stub) -> None:
        assert stub.picture
        connected(page)
        expect(page.locator("#mode")).to_have_text("healer: act")
        stub.picture["stack"] = {"mode": "observe", "baseline": "act"}
        look(page)
        expect(page.locator("#mode")).to_have_text("healer: observe, deployed: act")

    def test_a_tile_leads_to_its_part(self, page: Page, stub: Stub) -> None:
        incident(stub)
        page.set_viewport_size({"width": 390, "height": 600})
        connected(page)
        expect(page.get_by_role("heading", name="Incidents")).not_to_be_in_viewport()
        page.get_by_role("link", name="Incidents").click()
        expect(page.get_by_role("heading", name="Incidents")).to_be_in_viewport()


def test_data_is_never_taken_for_html(page: Page, stub: Stub) -> None:
    def poisoned(value: object) -> object:
        if isinstance(value, str):
            return value if value.startswith("2026-") else value + MARKUP
        if isinstance(value, dict):
            return {key: poisoned(each) for key, each in value.items()}
        return [poisoned(each) for each in value] if isinstance(value, list) else value

    assert stub.picture
    circuit(stub, forced={"state": "open", "by": "ann", "why": "why", "until": "2026-11-21T03:12:52.000Z"})
    incident(stub, drift=True)
    stub.picture["problems"] = ["could not"]
    stub.picture["dead_letters"][0]["letters"] = 1
    stub.picture["targets"][0]["alarms"][0]["state"] = "ALARM"
    stub.picture = cast("dict[str, Any]", poisoned(stub.picture))
    page.get_by_label("Article").fill(MARKUP[:60])
    place(page)
    until(lambda: len(stub.orders) == 1)
    [order_id] = stub.orders
    stub.set(order_id, "dead", f"fulfilment: {MARKUP}", {MARKUP: {"attempts": 1}})
    expect(rows(page)).to_contain_text(f"fulfilment: {MARKUP}")
    look(page)
    for place_ in (
        "#circuits",
        "#incidents",
        "#queues",
        "#letters",
        "#targets",
        "#problems",
        ".log",
        "#mode",
    ):
        expect(page.locator(place_)).to_contain_text(MARKUP)
    assert page.locator("img").count() == 1  # the page's own sign
    assert page.locator("script").count() == 1
    assert page.evaluate("typeof pwned") == "undefined"


def test_the_token_is_kept_in_the_tab_only(page: Page, stub: Stub) -> None:
    connected(page)
    assert page.evaluate("localStorage.length") == 0
    assert page.context.cookies() == []
    assert TOKEN in page.evaluate("JSON.stringify(sessionStorage)")
    assert TOKEN not in page.content()
    page.reload()
    connected(page)
    change = page.get_by_role("button", name="Change token")
    for shown in ("true", "false", "true"):
        change.click()
        expect(change).to_have_attribute("aria-expanded", shown)
    page.get_by_role("button", name="Forget it").click()
    expect(page.locator("#connection")).to_contain_text("No token: data from")
    expect(page.locator("body")).to_have_class("stale")  # what is still shown gets old
    assert TOKEN not in page.evaluate("JSON.stringify(sessionStorage)")
    asked = len(stub.gets)
    look(page)
    page.wait_for_timeout(300)
    assert len(stub.gets) == asked


def test_everything_can_be_done_by_keyboard(blank: Page, stub: Stub) -> None:
    incident(stub, open=False)

    def tab_to(name: str) -> None:
        for _ in range(30):
            blank.keyboard.press("Tab")
            focused: Callable[[str], Any] = lambda what: blank.evaluate(f"document.activeElement.{what}")  # noqa: E731
            if name in (focused("id"), focused("textContent").strip(), focused("localName")):
                style = blank.evaluate("getComputedStyle(document.activeElement).outlineStyle")
                assert style == "solid", f"the focus on {name} is not seen"
                return
        raise AssertionError(f"Tab never comes to {name}")

    tab_to("Skip to the orders")
    tab_to("token")
    blank.keyboard.insert_text(TOKEN)
    blank.keyboard.press("Enter")
    connected(blank)
    tab_to("article")
    blank.keyboard.press("Control+a")
    blank.keyboard.insert_text("chair")
    tab_to("Place order")
    blank.keyboard.press("Space")
    expect(rows(blank)).to_contain_text("chair")
    tab_to("1received")
    blank.keyboard.press("Space")
    expect(blank.get_by_role("button", name="1 received")).to_have_attribute("aria-pressed", "true")
    tab_to("summary")
    blank.keyboard.press("Enter")
    expect(blank.get_by_role("list", name="Timeline")).to_be_visible()


def test_axe_finds_nothing_in_both_schemes_and_both_widths(page: Page, stub: Stub) -> None:
    assert stub.picture
    connected(page)
    incident(stub, drift=True)
    circuit(stub, state="open", at_rest=False, next_probe_at="2099-11-21T03:12:52.000Z")
    stub.picture["queues"][1] |= {"name": "q" * 80, "waiting": 12_345_678}
    stub.picture["dead_letters"][0] |= {"name": "d" * 80, "letters": 1_234_567}
    stub.picture["problems"] = ["could not read the dead letters bus: AccessDenied"]
    stub.picture["targets"][0]["alarms"][0] |= {"state": "ALARM", "reason": "Threshold Crossed: " + "x" * 60}
    for number, state in enumerate(("dead", "fulfilled", "attempted", "accepted"), 1):
        place(page)
        until(lambda number=number: len(stub.orders) == number)
        reason = "fulfilment: there is no such article" if state == "dead" else ""
        stub.set([*stub.orders][-1], state, reason)
        expect(page.get_by_role("button", name=f"1 {state}")).to_be_visible()
    stub.next_puts = [NOT_STORED]
    place(page)
    expect(page.locator("#again")).to_be_visible()
    page.get_by_role("button", name="Change token").click()
    axe = Axe()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for width in (1280, 390, 320):
            page.set_viewport_size({"width": width, "height": 800})
            found = axe.run(page)
            assert found.violations_count == 0, f"{scheme}, {width} px: {found.generate_report()}"
            assert page.evaluate("document.documentElement.scrollWidth") == width
    page.context.set_offline(True)
    look(page)
    expect(page.locator("#connection")).to_contain_text("Connection lost")
    assert axe.run(page).violations_count == 0
    page.context.set_offline(False)
    dot = "getComputedStyle(document.querySelector('.dot')).animationName"
    look(page)
    connected(page)
    assert page.evaluate(dot) == "none"
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(dot) == "beat"


def test_it_is_small_and_asks_nobody_else(blank: Page, stub: Stub) -> None:
    size = sum(path.stat().st_size for path in FILES.values())
    assert size < MOST_BYTES
    addresses: list[str] = []
    blank.on("request", lambda request: addresses.append(request.url))
    stub.files.clear()
    blank.reload()
    give_token(blank)
    connected(blank)
    assert len(stub.files) <= MOST_REQUESTS
    assert all(address.startswith(f"{stub.url}/") for address in addresses)
    assert {f"/{name}" for name in FILES} - {"/index.html"} >= set(stub.files) - {"/"}
