"""The healer uses the ledger's clock, whatever the clock of its machine says."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal.functions.healer import clock, ledger
from selfheal.functions.healer.clock import TOLERANCE, Clock, parse_iso, set_by
from selfheal.functions.healer.states import Reason, Status
from tests.functions.support.handler import Healer

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
DATE = "Sat, 21 Nov 2026 12:00:00 GMT"
SCHEDULE = {"wake": "schedule"}


@given(
    ahead=st.floats(-900, 900),
    fraction=st.floats(0, 0.999),
    there=st.floats(0, 4),
    back=st.floats(0, 4),
)
def test_what_remains_of_a_wrong_clock_is_less_than_a_lease_allows(
    ahead: float, fraction: float, there: float, back: float
) -> None:
    """Whatever the way there and back take, up to the healer's own timeouts."""
    local = NOON + timedelta(seconds=fraction + ahead)
    found = set_by(DATE, local - timedelta(seconds=there), local + timedelta(seconds=back))
    remains = abs(timedelta(seconds=ahead) - found.ahead)
    assert remains <= TOLERANCE + timedelta(seconds=0.5 + there + back)


def test_a_right_clock_is_left_alone() -> None:
    assert set_by(DATE, NOON, NOON + timedelta(milliseconds=40)) == Clock()
    assert set_by(DATE, NOON + timedelta(seconds=1.9), NOON + timedelta(seconds=1.95)) == Clock()


def test_an_answer_without_a_date_leaves_nothing_to_decide_by() -> None:
    with pytest.raises(ValueError, match="date"):
        set_by("yesterday", NOON, NOON)


def off_by(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    """Set the machine's clock wrong."""

    class Wrong(datetime):
        @classmethod
        def now(cls, tz: object = None) -> "datetime":  # type: ignore[override]
            del tz
            return datetime.now(UTC) + timedelta(seconds=seconds)

    monkeypatch.setattr(clock, "datetime", Wrong)
    monkeypatch.setattr(ledger, "datetime", Wrong)


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_with_a_wrong_clock_it_acts_as_with_a_right_one(
    healer: Healer, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    healer.break_down()
    off_by(monkeypatch, seconds)
    assert healer.handle()["decisions"] == {"shop": Reason.ALARM_CONFIRMED}
    assert healer.incident.status is Status.VERIFYING
    assert abs(parse_iso(healer.incident.opened_at) - datetime.now(UTC)) < timedelta(seconds=10)


@pytest.mark.parametrize("seconds", [-300, 300])
def test_a_healer_with_a_wrong_clock_respects_the_lease_of_another(
    healer: Healer, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    """It runs in the middle of the other's act, whose alarm looks stale or unheard of by its own clock."""
    healer.break_down()
    answers: list[dict[str, str]] = []

    def overtake() -> None:
        healer.function.before = lambda: None
        with monkeypatch.context() as patch:
            off_by(patch, seconds)
            answers.append(healer.handle()["decisions"])

    healer.function.before = overtake
    healer.handle()
    assert answers == [{"shop": Reason.BUSY}]
    assert (healer.incident.status, len(healer.function.updates)) == (Status.VERIFYING, 1)


def test_without_the_time_it_does_nothing(healer: Healer, monkeypatch: pytest.MonkeyPatch) -> None:
    healer.break_down()
    monkeypatch.setattr(ledger, "set_by", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        healer.handle()
    assert healer.function.updates == []
