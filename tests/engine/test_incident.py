"""What `preview`, `up` and `destroy` do while the healer's remedy stands."""

from tests.engine.live import BASELINE, REMEDY, close, everything, rate, stand
from tests.support.stacks import FAILED, Stack

OPEN = "an incident is open on fragile"


def test_preview_warns_and_up_is_refused_with_nothing_changed(dev: Stack) -> None:
    stand(dev)
    before = everything(dev)
    told = dev.preview()
    assert OPEN in told
    assert "`up` will be refused" in told

    for preview in ((), ("--skip-preview",)):
        told = dev.run("up", *preview, code=FAILED)
        assert f"error: {OPEN}" in told, told
        assert "pulumi config set restoreBaseline true" in told
        assert "Traceback" not in told
        assert rate(dev) == REMEDY
    assert everything(dev) == before


def test_restore_baseline_lets_up_through(dev: Stack) -> None:
    dev.configure(restoreBaseline="true")
    told = dev.up()
    dev.configure(restoreBaseline=None)
    assert OPEN in told
    assert "restoreBaseline is true: `up` goes on" in told
    assert rate(dev) == BASELINE


def test_once_it_is_closed_up_restores_the_baseline_and_nothing_else(dev: Stack) -> None:
    stand(dev)
    close(dev)
    assert "~ 1 updated" in dev.up()
    assert rate(dev) == BASELINE


def test_destroy_goes_on_in_an_incident(dev: Stack) -> None:
    """It runs no program, so nothing can refuse it: `selfheal incidents` is to be looked at before."""
    stand(dev)
    dev.run("destroy")
    assert not any(everything(dev).values()), everything(dev)
