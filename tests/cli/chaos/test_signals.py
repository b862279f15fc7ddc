"""Signals of a run: the first is raised where it does no harm, and no other disturbs."""

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from selfheal.cli.chaos.signals import ENDS, Signals
from selfheal.cli.errors import Terminated


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in ENDS}
    yield
    assert {number: signal.getsignal(number) for number in ENDS} == before


@pytest.mark.parametrize(
    ("number", "error"),
    [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated), (signal.SIGHUP, Terminated)],
)
def test_the_first_signal_is_raised_and_no_other(
    number: int, error: type[KeyboardInterrupt], capfd: pytest.CaptureFixture[str]
) -> None:
    signals, done = Signals(), list[str]()

    def work() -> None:
        try:
            signal.raise_signal(number)
            done.append("went on")
        finally:
            # In an instant, before anything else: whoever presses twice.
            signal.raise_signal(number)
            signal.raise_signal(signal.SIGTERM)
            done.append("undone")

    with signals.handled(), pytest.raises(error) as caught:
        work()
    assert type(caught.value) is error
    assert done == ["undone"]
    assert capfd.readouterr().err == "The fault is being undone; that is waited for.\n" * 2


def test_a_signal_waits_until_what_must_not_be_disturbed_is_done() -> None:
    signals, done = Signals(), list[str]()

    def undo() -> None:
        with signals.held():
            signal.raise_signal(signal.SIGINT)
            done.append("undone")
        done.append("went on")

    with signals.handled():
        with pytest.raises(KeyboardInterrupt):
            undo()
        with signals.held():  # it was raised already
            done.append("ended")
    assert done == ["undone", "ended"]


def test_one_that_waits_is_not_lost_where_something_else_fails() -> None:
    signals = Signals()

    def fail() -> None:
        with signals.held():
            signal.raise_signal(signal.SIGTERM)
            raise OSError(28, "No space left on device")

    with signals.handled():
        with pytest.raises(OSError, match="No space"):
            fail()
        with pytest.raises(Terminated), signals.held():
            pass


def test_what_is_ignored_stays_ignored() -> None:
    """By nohup a run outlives its terminal."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Signals().handled():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_closed_standard_error_disturbs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(*_: object) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "write", closed)
    signals = Signals()
    with signals.handled(), pytest.raises(KeyboardInterrupt), signals.held():
        signal.raise_signal(signal.SIGINT)


def test_on_another_thread_nothing_is_handled() -> None:
    seen: list[object] = []

    def work() -> None:
        with Signals().handled():
            seen.append(signal.getsignal(signal.SIGHUP))

    before = signal.getsignal(signal.SIGHUP)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
