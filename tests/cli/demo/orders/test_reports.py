"""The reports of the orders demonstration: complete, well-formed, self-contained, and from the recording."""

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import Any

import pytest

from selfheal.cli.demo.model import AlarmChange
from selfheal.cli.demo.orders.chart import bands_of, chart
from selfheal.cli.demo.orders.html_report import html_report
from selfheal.cli.demo.orders.json_report import json_report
from selfheal.cli.demo.orders.live_view import live_view
from selfheal.cli.demo.orders.model import Fate, Outage
from selfheal.cli.demo.orders.timeline import Backlog, drained, timeline
from selfheal.functions.healer.incident_fields import Transition
from selfheal.functions.healer.states import Status
from selfheal.functions.orders.order import State
from tests.cli.orders_recordings import ACT, END, MENDED, OPENED, OUT, RESTED, fates, incident, recording

NAMESPACE = {"": "http://www.w3.org/1999/xhtml", "svg": "http://www.w3.org/2000/svg"}

EMPTY = recording(
    samples=(), fates=(), calls=(), effects=0, alarm_changes=(), circuit=(), incidents=(), outage=None,
    bad=None, bad_at=None, alias_at_end=None, letters={}, ended=0.0, stopped_because="not within 10 s: x",
)  # fmt: skip


def parsed(page: str) -> ET.Element:
    return ET.fromstring(page.removeprefix("<!DOCTYPE html>\n"))


def texts(page: str) -> str:
    return " ".join(" ".join(parsed(page).itertext()).split())


@pytest.mark.parametrize("made", [recording(), EMPTY], ids=["whole", "empty"])
def test_it_is_one_well_formed_file_that_loads_nothing(made: Any) -> None:
    page = html_report(made)
    parsed(page)
    assert "<script" not in page
    assert "@import" not in page
    assert not re.search(r"""(?:src|href)=|url\(""", page)


def test_the_title_is_the_verdict() -> None:
    assert "416 orders through an outage and a bad deployment: none lost" in texts(html_report(recording()))
    lost = texts(html_report(recording(fates=fates()[:-1])))
    assert "It was not shown that no order is lost" in lost
    assert "Why it does not count" in lost
    assert "✗ not shown" in lost


def test_what_comes_from_outside_is_escaped() -> None:
    bad = incident(history=(Transition("2026-11-21T09:40:20.000Z", "OPEN", "ACTING", "<b>&"),))
    assert "&lt;b&gt;&amp;" in html_report(recording(incidents=(bad,)))


def test_the_timeline_tells_the_story_in_its_order() -> None:
    assert [(moment.title, moment.seconds) for moment in timeline(recording())] == [
        ("deployed", -6.0),
        ("downstream out", OUT),
        ("circuit opens", OPENED),
        ("bad version deployed", 8.5),
        ("downstream mended", MENDED),
        ("alarm", ACT - 1),
        ("rolled back", ACT),
        ("circuit at rest", RESTED),
        ("backlog drained", pytest.approx(RESTED + (15.77 - OUT) / 2)),
        ("recovered by evidence", END - 8),
    ]
    assert timeline(recording())[2].detail == "after 20 calls that failed"


def test_a_backlog_is_drained_once_the_last_order_of_the_outage_is_fulfilled() -> None:
    waiting = tuple(
        replace(fate, fulfilled=None, state=State.ATTEMPTED) if fate.id == "demo-00040" else fate
        for fate in fates()
    )
    assert drained(recording(fates=waiting)) is None
    assert drained(recording(outage=Outage(OUT))) is None


def test_orders_wait_from_their_answer_until_all_their_work_is_done() -> None:
    backlog = Backlog.of(recording())
    assert backlog.at(4.0) == 2
    assert backlog.at(RESTED) == backlog.most == pytest.approx(4 * (RESTED - OUT), abs=2)
    assert backlog.at(END) == 0


def test_bands_show_the_circuit_what_rang_and_what_the_healer_worked_on() -> None:
    left = incident(
        id="fulfilment-1", target="fulfilment", status=Status.OPEN, acted_at=None, acts=0,
        history=(Transition("2026-11-21T09:40:12.000Z", "", "OPEN", "target-busy"),),
    )  # fmt: skip
    other = AlarmChange("healer-fulfilment-fast-1a2b3c4", "ALARM", 10.0, "")
    made = recording(incidents=(left, incident()), alarm_changes=(other, *recording().alarm_changes))
    bands = {
        title: [(each.start, each.end, each.label) for each in row] for title, row in bands_of(made).items()
    }
    assert bands == {
        "circuit": [
            (OPENED, OPENED + 5, "open"),
            (OPENED + 5, OPENED + 6, "half-open"),
            (OPENED + 6, MENDED + 4, "open"),
            (MENDED + 4, RESTED, "slow start"),
        ],
        "alarm fulfilment-fast": [(10.0, END, "ALARM")],
        "alarm intake-fast": [(ACT - 1, ACT + 15, "ALARM")],
        "incident intake": [
            (pytest.approx(ACT - 0.2), ACT, "acting: alarm-confirmed-by-metrics"),
            (ACT, END - 8, "verifying: applied"),
        ],
        "incident fulfilment": [(12.0, END, "open: target-busy")],
    }


