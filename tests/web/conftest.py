"""A Chromium, and a page in it on a stub of the site that each test has for itself."""

from collections.abc import Generator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.support.browser import launched
from tests.web.stub import TOKEN, Stub, served

expect.set_options(timeout=20_000)  # for machines with other work


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture
def stub() -> Generator[Stub]:
    with served() as stub:
        yield stub


@pytest.fixture
def blank(browser: Browser, stub: Stub) -> Generator[Page]:
    """The page without a token. What its program could not do, or the browser refused it, fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    page = context.new_page()
    wrong: list[str] = []

    def note(message: ConsoleMessage) -> None:
        # Chromium also logs each answer that is an error, which tests ask for.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            wrong.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(stub.url)
    yield page
    context.close()
    assert wrong == []


@pytest.fixture
def page(blank: Page) -> Page:
    """The page with a token."""
    give_token(blank)
    return blank


def give_token(page: Page, token: str = TOKEN) -> None:
    """Paste a token."""
    page.get_by_label("Bearer token").fill(token)
    page.get_by_role("button", name="Use it").click()
