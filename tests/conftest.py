"""What every test gets: an environment in which nothing reaches a real account or ~/.aws."""

import gc
import os
from functools import cache
from pathlib import Path

import botocore.loaders
import pytest

# Importing all tests makes a million objects that stay: looking for garbage among them takes a quarter of it.
gc.disable()

os.environ.update(
    {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "PULUMI_ERROR_OUTPUT_STRING": "true",
    }
)
os.environ.pop("AWS_PROFILE", None)
os.environ.pop("AWS_ENDPOINT_URL", None)

# Every new session parses botocore's service models again, which takes longer than most tests.
botocore.loaders.create_loader = cache(botocore.loaders.create_loader)

ROOT = Path(__file__).parent.parent

NO_CLI = "this checkout has no Pulumi CLI"
NO_BROWSER = "this machine has no Chromium"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let whoever must see the real engine and a real browser (.ci/run) demand them."""
    parser.addoption(
        "--engine",
        choices=("optional", "required"),
        default="optional",
        help="whether tests marked `engine` are skipped or refused where make setup got no Pulumi CLI",
    )
    parser.addoption(
        "--browser",
        choices=("optional", "required"),
        default="optional",
        help="whether tests marked `browser` are skipped or refused where there is no Chromium",
    )


def have_cli() -> bool:
    """Whether `make setup` got a Pulumi CLI."""
    from selfheal.sandbox.pulumi.cli import EXECUTABLE

    return EXECUTABLE.exists()


def have_browser() -> bool:
    """Whether there is a Chromium that Playwright can drive."""
    from tests.support.browser import EXECUTABLE

    return EXECUTABLE is not None


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to begin without what is demanded."""
    if config.getoption("--engine") == "required" and not have_cli():
        raise pytest.UsageError(f"{NO_CLI}, and --engine=required demands one: see what `make setup` says.")
    if config.getoption("--browser") == "required" and not have_browser():
        raise pytest.UsageError(f"{NO_BROWSER}, and --browser=required demands one: `make browser` gets it.")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what mostly waits for the clock, then what is long; skip what needs what is not there.

    A file's tests stay on one worker (make test has --dist loadfile): they can share a stack.
    """
    items.sort(key=lambda item: ("e2e" not in item.path.parts, not item.get_closest_marker("engine")))
    for marker, have, why in (("engine", have_cli, NO_CLI), ("browser", have_browser, NO_BROWSER)):
        marked = [item for item in items if item.get_closest_marker(marker)]
        if marked and not have():
            for item in marked:
                item.add_marker(pytest.mark.skip(reason=why))


def pytest_collection_finish() -> None:
    """Spare every later garbage collection the walk over what importing all tests has made."""
    gc.freeze()
    gc.enable()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how much was left out for want of an engine or a browser."""
    reasons = [str(item.longrepr) for item in terminalreporter.stats.get("skipped", [])]
    for what, why, how in (
        ("on the real engine", NO_CLI, "`make setup` says how to get one"),
        ("in a real browser", NO_BROWSER, "`make browser` gets one"),
    ):
        if skipped := sum(why in each for each in reasons):
            terminalreporter.write_line(f"{skipped} tests {what} skipped: {why}; {how}.")
