"""The reports of a run: all that a reader must know, and nothing from outside unescaped."""

import json
import xml.etree.ElementTree as ET

import pytest

from selfheal.cli.chaos.html_report import html_report
from selfheal.cli.chaos.json_report import json_report
from selfheal.cli.chaos.progress import line
from selfheal.cli.chaos.recording import Phase, Recording
from selfheal.cli.chaos.timeline import backlog, timeline
from selfheal.scenarios.measures import MEASURES
from selfheal.scenarios.scenario import Bound
from tests.cli.chaos.support import OPEN, by_key, incident, look, order, put, recording, replace, scenario

EVIL = "<script>alert(1)</script>"
STORY = replace(
    scenario(Bound("accepted_share", at_least=1, why=EVIL), Bound("lost_orders", at_most=0, why="never")),
    story=EVIL,
    title=f"A title {EVIL}",
)


def broken() -> Recording:
    return recording(
        scenario=STORY,
        puts=(*(put(n, n / 3) for n in range(29)), put(29, 12, 500)),
        orders=by_key(*(order(n, done=36.5) for n in range(20)), order(20, dead=20)),
        looks=(
            look(0),
            look(11, OPEN, letters=2),
            look(35, OPEN, letters=2),
            look(38, letters=2, incidents=(incident(is_open=False),)),
        ),
        notes=(EVIL,),
    )


def test_the_html_is_well_formed_and_carries_no_code() -> None:
    for made in (broken(), recording(), recording(fault_began=None, not_started="no", looks=(), puts=())):
        text = html_report(made)
        ET.fromstring(text.removeprefix("<!DOCTYPE html>\n"))
        assert "<script" not in text
        assert "http://" not in text.replace("http://www.w3.org", "")


def test_the_html_says_what_was_expected_seen_and_done() -> None:
    text = html_report(broken())
    for part in (
        "✗ fails",
        "accepted_share at least 1",
        "0.9667",
        "lost_orders at most 0",
        "by nothing",
        "downstream: outage",
        "arn:aws:iam::123456789012:user/ann",
        "circuit opened",
        "circuit at rest",
        "first letter",
        "order refused",
    ):
        assert part in text
    assert "✓ holds" in html_report(recording())
    assert all(name in text for name in MEASURES)


def test_the_json_has_the_same() -> None:
    found = json.loads(json.dumps(json_report(broken())))
    assert found["verdict"] == "fails"
    assert found["why"] == (
        "Seen otherwise: accepted_share at least 1, seen 0.9667; lost_orders at most 0, seen 8."
    )
    assert [(each["bound"], each["answer"]) for each in found["hypothesis"]] == [
        ("accepted_share at least 1", "fails"),
        ("lost_orders at most 0", "fails"),
    ]
    assert found["measures"]["openings"] == 1
    assert found["orders"]["accepted"] == 29
    assert found["how"] == "by nothing"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, "All 1 expectations of the hypothesis hold."),
        ({"stopped": "an alarm"}, "Ended early: an alarm."),
        ({"fault_began": None, "not_started": "it is not well"}, "Nothing was broken: it is not well."),
        (
            {"puts": (put(0, 1),)},
            (
                "Not known: accepted_share at least 1, seen nothing "
                "(1 orders were sent, at least 20 are needed)."
            ),
        ),
    ],
)
def test_the_reason_of_a_verdict(changes: dict[str, object], why: str) -> None:
    assert json_report(recording(**changes))["why"] == why


def test_the_moments_are_in_order_and_a_probe_is_none() -> None:
    half = replace(OPEN, state="half-open")
    made = recording(looks=(look(0), look(12, OPEN), look(20, half), look(25, OPEN), look(38)))
    assert [(round(each.seconds, 1), each.title) for each in timeline(made)] == [
        (10.0, "fault made"),
        (10.7, "all settled"),
        (12, "circuit opened"),
        (30.0, "fault ended"),
        (38, "circuit at rest"),
    ]


def test_the_orders_that_wait_are_counted_by_the_second() -> None:
    made = recording(puts=(put(0, 0.5), put(1, 1.5)), orders=by_key(order(0, done=2.5)), ended=3)
    assert backlog(made) == [(0.0, 0), (1.0, 1), (2.0, 2), (3.0, 1), (4.0, 1)]


def test_the_line_of_progress() -> None:
    assert line(Phase.FAULT, recording(looks=(look(0), look(12, OPEN, letters=3)), ended=12.0)) == (
        "  12 s  fault: 30 sent, 30 accepted, 0 waiting, 3 new letters, orders-downstream open"
    )
