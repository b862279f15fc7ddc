"""The report: one well-formed, self-contained file that shows what it was given and escapes it."""

import json
import re
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from selfheal.cli.demo.chart import chart
from selfheal.cli.demo.html_report import html_report
from selfheal.cli.demo.json_report import json_report
from selfheal.cli.demo.plot import CHARACTER_WIDTH
from selfheal.cli.demo.timeline import timeline
from selfheal.functions.healer.incident_fields import Transition
from selfheal.functions.healer.states import Status
from tests.cli.recordings import incident, recording

NAMESPACES = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml"}
XHTML = "{http://www.w3.org/1999/xhtml}"
SVG = "{http://www.w3.org/2000/svg}"


def text_of(page: str) -> str:
    return " ".join(" ".join(ET.fromstring(page).itertext()).split())


def test_it_is_well_formed_and_refers_to_nothing_outside() -> None:
    page = html_report(recording())
    tree = ET.fromstring(page)
    assert tree.tag == f"{XHTML}html"
    assert set(re.findall(r"https?://[^\s\"'<)]+", page)) == NAMESPACES
    assert not {element.tag for element in tree.iter()} & {
        f"{XHTML}{tag}" for tag in ("script", "link", "img", "iframe")
    }
    assert "@import" not in page
    assert "url(" not in page


def test_it_shows_every_moment_with_its_seconds() -> None:
    made = recording()
    words = text_of(html_report(made))
    for moment in timeline(made):
        assert moment.title in words
        assert f"{moment.seconds:.1f}".replace("-", "−") in words  # noqa: RUF001 - a minus sign
    assert "Healed, by evidence, 40 seconds after the first error" in words
    assert "What this is not" in words
    assert "0 errors in 158 requests after the act" in words


def test_what_comes_from_outside_is_escaped() -> None:
    evil = '<script>alert("x")</script>&'
    line = Transition("", evil, evil, evil)
    found = incident(target=evil, reason=evil, alarm=evil, history=(line,))
    page = html_report(recording(incident=found, stack=evil, stopped_because=evil, versions={evil: evil}))
    assert "<script>" not in page
    assert evil in text_of(page)


VERIFYING = incident(status=Status.VERIFYING, closed_at=None)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"incident": VERIFYING}, "recovery was not shown by evidence: the incident is VERIFYING"),
        ({"samples": (), "incident": None, "alarm_changes": ()}, "The ledger holds no incident."),
    ],
)
def test_a_run_that_failed_has_reports_that_say_why(changes: dict[str, Any], words: str) -> None:
    made = recording(restore=None, **changes)
    shown = text_of(html_report(made))
    assert "Healing was not shown" in shown
    assert words in shown
    document = json_report(made)
    assert document["ok"] is False
    assert [reason for reason in document["failures"] if reason not in shown] == []


def test_both_drawings_have_a_title_and_a_description_of_their_own() -> None:
    tree = ET.fromstring(html_report(recording()))
    drawings = list(tree.iter(f"{SVG}svg"))
    assert len(drawings) == 2
    ids = [element.get("id") for element in tree.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    for drawing in drawings:
        assert drawing.get("role") == "img"
        named = (drawing.get("aria-labelledby") or "").split()
        assert len(named) == 2
        assert set(named) <= set(ids)


@pytest.mark.parametrize("pixels", [380.0, 960.0])
def test_the_drawing_stays_within_its_width_and_no_line_runs_through_a_text(pixels: float) -> None:
    made = recording()
    drawing = ET.fromstring(chart(timeline(made), made.samples, width=pixels, name="x"))
    for element in drawing.iter(f"{SVG}rect"):
        assert number(element, "x") + number(element, "width") <= pixels
    lines = [line for moment in drawing.iter(f"{SVG}g") for line in moment.iter(f"{SVG}line")]
    labels = [text for text in drawing.iter(f"{SVG}text") if text.get("class") == "label"]
    assert len(lines) == len(timeline(made))
    assert bool(labels) is (pixels > 600)
    for label in labels:
        left, right = number(label, "x"), number(label, "x") + len(label.text or "") * CHARACTER_WIDTH
        assert right <= pixels
        crossing = [line for line in lines if left < number(line, "x1") < right]
        assert all(number(line, "y1") > number(label, "y") for line in crossing)


def number(element: ET.Element, name: str) -> float:
    return float(element.get(name, "0"))


@pytest.mark.parametrize(("enforced", "said"), [(True, "IAM was enforced"), (False, "IAM was not enforced")])
def test_both_reports_say_whether_iam_was_enforced(enforced: bool, said: str) -> None:
    run = recording(iam_enforced=enforced)
    assert json_report(run)["iam_enforced"] is enforced
    assert [note for note in json_report(run)["note"] if note.startswith(said)]
    assert said in html_report(run)


def test_the_document_is_json_and_says_what_it_is_not() -> None:
    made = json_report(recording())
    assert json.loads(json.dumps(made)) == made
    assert made["ok"] is True
    assert made["failures"] == []
    assert made["note"]
    assert made["counts"]["before_act"]["errors"] > 0
    assert made["counts"]["after_act"]["errors"] == 0
    assert made["evidence"]["verdict"] == "healthy"
    assert made["evidence"]["counts"][0]["namespace"] == "AWS/Lambda"
    assert "AWS/Lambda 0 errors of 150, complete until" in html_report(recording())
    assert made["incident"]["status"] == "RECOVERED"
    assert made["failure_rate"] == {"baseline": "0.3", "deployed": "0.3", "healed": "0", "restored": "0.3"}
    assert sum(second["requests"] for second in made["per_second"]) == made["counts"]["total"]["requests"]