@pytest.mark.parametrize("width", [960.0, 380.0])
@pytest.mark.parametrize("made", [recording(), EMPTY], ids=["whole", "empty"])
def test_everything_is_drawn_within_the_picture(made: Any, width: float) -> None:
    picture = ET.fromstring(chart(made, width=width, name="x"))
    tall = float(picture.attrib["viewBox"].split()[3])
    for each in picture.iter("{http://www.w3.org/2000/svg}rect"):
        x, y, wide, high = (float(each.attrib[name]) for name in ("x", "y", "width", "height"))
        assert 0 <= x <= x + wide <= width + 0.1
        assert 0 <= y <= y + high <= tall + 0.1


def test_the_chart_says_in_words_what_it_shows() -> None:
    description = ET.fromstring(chart(recording(), width=960.0, name="x")).find("svg:desc", NAMESPACE)
    assert description is not None
    assert "rolled back at 18.5 s" in str(description.text)
    assert "circuit: open from 8 to 12 s" in str(description.text)


def test_the_document_for_scripts_has_the_same_verdict_and_the_figures() -> None:
    document = json.loads(json.dumps(json_report(recording())))
    assert document["ok"] is True
    assert all(claim["holds"] for claim in document["claims"])
    assert document["figures"] == {
        "orders_stored": 416,
        "orders_fulfilled": 416,
        "most_waiting": Backlog.of(recording()).most,
        "bad_version_to_rollback_seconds": 10.0,
        "act_to_recovery_seconds": 83.5,
        "outage_seconds": 11.0,
        "outage_to_open_seconds": 2.5,
        "calls_refused_in_outage": 21,
        "usual_calls_per_second": 7.2,
        "calls_per_second_while_open": 0.13,
        "mended_to_drained_seconds": pytest.approx(49.4),
    }
    seconds = document["per_second"]
    assert sum(each["stored"] for each in seconds) == 416
    assert sum(each["calls_refused"] for each in seconds) == 21


def test_orders_that_only_started_the_functions_are_told_and_not_counted() -> None:
    first = Fate("first-00000", State.FULFILLED, "", -3.0, ("fulfilment.first-00000.x",))
    document = json_report(recording(fates=(first, *fates())))
    assert document["figures"]["orders_fulfilled"] == 416
    assert any(note.startswith("1 more orders were placed") for note in document["note"])
    assert not any("more orders were placed" in note for note in json_report(recording())["note"])


def test_a_run_that_saw_nothing_has_no_figures_and_says_why() -> None:
    document = json_report(EMPTY)
    assert document["ok"] is False
    assert document["figures"]["outage_to_open_seconds"] is None
    assert "not within 10 s: x" in document["failures"][0]


def test_while_it_runs_it_shows_what_is_still_to_come() -> None:
    view = live_view(recording(incidents=(), outage=Outage(OUT)), 30.0)
    titles = [line.title for line in view.lines]
    assert titles == [
        "deployed",
        "downstream out",
        "circuit opens",
        "bad version deployed",
        "circuit at rest",
    ]
    assert view.ahead == [
        *("alarm", "rolled back", "downstream mended", "backlog drained", "recovered by evidence"),
    ]
    assert "circuit closed" in view.status
    assert "no incident yet" in view.status


def test_whether_the_circuit_is_at_rest_for_good_is_known_once_the_backlog_is_drained() -> None:
    rested = {
        made.outage: [
            line.certain for line in live_view(made, 100.0).lines if line.title == "circuit at rest"
        ]
        for made in (recording(), recording(outage=Outage(OUT)))
    }
    assert rested == {Outage(OUT, MENDED): [True], Outage(OUT): [False]}


def test_an_incident_that_was_left_to_the_breaker_is_said_to_be() -> None:
    left = incident(
        id="fulfilment-1", target="fulfilment", status=Status.OPEN, acted_at=None, acts=0, evidence=None,
        history=(Transition("2026-11-21T09:40:12.000Z", "", "OPEN", "target-busy"),),
    )  # fmt: skip
    assert "none: the circuit breaker was at work" in texts(
        html_report(recording(incidents=(left, incident())))
    )
