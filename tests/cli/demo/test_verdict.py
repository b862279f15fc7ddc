"""When the demonstration counts as shown, and every way in which it does not."""

from dataclasses import replace
from typing import Any

import pytest

from selfheal.cli.demo.model import AlarmChange, BaselineRestore, Rates, Sample
from selfheal.cli.demo.verdict import failures
from selfheal.functions.healer.incident_fields import Evidence
from selfheal.functions.healer.states import Reason, Status
from tests.cli.recordings import incident, recording, samples

OPEN = incident(status=Status.VERIFYING, reason=Reason.COLLECTING_EVIDENCE, closed_at=None)
RANG = AlarmChange("fragile-fast", "ALARM", 20.0, "")


def test_a_healed_and_restored_run_is_shown() -> None:
    assert failures(recording()) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"samples": (Sample(30.0, 30.1, 200),)}, "nothing to heal"),
        ({"alarm_changes": ()}, "no alarm of the stack went to ALARM"),
        ({"incident": None}, "the ledger holds no incident"),
        ({"incident": replace(OPEN, status=Status.PROPOSED, acted_at=None)}, "the healer did not act"),
        (
            {"incident": OPEN},
            "not shown by evidence: the incident is VERIFYING (collecting-evidence)",
        ),
        ({"incident": incident(status=Status.ESCALATED)}, "the incident is ESCALATED"),
        (
            {"incident": incident(evidence=Evidence("", 0, 0, "healthy"))},
            "holds no evidence",
        ),
        ({"incident": incident(evidence=None)}, "holds no evidence"),
        (
            {"incident": incident(evidence=Evidence("", 9, 0, "undecided"))},
            "its evidence is undecided",
        ),
        ({"alarm_changes": (RANG,)}, "before its alarm was back to OK"),
        (
            {"alarm_changes": (RANG, AlarmChange("fragile-fast", "OK", 44.0, ""))},
            "before its alarm was back to OK",
        ),
        ({"samples": (*samples(), Sample(40.0, 40.5, 502))}, "errors continued after the act: 1 of 221"),
        ({"samples": samples()[:200]}, "nothing shows that errors stopped"),
        ({"rates": Rates("0.3", "0.3", healed="0.3", restored="0.3")}, "the plan says 0"),
        ({"rates": Rates("0.3", "0.3", healed="0", restored="0")}, "the baseline was not restored"),
        ({"restore": None}, "was not reached"),
        ({"stopped_because": "the second up failed: refused"}, "the second up failed: refused"),
    ],
)
def test_what_was_not_seen_did_not_happen(changes: dict[str, Any], words: str) -> None:
    found = failures(recording(**changes))
    assert any(words in reason for reason in found), found


def test_errors_while_the_change_settles_are_no_failure() -> None:
    in_flight = Sample(21.9, 22.5, 502)
    assert failures(recording(samples=(*samples(), in_flight))) == []


def test_errors_since_the_second_up_began_are_expected() -> None:
    made = recording(restore=BaselineRestore(45.0, 48.5, {"update": 1}))
    assert any(sample.failed and sample.sent > 45.0 for sample in made.samples)
    assert failures(made) == []
