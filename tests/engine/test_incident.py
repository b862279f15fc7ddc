"""What `preview`, `up` and `destroy` do while the healer's remedy stands."""

from collections.abc import Generator

import pytest

from tests.engine.live import BASELINE, REMEDY, close, everything, rate, stand
from tests.engine.stack import FAILED, Stack

OPEN = "an incident is open on fragile"


@pytest.fixture
def standing(dev: Stack) -> Generator[Stack]:
    """The deployed stack in the middle of an incident; closed and at its baseline afterwards."""
    stand(dev)
    yield dev
    close(dev)
    dev.up()


def test_preview_warns_and_up_is_refused_with_nothing_changed(standing: Stack) -> None:
    before = everything(standing)
    told = standing.preview()
    assert OPEN in told
    assert "`up` will be refused" in told

    for preview in ((), ("--skip-preview",)):
        told = standing.run("up", *preview, code=FAILED)
        assert OPEN in told
        assert "pulumi config set restoreBaseline true" in told
        assert rate(standing) == REMEDY
    assert everything(standing) == before


def test_restore_baseline_lets_up_through(standing: Stack) -> None:
    standing.configure(restoreBaseline="true")
    told = standing.up()
    standing.configure(restoreBaseline=None)
    assert f"{OPEN}: " in told
    assert "restoreBaseline is true: `up` goes on" in told
    assert rate(standing) == BASELINE


def test_once_it_is_closed_up_restores_the_baseline(standing: Stack) -> None:
    close(standing)
    standing.up()
    assert rate(standing) == BASELINE


def test_a_refresh_alone_records_the_remedy_and_leaves_it(standing: Stack) -> None:
    standing.run("refresh")
    assert rate(standing) == REMEDY


def test_destroy_goes_on_in_an_incident(cloud_of_its_own: Stack) -> None:
    """It runs no program, so nothing can refuse it: `selfheal incidents` is to be looked at before."""
    stack = cloud_of_its_own
    stand(stack)
    stack.run("destroy")
    assert [name for name in everything(stack)["tables"] if "brief" in name] == []


@pytest.fixture
def cloud_of_its_own(dev: Stack) -> Stack:
    """Another stack in the same account, which a test may destroy."""
    other = dev.account.stack("brief")
    other.up()
    return other
